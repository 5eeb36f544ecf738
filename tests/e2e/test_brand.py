"""The logo: both products show the same drawing, one as SVG and one as images made of it."""

import base64

import pytest

from scripts.brand import BRAND, drawings
from tests.e2e.conftest import OpenPage

# The greatest distance between two pixels in the same place, by channel and on a grey background. Edges may have other
# shades in another browser, but nothing else.
DIFFERENCE = """async ([drawn, stored, side]) => {
    const pixels = async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        const canvas = new OffscreenCanvas(side, side).getContext("2d");
        canvas.fillStyle = "#888";
        canvas.fillRect(0, 0, side, side);
        canvas.drawImage(image, 0, 0);
        return canvas.getImageData(0, 0, side, side).data;
    };
    const [one, other] = await Promise.all([drawn, stored].map(pixels));
    return one.reduce((most, value, index) => Math.max(most, Math.abs(value - other[index])), 0);
}"""


def address(kind: str, content: bytes) -> str:
    """Return the content as an address that a browser loads it from."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", drawings())
async def test_a_brand_image_is_the_pages_icon(open_page: OpenPage, name: str) -> None:
    """Whoever changes the icon runs scripts/brand, or Home Assistant and the page part ways."""
    drawing, side = drawings()[name]
    page = await open_page("about:blank")
    pair = [address("svg+xml", drawing.encode()), address("png", (BRAND / name).read_bytes()), side]
    assert await page.evaluate(DIFFERENCE, pair) < 25


def test_there_is_an_image_of_each_kind_and_no_other() -> None:
    """There is one for a dark background too, with every colour of the icon changed."""
    assert {file.name for file in BRAND.iterdir()} == set(drawings())
    light, dark = (drawings()[name][0] for name in ("icon.png", "dark_icon.png"))
    assert not {part for part in light.split('"') if part.startswith("#")} & set(dark.split('"'))
