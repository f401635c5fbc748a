"""How an issue looks: its HTML and text, rendered once, with slots for what is each reader's own.

    Issue --sanitize--> Issue --theme's templates--> marked documents --cut--> Fragment* -> Rendered

issue.py         the door: `open_render(...)`, `Render.issue(...)`, `Render.letter(...)`, `Render.preview(...)`
letter.py        the mails beside the issues: confirmation, welcome, links, a new address, alarm
context.py       what a template may use
environment.py   Jinja2, sandboxed, over the template folders, in each language
mjml.py          *.mjml.j2 with its includes to HTML, once per template and before Jinja sees it
fragments.py     markers for slots and cuts, and the cutting
budget.py        what is left out so that no mail client clips the rest
sanitize.py      text and addresses from outside
words.py         sentences, clips and addresses, in any language
phrases.py       counts, names and labels, in the issue's language
plain.py         72 columns
themes.py        the themes that come with the package
lint/            what is wrong with a theme or a mail: MJML, clients, structure, contrast, text, size
"""
