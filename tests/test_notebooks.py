"""What every chapter keeps to; nbval itself compares each stored output with a fresh run."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
by_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)

OPENING = ["Question", "You will be able to", "Before you start"]
CLOSING = ["Check", "Exercises", "Takeaways", "What's next", "References"]
BLOCKED = ("pandas", "numpy", "matplotlib")


def cells(path, kind=None):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if kind in (None, cell.cell_type)]


def is_static(cell) -> bool:
    return "static" in cell.metadata.get("tags", [])


def live_cells(path) -> list[str]:
    return [cell.source for cell in cells(path, "code") if not is_static(cell)]


def test_there_are_chapters_and_all_are_in_the_table_of_contents():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert CHAPTERS
    assert all(f"file: notebooks/{path.stem}\n" in toc for path in CHAPTERS)


@by_chapter
def test_the_skeleton(path):
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[:3] == OPENING
    assert headings[-5:] == CLOSING
    assert "Predict, then run" in headings[3:-5]
    assert len(headings) >= 10
    assert re.search(r"^Reading: \d+ minutes\. Exercises: \d+ minutes\.$", text, re.MULTILINE)


@by_chapter
def test_imports_come_after_before_you_start_and_before_the_first_section(path):
    order = [cell.source.split("\n")[0] for cell in cells(path)]
    first_code = next(i for i, cell in enumerate(cells(path)) if cell.cell_type == "code")
    assert order[first_code - 1] == "## Before you start"
    assert all(line.startswith(("import ", "from ")) for line in cells(path)[first_code].source.split("\n"))
    assert order[first_code + 1].startswith("## ")


@by_chapter
def test_exercises_have_executed_solutions_behind_a_tap(path):
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    labels = re.findall(r"```\{exercise-start\}\n:label: (\S+)", text)
    solutions = re.findall(r"```\{solution-start\} (\S+)\n:class: dropdown\n", text)
    assert len(labels) >= 4 and solutions == labels
    inside, executed = False, 0
    for cell in cells(path):
        if cell.cell_type == "markdown":
            inside = inside and "{solution-end}" not in cell.source or "{solution-start}" in cell.source
        elif inside:
            executed += bool(cell.outputs) and "assert" in cell.source
    assert executed >= len(labels)


@by_chapter
def test_cells_are_short_and_say_what_they_need(path):
    for cell in cells(path, "code"):
        lines = cell.source.splitlines()
        assert len(lines) <= 15, cell.source
        assert max(map(len, lines)) <= 88, max(lines, key=len)
        assert not re.search(r"^\s*[!%]", cell.source, re.MULTILINE)


@by_chapter
def test_every_code_cell_follows_a_sentence(path):
    before = None
    for cell in cells(path):
        if cell.cell_type == "code":
            assert before is not None and before.cell_type == "markdown", cell.source
        before = cell


@by_chapter
def test_no_cell_is_exempt_from_comparison(path):
    for cell in cells(path):
        for tag in cell.metadata.get("tags", []):
            assert tag in ("static", "hide-output"), tag
        assert "NBVAL" not in cell.source.upper()


@by_chapter
def test_outputs_are_stored_as_the_script_leaves_them(path, script):
    stored = path.read_text(encoding="utf-8")
    again = script("notebooks/execute.py").normalised(nbformat.reads(stored, as_version=4))
    assert json.loads(nbformat.writes(again)) == json.loads(stored)
    code = cells(path, "code")
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 2
    assert "model_id" not in stored and "/home" not in stored and "/root" not in stored


@by_chapter
def test_live_cells_run_without_pandas_numpy_and_matplotlib(path):
    block = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in BLOCKED)
    code = block + "\n".join(live_cells(path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@by_chapter
def test_live_cells_import_only_what_a_page_has(path):
    allowed = sys.stdlib_module_names | {"llmsizing", "ipywidgets"}
    for source in live_cells(path):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] in allowed for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] in allowed


@by_chapter
def test_each_panel_is_one_line_and_has_a_static_twin(path):
    code = cells(path, "code")
    for place, cell in enumerate(code):
        if re.search(r"\bpanels\.\w+\(", cell.source):
            assert len(cell.source.splitlines()) == 1
            twin = code[place + 1]
            assert not re.search(r"\bpanels\.\w+\(", twin.source)
            shown = [output for output in twin.outputs
                     if output.output_type == "stream" or "text/html" in output.data]
            assert shown, f"{cell.source} has no twin"


@by_chapter
def test_links_are_plain_and_lead_somewhere(path):
    for cell in cells(path, "markdown"):
        assert "{doc}" not in cell.source and "{ref}" not in cell.source
        for target in re.findall(r"\]\(([^)#\s]+)", cell.source):
            if not target.startswith("https://"):
                assert (path.parent / target).exists(), target
