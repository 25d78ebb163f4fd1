"""Draw the landing page's picture into book/images, where README.md and the index show it."""

from pathlib import Path

from llmsizing.catalog import load_device
from llmsizing.plots import plot_contexts

PICTURE = Path(__file__).parent / "images" / "one-file-three-contexts.svg"
# Alone, as README.md shows it, the picture follows the reader's system; in the book, the theme.
COLOURS = (
    "<style>.sizing-picture{color:#1f2328}"
    "@media(prefers-color-scheme:dark){.sizing-picture{color:#e6edf3}}</style>"
)


def picture() -> str:
    """The picture as the text of an SVG file."""
    figure = plot_contexts(
        "Llama-3.1-8B", weights="Q4_K_M", contexts=[8192, 32768, 131072],
        limit=load_device("RTX 3060 12 GB").visible_bytes,
    )
    svg = figure.svg().replace("<svg", '<svg class="sizing-picture"', 1)
    opening = svg.index(">") + 1
    return svg[:opening] + COLOURS + svg[opening:] + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
