"""What several test files need: the files of the repository, and its scripts as modules."""

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright

# The same cases on every run, however slow the machine is.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def script():
    """Load a script that is no part of the package, by its path from the top."""

    def load(path: str):
        spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> str:
    """Build the book from scratch, once for all processes of a test run; return what was printed."""
    place = tmp_path_factory.getbasetemp()
    shared = place.parent if place.name.startswith("popen-") else place
    told = shared / "built.txt"
    try:
        (shared / "building").mkdir()
    except FileExistsError:
        patience = time.monotonic() + 900
        while not told.exists():
            assert time.monotonic() < patience, "The book was not built within 15 minutes."
            time.sleep(0.2)
    else:
        done = subprocess.run([sys.executable, str(ROOT / "book" / "build.py"), "--fresh"],
                              capture_output=True, text=True)
        printed = f"{done.returncode}\n{done.stdout}{done.stderr[-3000:]}"
        (shared / "told").write_text(printed, encoding="utf-8")
        (shared / "told").rename(told)
    code, printed = told.read_text(encoding="utf-8").split("\n", 1)
    assert code == "0", printed[-6000:]
    return printed


@pytest.fixture(scope="session")
def site(built, script) -> Iterator[str]:
    """The built book below a path of a plain server, as it lies on a shared host."""
    with script("book/live/browser.py").served(ROOT / "_build") as address:
        yield f"{address}html/"


@pytest.fixture(scope="session")
def browser(script):
    """A Chromium without a window; where there is none, each test that needs one says so."""
    found = script("book/live/browser.py")
    with sync_playwright() as playwright:
        try:
            started = found.launch(playwright)
        except FileNotFoundError as error:
            pytest.fail(str(error))
        yield started
        started.close()


@dataclass
class Visit:
    """A page in a context of its own, with what went wrong in it."""

    page: object
    problems: list[str]
    requests: list[str]


@pytest.fixture
def visit(browser, site):
    """Open a page of the book by its path; at the end nothing may have gone wrong in any."""
    visits = []

    def opened(path: str, *, expected: str = "", prepare: str = "", **options) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        if prepare:
            context.add_init_script(prepare)
        page = context.new_page()
        visit = Visit(page, [], [])
        page.on("console", lambda message: message.type in ("error", "warning")
                and visit.problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: visit.problems.append(f"error: {error}"))
        context.on("request", lambda request: visit.requests.append(request.url))
        visits.append((context, visit, expected))
        page.goto(site + path, wait_until="networkidle")
        return visit

    yield opened
    for context, visit, expected in visits:
        context.close()
        outside = [url for url in visit.requests if not url.startswith((site, "blob:", "data:"))
                   and not url.endswith("/api/service-worker-heartbeat")]  # JupyterLite's worker answers it itself
        assert not outside
        assert not [told for told in visit.problems if not expected or not re.search(expected, told)]


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The repository's files, as git lists them; a download without git is taken as it lies."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    made = {".venv", "_build", "build", "__pycache__", ".git", ".hypothesis", ".pytest_cache"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in files
            if not made & set(path.parts) and not any(".egg-info" in part for part in path.parts)]
