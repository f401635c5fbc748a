"""What belongs together, and what comes first. Everything here is pure: values in, values out.

merge   entries of the same thing -> one story
rank    the best first
assign  a story -> the topic it belongs to
"""
