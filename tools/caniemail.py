# ruff: noqa: INP001, S603 - a script that starts npm
"""What mail clients support, out of the data of caniemail.com.

    .venv/bin/python tools/caniemail.py    writes newsletter/render/lint/data/clients.json

The data come from the npm package `caniemail`, unpacked in a temporary folder. Kept are the clients of CLIENTS, and the
features that one of them lacks and that a page can be searched for. Each feature says what it `uses`: `property:gap`,
`element:video`; these are the names by which `newsletter/render/lint/features.py` tells what a page uses.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = "caniemail@1.0.5"
TARGET = Path(__file__).parents[1] / "newsletter" / "render" / "lint" / "data" / "clients.json"

# The default list. Left out: Gmail in a phone's browser, which drops all styles and which hardly anybody reads in.
CLIENTS = {
    "Gmail (web)": ("gmail", "desktop-webmail"),
    "Gmail (iOS)": ("gmail", "ios"),
    "Gmail (Android)": ("gmail", "android"),
    "Outlook (Windows)": ("outlook", "windows"),
    "Outlook.com": ("outlook", "outlook-com"),
    "Outlook (macOS)": ("outlook", "macos"),
    "Outlook (iOS)": ("outlook", "ios"),
    "Apple Mail (macOS)": ("apple-mail", "macos"),
    "Apple Mail (iOS)": ("apple-mail", "ios"),
    "Yahoo (web)": ("yahoo", "desktop-webmail"),
    "Samsung Email": ("samsung-email", "android"),
    "Thunderbird": ("thunderbird", "macos"),
}

# What a feature is found by, where its name in the data does not tell.
USES = {
    "css-animation": ["property:animation", "property:animation-name"],
    "css-at-media-device-pixel-ratio": ["media:-webkit-device-pixel-ratio", "media:-webkit-min-device-pixel-ratio"],
    "css-at-media-hover": ["media:hover", "media:any-hover"],
    "css-block-inline-size": ["property:block-size", "property:inline-size"],
    "css-border-image": ["property:border-image", "property:border-image-source"],
    "css-border-inline-block": ["property:border-inline", "property:border-block"],
    "css-border-inline-block-individual": [
        f"property:border-{axis}-{side}" for axis in ("inline", "block") for side in ("start", "end")
    ],
    "css-border-inline-block-longhand": [
        f"property:border-{axis}-{part}" for axis in ("inline", "block") for part in ("width", "style", "color")
    ],
    "css-border-radius-logical": [
        f"property:border-{side}-radius" for side in ("start-start", "start-end", "end-start", "end-end")
    ],
    "css-column-layout-properties": ["property:columns", "property:column-rule", "property:column-width"],
    "css-display-flex": ["value:display:flex", "value:display:inline-flex"],
    "css-display-grid": ["value:display:grid", "value:display:inline-grid"],
    "css-display-none": ["value:display:none"],
    "css-flex-direction": ["value:flex-direction:column", "value:flex-direction:column-reverse"],
    "css-flex-wrap": ["value:flex-wrap:wrap"],
    "css-gap": ["property:gap", "property:column-gap", "property:row-gap"],
    "css-grid-template": [f"property:grid-template-{part}" for part in ("columns", "rows", "areas")],
    "css-intrinsic-size": ["keyword:fit-content", "keyword:min-content", "keyword:max-content"],
    "css-left-right-top-bottom": ["property:left", "property:right", "property:top", "property:bottom"],
    "css-modern-color": ["function:lch", "function:oklch", "function:lab", "function:oklab"],
    "css-nesting": ["nesting"],
    "css-pseudo-class-lang": ["pseudo::lang"],
    "css-scroll-snap": ["property:scroll-snap-type", "property:scroll-snap-align"],
    "css-selector-adjacent-sibling": ["selector:+"],
    "css-selector-attribute": ["selector:[]"],
    "css-selector-chaining": ["selector:chained"],
    "css-selector-child": ["selector:>"],
    "css-selector-general-sibling": ["selector:~"],
    "css-selector-universal": ["selector:*"],
    "css-sytem-ui": [f"keyword:{name}" for name in ("system-ui", "ui-serif", "ui-sans-serif", "ui-monospace")],
    "css-unit-calc": ["function:calc"],
    "css-unit-initial": ["keyword:initial"],
    "css-unit-percent": ["unit:%"],
    "css-variables": ["function:var"],
    "html-address": ["element:address"],
    "html-anchor-links": ["href:#"],
    "html-button-reset": ["input:reset"],
    "html-button-submit": ["input:submit", "element:button"],
    "html-h1-h6": [f"element:h{level}" for level in range(1, 7)],
    "html-image-maps": ["element:map", "attribute:usemap"],
    "html-lists": ["element:ul", "element:ol", "element:dl"],
    "html-mailto-links": ["href:mailto"],
    "html-meta-color-scheme": ["meta:color-scheme"],
    "html-semantics": [
        f"element:{name}"
        for name in (
            "article",
            "aside",
            "details",
            "figure",
            "footer",
            "header",
            "main",
            "mark",
            "nav",
            "section",
            "time",
        )
    ],
    "html-srcset": ["attribute:srcset", "attribute:sizes"],
    "html-svg": ["element:svg"],
    "image-base64": ["image:data"],
    "image-heif": ["image:heif", "image:heic"],
    "image-jpg": ["image:jpg", "image:jpeg"],
    "image-mp4": ["image:mp4"],
    "image-tiff": ["image:tif", "image:tiff"],
}
# A page cannot be searched for these, or they are no matter of a page.
LEFT_OUT = re.compile(
    r"amp|bimi|css-comments|css-important|css-selector-(class|descendant|grouping|id|type)|image-(apng|hdr)|html-(body|comments|doctype)"
)
_SIMPLE = (
    (r"css-at-media-(.+)", "media:{}"),
    (r"css-at-(.+)", "at:{}"),
    (r"css-function-(.+)", "function:{}"),
    (r"css-((?:linear|radial|conic)-gradient|rgba?)", "function:{}"),
    (r"css-pseudo-class-(.+)", "pseudo::{}"),
    (r"css-pseudo-element-(.+)", "pseudo:::{}"),
    (r"css-unit-(.+)", "unit:{}"),
    (r"html-input-(.+)", "input:{}"),
    (r"image-(.+)", "image:{}"),
)


def main() -> None:
    """Write the reduced table."""
    data = _download()
    features = {}
    for feature in data["data"]:
        slug = feature["slug"]
        support = "".join(_support(feature, client) for client in CLIENTS.values())
        if not LEFT_OUT.fullmatch(slug) and "n" in support:
            features[slug] = {"title": feature["title"].strip(), "uses": list(_uses(feature)), "support": support}
    table = {
        "source": f"https://www.caniemail.com by Rémi Parmentier and others, by way of npm {PACKAGE}",
        "date": data["last_update_date"][:10],
        "licence": "MIT, https://github.com/hteumeuleu/caniemail/blob/main/LICENSE",
        "support": "a letter for each client, of its newest version: y yes, a partly, n no, u unknown",
        "clients": list(CLIENTS),
        "features": features,
    }
    TARGET.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _download() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S607
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            file = packed.extractfile("package/data/caniemail.json")
            assert file is not None  # noqa: S101  # every release has it
            return json.load(file)


def _support(feature: Any, client: tuple[str, str]) -> str:
    family, platform = client
    versions = feature["stats"].get(family, {}).get(platform, {})
    return str(list(versions.values())[-1])[0] if versions else "u"


def _uses(feature: Any) -> Iterator[str]:
    slug, title = feature["slug"], feature["title"].strip()
    if slug in USES:
        yield from USES[slug]
        return
    for pattern, form in _SIMPLE:
        if found := re.fullmatch(pattern, slug):
            yield form.format(found[1])
            return
    if slug.startswith("html-"):
        attribute = re.fullmatch(r"(\S+) attribute", title)
        element = re.search(r"<(\w+)>", title)
        yield f"attribute:{attribute[1]}" if attribute else f"element:{element[1] if element else slug[5:]}"
        return
    for name in title.split(" & "):
        yield f"property:{name.split(' ')[0]}"


if __name__ == "__main__":
    main()
