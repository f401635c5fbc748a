r"""TeX in titles and abstracts -> text that reads.

    plain(r"$\mathcal{O}(n^2)$ time, 10\% off, \emph{na\"ive}")   -> "O(n²) time, 10% off, naïve"

Abstracts are written for TeX and shown as they are. What a sign or command stands for is written in Unicode, what only
changes the looks is dropped, and a command nobody knows is its own name. Groups are written out from the inside to the
outside, a bounded number of times, so that it takes linear time; nothing is too broken to give some text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from newsletter.topics.symbols import (
    ACCENTS,
    BLACKBOARD,
    DROPPED,
    FUNCTIONS,
    LETTERS,
    SECOND,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    SWITCHES,
    SYMBOLS,
)

_FORMULA = 400  # characters: what is longer between two dollars is prose with prices in it
_DEEPEST = 12  # groups in groups

# What TeX would read as its own while it means itself is a private character until the end.
_KEPT = dict(zip("{}$^_~\\", "\ue000\ue001\ue002\ue003\ue004\ue005\ue006", strict=True))
_IS_TEX = "\ue007"  # stands where a switch stood: the braces around it are TeX's
_BACK = str.maketrans({**{sign: char for char, sign in _KEPT.items()}, _IS_TEX: None})

_SIGNS = re.compile(r"[\\$~{}^_]|``|''|--|\dtimes")
_ESCAPED = re.compile(r"\\([%$&#_{}\\ ])")
_APOSTROPHE = re.compile(r"(?<=\w)\\'(?=\s|$|(?:s|t|d|m|re|ve|ll)\b)")  # a program's escape, not an accent
_ACCENTED = re.compile(
    r"\\(?:(['\"`^~=.])|([cvuHkrdb])(?![a-zA-Z]))\s?(?:\{\s?\\?([^\W\d_])\s?\}|\\([ij])(?![a-zA-Z])|([^\W\d_]))"
)
_LETTER = re.compile(rf"\\({'|'.join(LETTERS)})(?![a-zA-Z])(?:\{{\}}| (?=[^\W\d_A-Z]))?")
_CITATION = re.compile(rf"[ ~]?\\(?:{'|'.join(sorted(DROPPED))})\*?\s?(?:\[[^\[\]{{}}]{{0,40}}\])?\{{[^{{}}]*\}}")
_SWITCH = re.compile(rf"\\(?:(?:left|right)\s?\.|(?:{'|'.join(sorted(SWITCHES))})(?![a-zA-Z])\s?)")
_GROUP = re.compile(
    r"\\(?P<two>[a-zA-Z]+)\s?\{(?P<first>[^{}]*)\}\s?\{(?P<second>[^{}]*)\}"
    r"|\\(?P<one>[a-zA-Z]+)\*?\s?(?:\[[^\[\]{}]{0,40}\]\s?)?\{(?P<argument>[^{}]*)\}"
    r"|(?P<script>[\^_])\s?\{(?P<raised>[^{}]*)\}"
    r"|\{(?P<bare>[^{}]*)\}"
)
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?|\\(.)")
_SCRIPT = {True: re.compile(r"([\^_])\s?([^\s^_])"), False: re.compile(r"(?<=[\w)])(\^)(\d+)")}
_TIE = re.compile(r"""(?<=[\w.,;:)\]%°’”'"])~(?!\d)|(?<=[^\W\d])~(?=\d)|(?<=[.,;:)])~(?=\d)""")
_BRACED = re.compile(r"[^\W\d_]*|[,.;:=+-]")  # {BERT}, 10{,}000: braces that keep TeX from changing case or space
_PROSE = re.compile(r"(?:\b[a-zA-Z]{3,}\b\W+){3}")
_COMPOUND = re.compile(r"[\s+\-−·×/]")
_TYPOGRAPHY = (
    (re.compile("``"), "“"),
    (re.compile("''"), "”"),
    (re.compile(r"(?<=\w)---(?=\w)| --- "), " — "),
    (re.compile(r"(?<=\w)--(?=\w)"), "–"),
    (re.compile(" -- "), " – "),
    (re.compile(r"(?<=\d)times(?![a-z])"), "×"),  # what is left of \times where a site took the backslash away
)


def plain(text: str) -> str:
    """The text with its TeX written out, on one line; untouched where there is no sign of TeX."""
    if not _SIGNS.search(text):
        return text
    text = _APOSTROPHE.sub("'", " ".join(text.translate(_BACK).split()))
    text = _ESCAPED.sub(lambda match: " " if match[1] in "\\ " else _KEPT.get(match[1], match[1]), text)
    text = _written("".join(_formulas(text)), math=False)
    for pattern, sign in _TYPOGRAPHY:
        text = pattern.sub(sign, text)
    text = _TIE.sub(" ", text).translate(_BACK)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _formulas(text: str) -> Iterator[str]:
    r"""The text in parts, those between dollars (or `\(` and `\)`) written out as formulas.

    A price is told from a formula much as Pandoc does it.
    """
    text = re.sub(r"\\[(\[]\s?", "$", re.sub(r"\s?\\[)\]]", "$", text)).replace("$$", "$")
    prose, *parts = text.split("$")
    yield prose
    at = 0
    while at < len(parts):
        part = parts[at]
        following = parts[at + 1] if at + 1 < len(parts) else None
        if following is None or not _is_formula(part, following):
            yield _KEPT["$"] + part
            at += 1
        else:
            yield _written(part, math=True) + following
            at += 2


