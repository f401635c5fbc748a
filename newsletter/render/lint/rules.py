"""Every rule by its name. The grounds are those of `docs/check.md`, which a test compares with this table."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.render.lint.finding import Finding, Rule, Severity


def found(rule: str, path: str, line: int, what: str) -> Finding:
    """A finding of a rule of this table."""
    of = RULES[rule]
    return Finding(rule=rule, path=path, line=line, what=what, why=of.why, mend=of.mend, severity=of.severity)


def _error(why: str, mend: str) -> Rule:
    return Rule(severity=Severity.ERROR, why=why, mend=mend)


def _warning(why: str, mend: str) -> Rule:
    return Rule(severity=Severity.WARNING, why=why, mend=mend)


RULES: Mapping[str, Rule] = {
    # --- the source of a theme
    "mjml-tag": _error(
        "MJML leaves out what it does not know, or fails on it.",
        "Write the tag as MJML spells it; plain HTML goes inside mj-text, mj-table or mj-raw.",
    ),
    "mjml-parent": _error(
        "MJML lays a tag out by the one around it; elsewhere it is dropped or breaks the layout.",
        "Move it into one of the tags named here: mostly a section holds columns, and a column holds content.",
    ),
    "mjml-attribute": _error(
        "MJML ignores attributes that the tag does not have.",
        "Correct its name, or put it as inline style on HTML inside mj-text.",
    ),
    "mjml-value": _error(
        "MJML computes widths and paddings from these values; one of another form breaks the layout in Outlook.",
        "Give a value of the form named here, as it is: only colours, sides and texts may come from Jinja.",
    ),
    "mjml-zero": _warning(
        "Some MJML compilers ignore a whole padding in which a zero has no unit.",
        "Write 0px.",
    ),
    "mjml-colour": _warning(
        "Outlook for Windows reads colours with six digits only, and this compiler does not lengthen shorter ones.",
        "Write six digits: #eeeeee for #eee.",
    ),
    "mjml-unclosed": _error(
        "What follows an unclosed tag lands inside it, and the compiler does not complain.",
        "Close the tag where its content ends, in the order the tags were opened.",
    ),
    "mjml-include": _error(
        "Includes are put in place before MJML is compiled, from the templates alone.",
        'Write <mj-include path="name.mjml.j2" /> alone on its line, with the path of a template beside this one.',
    ),
    "mjml-style-inline": _error(
        "Moving styles inline rewrites the page with Jinja in it, and moves loops out of their tables.",
        "Write the styles inline yourself, on the HTML inside mj-text.",
    ),
    "mjml-font": _warning(
        "Gmail and Outlook show no web fonts, and loading one tells its host who reads.",
        "Name fonts that readers have: font-family on mj-all, ending in serif or sans-serif.",
    ),
    "mjml-preview": _warning(
        "It becomes white text of one pixel, for which SpamAssassin gives 0.7 points.",
        "Put the preheader into a hidden div in an mj-raw, first in the body, as the bundled themes do.",
    ),
    "mjml-image-alt": _error(
        "Most clients block images at first, and some readers never see them: they get the alt text.",
        'Say in alt what the image says, or alt="" where it only decorates.',
    ),
    "mjml-jinja": _error(
        "MJML drops text that stands between its tags, and turns < and > in it into something else.",
        "Put it inside mj-raw, mj-text or mj-table; for < and > write {% if n is lt 3 %} and {% if n is gt 3 %}.",
    ),
    # --- the page
    "image-alt": _error(
        "Most clients block images at first, and some readers never see them: they get the alt text.",
        'Say in alt what the image says, or alt="" where it only decorates.',
    ),
    "image-width": _warning(
        "Outlook for Windows shows an image without a width attribute in its own size, however wide that is.",
        "Give the img a width attribute, in pixels.",
    ),
    "image-address": _error(
        "A mail has no address of its own, so that other addresses lead nowhere; clients warn of http.",
        "Use a whole address that begins with https://.",
    ),
    "image-format": _warning(
        "Gmail shows no data: images and Outlook for Windows neither WebP nor SVG.",
        "Use PNG or JPEG, at an https address.",
    ),
    "link-text": _error(
        "A screen reader can only say that there is a link, not where it leads.",
        "Put words into the link, or an alt text into its image.",
    ),
    "link-target": _error(
        "It leads nowhere in a mail; clients remove javascript, and filters take it for an attack.",
        "Give a whole address, or #name of an anchor in this mail.",
    ),
    "heading-order": _warning(
        "Screen readers offer the headings as a table of contents.",
        "Use one h1 for the newsletter, h2 for topics and h3 for stories, without leaving out a step.",
    ),
    "language": _error(
        "Without it a screen reader guesses the language, and Arabic or Hebrew is laid out the wrong way round.",
        'Begin with <mjml lang="{{ language }}" dir="{{ direction }}">: it puts both on html and on the body\'s child.',
    ),
    "table-role": _warning(
        "A screen reader announces rows and columns of a table that is only there for layout.",
        'Add role="presentation" to the table, or give it headings (th) if it shows data.',
    ),
    "contrast-light": _error(
        "Text needs a contrast of 4.5 to its ground to be read by everybody (WCAG 2.2, 1.4.3).",
        "Darken the text or lighten its ground.",
    ),
    "contrast-dark": _error(
        "In dark mode text needs a contrast of 4.5 to its ground as well (WCAG 2.2, 1.4.3).",
        "Set both colour and background under @media (prefers-color-scheme: dark), with !important.",
    ),
    "text-size": _warning(
        "Smaller text is hard to read on a phone.",
        "Use at least 14px, and 16px for running text.",
    ),
    "client-support": _warning(
        "Readers with these clients see the mail without it.",
        "Do without it, or see that nothing is lost where it is missing.",
    ),
    # --- what mail clients cut
    "html-size": _error(
        "Gmail clips mails near 102 KB, and the unsubscribe link with them.",
        "Shorten the issue (limits in schedules.yaml) or the HTML of a card.",
    ),
    "html-nearly-full": _warning(
        "Gmail clips mails near 102 KB; longer titles or addresses could take this one there.",
        "Shorten the issue (limits in schedules.yaml) or the HTML of a card.",
    ),
    "css-size": _error(
        "Gmail drops the styles beyond 16 KB.",
        "Remove rules that no element needs, or put them inline.",
    ),
    "css-nested": _error(
        "Gmail drops a whole style block for an at-rule within an at-rule.",
        "Write both conditions into one @media, joined by and, in a style block of its own.",
    ),
    "control-characters": _error(
        "A single control character makes Gmail show the mail as clipped.",
        "Remove it from the template or the source it came from.",
    ),
    # --- the text part
    "text-lines": _warning(
        "Text readers do not wrap, and mail servers may cut long lines (RFC 5322 section 2.1.1).",
        "Use the filter wrap; only an address may be longer, alone on its line.",
    ),
    "text-links": _error(
        "Who reads the text needs the same links as who reads the HTML.",
        "Print the address in issue.txt.j2 (or take it out of both), whole and followed by a space or line end.",
    ),
    "text-preheader": _error(
        "Many clients show the beginning of the text beside the subject.",
        "Begin issue.txt.j2 with {{ preheader|wrap }}.",
    ),
    # --- the whole
    "render": _error(
        "An issue whose theme cannot be rendered is not published.",
        "Correct the template at this line; docs/templates.md names what a template may use.",
    ),
    "spam-score": _warning(
        "Filters add up points, and what your server adds comes on top.",
        "See what the rules named here look for; mostly it is hidden text, pale text or a missing text part.",
    ),
    "dead-link": _warning(
        "Readers who follow it find nothing.",
        "Look whether the address is right; some servers only turn away programs.",
    ),
}
