"""The picture of an issue that other sites show beside a link to it (Open Graph, https://ogp.me)."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont
from starlette.responses import Response

from newsletter.language import speak
from newsletter.model import Issue

PICTURE = ".png"
SIZE = (1200, 630)  # pixels: what those who show it crop least
_MARGIN = 72
_COLOURS = 64
_GROUND, _INK, _SOFT, _ACCENT = "#f2f1ec", "#161c28", "#575d69", "#9c3f1c"
# What most systems have; Pillow's own font, which knows Latin letters only, stands in where there is neither.
_SERIF = ("NotoSerif-Bold.ttf", "DejaVuSerif-Bold.ttf")
_SANS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def picture_of(issue: Issue, *, title: str) -> Response:
    """The newsletter's title, the day and the best stories, as a PNG. The issue must be sanitised."""
    image = Image.new("RGB", SIZE, _GROUND)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 14, SIZE[1]), fill=_ACCENT)
    day = speak(issue.language).full_date(issue.slot.date)
    draw.text((_MARGIN, 60), day, font=_font(_SANS, 30), fill=_ACCENT)
    draw.text((_MARGIN, 104), title, font=_font(_SERIF, 72), fill=_INK)
    y = 236
    best = sorted(issue.stories, key=lambda story: (story.title != issue.headline, -story.standing))
    font = _font(_SERIF, 34)
    for story in best[:3]:
        lines = list(_lines(story.title, font, SIZE[0] - 2 * _MARGIN - 40))
        if len(lines) > 2:  # noqa: PLR2004 - two lines a story
            lines = [lines[0], lines[1].rstrip(" ,;:") + " …"]
        draw.ellipse((_MARGIN, y + 16, _MARGIN + 12, y + 28), fill=_ACCENT)
        for line in lines:
            draw.text((_MARGIN + 36, y), line, font=font, fill=_INK)
            y += 46
        y += 22
    if len(issue.stories) > 3:  # noqa: PLR2004
        more = f"+ {len(issue.stories) - 3}"
        draw.text((_MARGIN + 36, min(y, SIZE[1] - 66)), more, font=_font(_SANS, 30), fill=_SOFT)
    written = io.BytesIO()
    # Four inks and their edges: a palette makes a third of the bytes, in a tenth of the time that `optimize` takes.
    image.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(written, "PNG")
    headers = {"Cross-Origin-Resource-Policy": "cross-origin"}  # it is made to be shown elsewhere
    return Response(written.getvalue(), media_type="image/png", headers=headers)


def _font(names: tuple[str, ...], size: int) -> Font:
    for name in names:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _lines(text: str, font: Font, width: int) -> Iterator[str]:
    """The text in lines no wider than so many pixels; a word that is wider by itself is cut."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while font.getlength(line) > width:
            line = line[: len(line) * 3 // 4]
    if line:
        yield line