def _is_formula(part: str, following: str) -> bool:
    if not part or len(part) > _FORMULA or (part[0].isdigit() and following[:1].isdigit()):  # $5 or $10
        return False
    is_prose = _PROSE.search(part) is not None
    if "\\" in part and not is_prose:
        return True
    is_tight = not part[0].isspace() and not part[-1].isspace()
    return is_tight and ("\\" in part or not is_prose)


def _written(text: str, *, math: bool) -> str:
    """The text without groups, commands, and (in a formula) raised and lowered signs."""
    text = _LETTER.sub(lambda match: LETTERS[match[1]], _ACCENTED.sub(_accented, text))
    text = _SWITCH.sub(_IS_TEX, _CITATION.sub("", text))
    for _ in range(_DEEPEST):
        text, count = _GROUP.subn(lambda match: _group(match, math=math), text)
        if not count:
            break
    if math:
        text = text.replace("{", "").replace("}", "").replace("~", " ")
    return _flat(text, math=math)


def _accented(match: re.Match[str]) -> str:
    letter = match[3] or match[4] or match[5]
    return letter + ACCENTS[match[1] or match[2]]


def _group(match: re.Match[str], *, math: bool) -> str:
    """What a group stands for, with the command or sign before it; it holds no further group."""
    if match["two"]:
        return _of_two(match["two"], _flat(match["first"], math=math), _flat(match["second"], math=math), match)
    if match["one"]:
        return _of_one(match["one"], _flat(match["argument"], math=math), match)
    if match["script"]:
        return _script(match["script"], _flat(match["raised"], math=math))
    bare = match["bare"]
    is_tex = math or "\\" in bare or _IS_TEX in bare or _BRACED.fullmatch(bare)
    inner = _flat(bare, math=math)
    return inner if is_tex else f"{_KEPT['{']}{inner}{_KEPT['}']}"


def _of_two(name: str, first: str, second: str, match: re.Match[str]) -> str:
    if name in {"frac", "dfrac", "tfrac", "nicefrac", "sfrac"}:
        return f"{_bracketed(first)}/{_bracketed(second)}"
    if name == "binom":
        return f"C({first}, {second})"
    return second if name in SECOND else _of_one(name, first, match) + second


def _of_one(name: str, argument: str, match: re.Match[str]) -> str:
    if name in ACCENTS:
        return argument[:1] + ACCENTS[name] + argument[1:] if argument else ""
    if name == "sqrt":
        return "√" + _bracketed(argument)
    if name == "mathbb":
        return BLACKBOARD.get(argument, argument)
    if name == "unicode":
        return _character(argument)
    if name in SYMBOLS or name in FUNCTIONS:
        return _symbol(name, match, followed=argument) + argument
    is_macro = not argument and not name.startswith(("text", "math", "emph", "bold"))
    return name if is_macro else argument


def _character(code: str) -> str:
    try:
        return chr(int(code.removeprefix("x"), 16 if code.startswith("x") else 10))
    except (ValueError, OverflowError):
        return ""


def _flat(text: str, *, math: bool) -> str:
    text = _COMMAND.sub(_command, text) if "\\" in text else text
    return _SCRIPT[math].sub(lambda match: _script(match[1], match[2]), text) if "^" in text or "_" in text else text


def _command(match: re.Match[str]) -> str:
    """What a command without argument stands for."""
    name, sign = match[1], match[2]
    if name:
        return _symbol(name, match, followed=match.string[match.end() : match.end() + 1])
    return {"!": "", "/": "", "-": "", "@": "", ",": " ", ";": " ", ":": " ", ">": " ", "|": "‖"}.get(
        sign, _KEPT.get(sign, sign)
    )


def _symbol(name: str, match: re.Match[str], *, followed: str) -> str:
    if name not in FUNCTIONS:
        return SYMBOLS.get(name, "" if name in DROPPED else name)
    before = match.string[match.start() - 1 : match.start()]
    left = " " if before.isalnum() or before == ")" else ""
    return left + name + (" " if followed[:1].isalnum() or followed[:1] == "\\" else "")


def _script(sign: str, text: str) -> str:
    """A superscript or subscript: in Unicode where all of it exists there, otherwise behind `^` or `_`."""
    raised = sign == "^"
    table = SUPERSCRIPTS if raised else SUBSCRIPTS
    if all(char in table for char in text):
        return "".join(table[char] for char in text)
    if raised and text in {"st", "nd", "rd", "th"}:
        return text
    return _KEPT[sign] + _bracketed(text)


def _bracketed(text: str) -> str:
    """The text, in brackets where it would fall apart without."""
    return f"({text})" if _COMPOUND.search(text) and not (text[0] == "(" and text.find(")") == len(text) - 1) else text
