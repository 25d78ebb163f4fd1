"""Write the catalog's tables into pages: whole without a script, sorted and filtered with one.

In a page write ```{catalog} models```, devices or formats. Rows come from the package's data, so
page and package cannot differ.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

import llmsizing as sizing
from llmsizing.catalog import model_rows as rows_of_models
from llmsizing.units import BILLION, GIB, KIB

SCRIPT = Path(__file__).with_name("catalog.js")

#: A cell: what is shown, and what it is sorted by.
Cell = tuple[str, float | str]


def billions(value: float) -> str:
    """Three digits: 0.135, 1.00, 30.5, 405."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def text(value: object) -> Cell:
    shown = str(value) if value else "not read"
    return escape(shown), shown.casefold()


def number(value: float | None, shown: str) -> Cell:
    return (escape(shown), float(value)) if value is not None else ("not read", -1.0)


def folded(summary: str, *paragraphs: str) -> Cell:
    inside = "".join(f"<p>{linked(paragraph)}</p>" for paragraph in paragraphs if paragraph)
    return f"<details><summary>{summary}</summary>{inside}</details>", summary


def linked(paragraph: str) -> str:
    words = (f"<a href='{escape(word)}'>{escape(word)}</a>" if word.startswith("https://")
             else escape(word) for word in paragraph.split(" "))
    return " ".join(words)


def model_rows() -> Iterator[dict[str, Cell]]:
    second = {row.name: row.second_source for row in rows_of_models()}
    for model in sizing.models():
        total, active = model.parameters / BILLION, model.active_parameters / BILLION
        size = sizing.weight_bytes(model, "Q4_K_M") / GIB
        per_token = sizing.kv_cache_bytes(model, context_tokens=8192) / 8192 / KIB
        context = model.max_position_embeddings
        yield {
            "model": text(model.name),
            "parameters, billions": number(total, billions(total)),
            "active": number(active, billions(active) if active < total else "all"),
            "Q4_K_M, GiB": number(size, f"{size:,.2f}"),
            "cache at 8k, KiB per token": number(per_token, f"{per_token:,.1f}"),
            "context, tokens": number(context, f"{context:,}" if context else ""),
            "licence": text(model.licence),
            "reads": text(model.modality),
            "source": folded("source", f"{model.repo}. {model.source}", model.source_url,
                             f"Also read: {second[model.name]}" if second[model.name] else "",
                             model.notes, f"Stored as {model.native_type}." if model.native_type
                             else "", f"Opened {model.accessed}."),
        }


def device_rows() -> Iterator[dict[str, Cell]]:
    for device in sizing.devices():
        low, high = (size / GIB for size in device.visible_range)
        seen = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        listed = None if device.listed_mib is None else float(device.listed_mib) / KIB
        speed = float(device.bandwidth_gb_per_s)
        yield {
            "device": text(device.name),
            "kind": text(f"{device.vendor}, {device.segment}"),
            "sold, GB": number(device.sold_gb, str(device.sold_gb)),
            "listed, GiB": number(listed, f"{listed:.2f}" if listed else ""),
            "visible, GiB": number(low, seen + ("" if device.visible_is_reported else " (like others)")),
            "bandwidth, GB/s": number(speed, f"{speed:,g}"),
            "source": folded("source", device.source, device.source_url,
                             f"Also read: {device.second_source}" if device.second_source else "",
                             f"Visible: {device.visible_source}" if device.visible_source else "",
                             device.notes, f"Opened {device.accessed}."),
        }


def format_rows() -> Iterator[dict[str, Cell]]:
    for entry in sizing.formats():
        bits = entry.bits_per_weight
        more = [f"{size:g} bits for each {what}" for what, size in (
            ("row", float(entry.row_bits)), ("column", float(entry.column_bits)),
            ("matrix", entry.tensor_bits)) if size]
        yield {
            "format": text(entry.name),
            "family": text(entry.family),
            "bits per weight": number(float(bits), f"{float(bits):g}"),
            "arithmetic": text("; ".join([entry.working, *more])),
            "used for": text(entry.quantizes),
            "source": folded("source", f"{entry.note.capitalize()}." if entry.note else "",
                             f"Leaves: {entry.leaves}.", entry.source),
        }


ROWS = {"models": model_rows, "devices": device_rows, "formats": format_rows}


def table_html(kind: str) -> str:
    """The table of one kind, with a place for the controls that the script makes."""
    rows = list(ROWS[kind]())
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(cell_html(*cell) for cell in row.items())}</tr>" for row in rows)
    return (f"<div class='catalog'><table><caption>{len(rows)} {kind}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>")


def cell_html(column: str, cell: Cell) -> str:
    shown, order = cell
    kind = {"arithmetic": " class='wide'"}.get(column, " class='quiet'" if shown == "all" else "")
    return f"<td{kind} data-label='{escape(column)}' data-sort='{escape(str(order))}'>{shown}</td>"


class Catalog(Directive):
    """```{catalog} models```"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", table_html(self.arguments[0]), format="html")]


def setup(app) -> dict[str, bool]:
    app.add_directive("catalog", Catalog)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
