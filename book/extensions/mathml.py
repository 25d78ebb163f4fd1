"""Write formulas as MathML, which browsers draw by themselves: no script, no font, no network."""

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def inline_formula(translator, node) -> None:
    translator.body.append(convert(node.astext(), display="inline"))
    raise SkipNode


def display_formula(translator, node) -> None:
    formula = convert(node.astext(), display="block")
    translator.body.append(f'<div class="formula" tabindex="0">{formula}</div>')
    raise SkipNode


def setup(app) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline_formula, None), (display_formula, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
