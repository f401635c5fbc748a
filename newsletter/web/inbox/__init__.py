"""The mails of a maildir on a web page, for trying things out: what `newsletter mailbox` took.

    Inbox(folder) --summaries, newest first--> list --read_mail--> Mail --frame--> HTML without rights

maildir.py   the mails there are, and which of them somebody looks for
mail.py      one mail from its bytes, whatever they are
markup.py    what is in its HTML, and what may be shown of that
pages.py     the pages and the little API
guard.py     who may ask, and what a page may do
serve.py     all of it at an address

The maildir is the truth: what is dropped into it shows up, what is taken out is gone. Every byte of a mail is hostile.
"""
