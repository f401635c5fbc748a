"""A self-hosted newsletter engine.

On each slot of a schedule the newsletter collects new entries from its sources, composes an issue, publishes it and
delivers one message per subscriber by SMTP.

    model.py                                   the nouns
    collect.py compose.py publish.py deliver.py  the four verbs, top to bottom
    app.py                                     builds the concrete things; `App.run(slot)` calls the four in order
    daemon.py, cli/                            who calls it: the clock, and the operator
    sources/ topics/ render/ mail/ store/ schedule/   the rooms the verbs use
"""

__version__ = "0.1.0"
