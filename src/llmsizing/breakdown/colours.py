"""One colour for each kind of term, the same in text pages, panels and figures.

The hues follow Okabe and Ito's, which colour-blind readers can tell apart. Each stands out from
a white and from a dark page by at least 3:1, so one set serves both. The first is the accent.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmsizing.breakdown.terms import Term

ACCENT = "#0072B2"
ACCENT_ON_DARK = "#56B4E9"

_BY_NAME = {
    "weights": ACCENT,
    "KV cache": "#C25400",
    "compute buffer": "#009E73",
    "overhead": "#CC79A7",
    "runtime": "#808080",
    "embedding": "#7A6FC0",
    "attention": "#A07800",
    "feed-forward": ACCENT,
    "experts": ACCENT,
    "output": "#5B8A8A",
    "norm": "#808080",
    "reading weights": ACCENT,
    "reading the KV cache": "#C25400",
    "reading from RAM": "#B5579A",
    "reading the prompt": "#009E73",
    "thinking": "#C25400",
    "writing the answer": ACCENT,
    "hardware": "#5B8A8A",
    "working": "#C25400",
    "waiting": "#A07800",
    "input": "#7A6FC0",
    "until it starts": "#C25400",
    "writing": ACCENT,
}
#: For lines that stand for no term, in the order in which they are taken.
LINE_COLOURS = (_BY_NAME["KV cache"], ACCENT, _BY_NAME["compute buffer"], "#B5579A", "#808080")
_OTHERS = ("#808080", "#A07800", "#7A6FC0", "#5B8A8A")


def term_colours(names: tuple[str, ...]) -> list[str]:
    """A colour for each name of a term: its own, or one of the others in turn.

    >>> term_colours(("weights", "something new"))
    ['#0072B2', '#808080']
    """
    others = [name for name in names if name not in _BY_NAME]
    return [_BY_NAME.get(name) or _OTHERS[others.index(name) % len(_OTHERS)] for name in names]


def coloured(terms: "tuple[Term, ...]") -> "list[tuple[Term, str]]":
    """Pair each term with its colour."""
    return list(zip(terms, term_colours(tuple(term.name for term in terms)), strict=True))
