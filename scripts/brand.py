"""Draws the integration's brand images from the status page's icon: both products have one drawing."""

import base64
import shutil
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
ICON = ROOT / "exporter/sms_credit_exporter/page/static/icon.svg"
BRAND = ROOT / "custom_components/sms_credit/brand"

_ON_DARK = {"#0b7285": "#35b3c4", "#fff": "#0d2b33", "#f5a800": "#ffc53d", "#b87400": "#a86a00"}
"""Each colour of the icon as it is on a dark background."""

_SIDES = {"icon.png": 256, "icon@2x.png": 512}
"""Pixels."""


_PIXELS = """async ([drawing, side]) => {
    const image = new Image();
    image.src = "data:image/svg+xml," + encodeURIComponent(drawing);
    await image.decode();
    const canvas = new OffscreenCanvas(side, side).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, side, side);
    return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}"""
"""Draws in the browser; gives red, green, blue and alpha of each pixel."""


def drawings() -> Mapping[str, tuple[str, int]]:
    """Return what is to be on each image, as SVG, and the image's side."""
    light = dark = ICON.read_text()
    for color, on_dark in _ON_DARK.items():
        dark = dark.replace(f'"{color}"', f'"{on_dark}"')
    return {
        f"{prefix}{name}": (drawing.replace("<svg ", f'<svg width="{side}" height="{side}" ', 1), side)
        for prefix, drawing in (("", light), ("dark_", dark))
        for name, side in _SIDES.items()
    }


def main() -> int:
    """Write all images."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Not installed: chromium (Debian: apt install chromium).", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for name, (drawing, side) in drawings().items():
            pixels = base64.b64decode(page.evaluate(_PIXELS, [drawing, side]))
            (BRAND / name).write_bytes(_png(pixels, side))
        browser.close()
    return 0


def _png(pixels: bytes, side: int) -> bytes:
    """Write a square of RGBA pixels. Browsers write them about twice as large, which the brands' rules do not like."""
    rows = (pixels[start : start + 4 * side] for start in range(0, len(pixels), 4 * side))
    unfiltered = b"".join(b"\0" + row for row in rows)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(unfiltered, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


if __name__ == "__main__":
    sys.exit(main())
