"""The public door: sign-up, preferences, the archive, search, feeds, and what an operator does in a browser.

    server.py   listens      app.py    has the routes      site.py   what a page is made of
    safety.py   holds for every answer                       static.py what pages are dressed with

inbox/ is another door, of `newsletter mailbox`, and rests on none of these.

Pages are written on the server and work without script. A handler is an ordinary function that runs in a thread, as the
rest of the program does; only the server around them is asynchronous. GET changes nothing, anywhere.
"""
