"""What belongs together, and what comes first. Values in, values out; only `endpoint` talks to a server.

merge, twins         entries of the same thing -> one story, by key and by what they say
filters, rank        what is wanted, the best first, and why
embed                what texts mean, as vectors: the seam of everything below
assign, group        a story -> the topic it belongs to; stories -> sections
diversity            an order in which neighbours differ
summarize            an abstract -> one or two of its own sentences
search, interests    the archive by words and meaning; what somebody who liked these might like
discover             topics that nobody has written yet
"""
