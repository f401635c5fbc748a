"""Golden pictures of the themes, and how a picture is compared with one."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
TOLERANCE = 0.001  # share of different pixels; the same fonts and browser give 0, a line in another colour 0.0015

_DIFFERENT = 40  # of 255, in any of the three colours, after the blur
_COLOURS = 64  # of a golden picture, which keeps it small


def difference(golden: Image.Image, taken: Image.Image) -> float:
    """The share of pixels in which two pictures differ to the eye, 0 to 1; 1 when their sizes differ.

    Both are blurred a little, so that the edges of letters, which another version of the browser may draw a shade
    differently, do not count, and a letter that stands elsewhere does.
    """
    if golden.size != taken.size:
        return 1.0
    blurred = (picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.5)) for picture in (golden, taken))
    red, green, blue = ImageChops.difference(*blurred).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(largest.histogram()[_DIFFERENT:]) / (largest.width * largest.height)


def keep(taken: Image.Image, golden: Path) -> None:
    """Write a picture as the golden one."""
    golden.parent.mkdir(parents=True, exist_ok=True)
    few = taken.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(golden, optimize=True)
