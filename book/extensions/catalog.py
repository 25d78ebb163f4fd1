"""Write the catalog's tables into pages: whole without a script, sorted and found with one.

In a page write ```{catalog} models```, devices or formats. Rows come from the package's data, so
page and package cannot differ.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

import llmsizing as sizing
from llmsizing.catalog import SYSTEM_RAM, model_rows
from llmsizing.units import BILLION, GIB, KIB

SCRIPT = Path(__file__).with_name("catalog.js")


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the number or text that it is sorted by."""

    shown: str
    order: float | str

    @property
    def is_number(self) -> bool:
        return not isinstance(self.order, str)


@dataclass(frozen=True)
class Row:
    """A name, what is known of it by column, where that was read, and words to find it by."""

    name: str
    cells: dict[str, Cell]
    sources: tuple[str, ...]
    words: str


def text(value: str) -> Cell:
    return Cell(value or "not read", value.casefold())


def number(value: float | None, shown: str) -> Cell:
    return Cell("not read", -1.0) if value is None else Cell(shown, float(value))


def billions(value: float) -> str:
    """Three digits: 0.135, 1.00, 30.5, 405."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def models() -> Iterator[Row]:
    second = {row.name: row.second_source for row in model_rows()}
    for model in sizing.models():
        total, active = model.parameters / BILLION, model.active_parameters / BILLION
        size = sizing.weight_bytes(model, "Q4_K_M") / GIB
        per_token = sizing.kv_cache_bytes(model, context_tokens=8192) / 8192 / KIB
        context = model.max_position_embeddings
        yield Row(
            model.name,
            {
                "billion parameters": number(total, billions(total)),
                "active": number(active, billions(active) if active < total else "all"),
                "Q4_K_M, GiB": number(size, f"{size:,.2f}"),
                "cache at 8k, KiB per token": number(per_token, f"{per_token:,.1f}"),
                "context, tokens": number(context, f"{context:,}" if context else ""),
                "licence": text(model.licence),
                "reads": text(model.modality),
            },
            (f"{model.repo}. {model.source}", model.source_url, also(second[model.name]), model.notes,
             f"Stored as {model.native_type}." if model.native_type else "",
             f"Opened {model.accessed}."),
            f"{model.name} {model.repo} {model.licence} {model.modality} {model.notes}",
        )


def devices() -> Iterator[Row]:
    for device in sizing.devices():
        low, high = (size / GIB for size in device.visible_range)
        seen = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        listed = None if device.listed_mib is None else float(device.listed_mib) / KIB
        speed, kind = float(device.bandwidth_gb_per_s), f"{device.vendor}, {device.segment}"
        guessed = not device.visible_is_reported and device.segment != SYSTEM_RAM
        yield Row(
            device.name,
            {
                "kind": text(kind),
                "sold, GB": number(device.sold_gb, str(device.sold_gb)),
                "listed, GiB": number(listed, f"{listed:.2f}" if listed else ""),
                "visible, GiB": number(low, seen + (" (like others)" if guessed else "")),
                "bandwidth, GB/s": number(speed, f"{speed:,g}"),
            },
            (device.source, device.source_url, also(device.second_source),
             f"Visible: {device.visible_source}" if device.visible_source else "", device.notes,
             f"Opened {device.accessed}."),
            f"{device.name} {kind} {device.memory_type} {device.sold_gb}gb"
            f"{' Mac MacBook' if device.vendor == 'Apple' else ''}",
        )


def formats() -> Iterator[Row]:
    for entry in sizing.formats():
        bits = float(entry.bits_per_weight)
        more = [f"{float(size):g} bits for each {what}" for what, size in (
            ("row", entry.row_bits), ("column", entry.column_bits), ("matrix", entry.tensor_bits))
            if size]
        mixes = [file_type.name for file_type in sizing.file_types() if file_type.base == entry.name]
        yield Row(
            entry.name,
            {
                "family": text(entry.family),
                "bits per weight": number(bits, f"{bits:g}"),
                "arithmetic": text("; ".join([entry.working, *more])),
                "used for": text(entry.quantizes),
            },
            (f"{entry.note[:1].upper()}{entry.note[1:]}." if entry.note else "",
             f"Leaves: {entry.leaves}.",
             f"Most tensors of {', '.join(mixes)} have it." if mixes else "", entry.source),
            f"{entry.name} {entry.family} {entry.quantizes} {' '.join(mixes)}",
        )


def also(source: str) -> str:
    return f"Also read: {source}" if source else ""


KINDS: dict[str, tuple[Callable[[], Iterator[Row]], str, str]] = {
    "models": (models, "model", "llama 8b"),
    "devices": (devices, "device", "rtx 4090"),
    "formats": (formats, "format", "q4_k_m"),
}


def table_html(kind: str) -> str:
    """The table of one kind, with a place for the controls that the script makes."""
    make, first, example = KINDS[kind]
    rows = list(make())
    head = f"<th scope='col'>{first}</th>" + "".join(
        f"<th scope='col'{side(cell)}>{escape(name)}</th>" for name, cell in rows[0].cells.items())
    body = "".join(map(row_html, rows))
    return (f"<div class='catalog catalog-{kind}' data-example='{example}'>"
            f"<table><caption>{len(rows)} {kind}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>")


def row_html(row: Row) -> str:
    sources = "".join(f"<p>{linked(source)}</p>" for source in row.sources if source)
    name = escape(row.name)
    cells = "".join(
        f"<td{side(cell)} data-label='{escape(column)}' data-sort='{escape(str(cell.order))}'>"
        f"{escape(cell.shown)}</td>" for column, cell in row.cells.items())
    return (f"<tr data-find='{escape(row.words)}'><th scope='row' data-sort='{name.casefold()}'>{name}"
            f"<details><summary>source<span class='visually-hidden'> of {name}</span></summary>"
            f"{sources}</details></th>{cells}</tr>")


def side(cell: Cell) -> str:
    kinds = [kind for kind, holds in (("number", cell.is_number), ("quiet", cell.shown == "all"))
             if holds]
    return f" class='{' '.join(kinds)}'" if kinds else ""


def linked(paragraph: str) -> str:
    return " ".join(
        f"<a href='{escape(word)}'>{escape(word)}</a>" if word.startswith("https://") else escape(word)
        for word in paragraph.split(" "))


class Catalog(Directive):
    """```{catalog} models```"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", table_html(self.arguments[0]), format="html")]


def setup(app) -> dict[str, bool]:
    app.add_directive("catalog", Catalog)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
