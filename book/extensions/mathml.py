"""Write formulas as MathML, which browsers draw by themselves: no script, no font, no network."""

from latex2mathml.converter import convert


def inline_formula(translator, node) -> None:
    translator.body.append(convert(node.astext(), display="inline"))


def display_formula(translator, node) -> None:
    formula = convert(node.astext(), display="block")
    translator.body.append(f'<div class="formula" tabindex="0">{formula}</div>')


def skip(translator, node) -> None:
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app) -> dict[str, bool]:
    def once(write):
        def visit(translator, node) -> None:
            write(translator, node)
            skip(translator, node)
        return visit

    app.add_html_math_renderer(
        "mathml", (once(inline_formula), None), (once(display_formula), None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
