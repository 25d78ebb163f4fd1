"""The two commands in odd situations, on books and environments made for the purpose."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def notebook(*sources: str) -> str:
    cells = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Sums"}]
    cells += [{"cell_type": "code", "execution_count": None, "id": f"cell{i}", "metadata": {},
               "outputs": [], "source": source} for i, source in enumerate(sources)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({**NOTEBOOK, "cells": cells, "metadata": kernel})


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Path:
    """What panels and JupyterLite need, made by the first build and kept by all."""
    return tmp_path_factory.mktemp("live")


@pytest.fixture
def book(tmp_path, live) -> Path:
    """A book of one page and one notebook, with this book's own settings."""
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / "live").symlink_to(live)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("*.md"))
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "sum.txt").write_text("1")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").write_text(
        yaml.safe_dump({"format": "jb-book", "root": "book/index",
                        "chapters": [{"file": "notebooks/sums"}]}))
    (tmp_path / "book" / "index.md").write_text("# A book\n")
    (tmp_path / "notebooks" / "sums.ipynb").write_text(
        notebook("print('sum', 1 + open('../src/sum.txt').read().__len__())"))
    return tmp_path


def built(script, book: Path, capfd, **options) -> tuple[int, str]:
    code = script("book/build.py").build(book, **{"fresh": False, **options})
    said = capfd.readouterr()
    return code, said.out + said.err


def page(book: Path) -> str:
    return (book / "_build" / "html" / "notebooks" / "sums.html").read_text(encoding="utf-8")


def test_outputs_are_reused_until_something_that_counts_has_changed(book, script, capfd):
    code, said = built(script, book, capfd)
    assert code == 0 and "every notebook is executed" in said and "sum 2" in page(book)
    code, said = built(script, book, capfd)
    assert code == 0 and "outputs are reused" in said and "Executing notebook" not in said
    (book / "src" / "sum.txt").write_text("12")
    code, said = built(script, book, capfd)
    assert code == 0 and "every notebook is executed" in said and "sum 3" in page(book)
    code, said = built(script, book, capfd, fresh=True)
    assert code == 0 and "every notebook is executed" in said and "Executing notebook" in said


def test_a_warning_fails_every_build_until_it_is_gone(book, script, capfd):
    (book / "book" / "index.md").write_text("# A book\n\n[nowhere](missing.md)\n")
    for _ in range(2):
        code, said = built(script, book, capfd)
        assert code != 0 and "index.md:3" in said and "The book was not built" in said
    (book / "book" / "index.md").write_text("# A book\n")
    assert built(script, book, capfd)[0] == 0


def test_an_unknown_reference_is_a_warning(book, script, capfd):
    """-n: a name in a page's text that leads nowhere."""
    (book / "book" / "index.md").write_text("# A book\n\n{py:func}`llmsizing.no_such_name`\n")
    code, said = built(script, book, capfd)
    assert code != 0 and "no_such_name" in said


def test_a_cell_that_fails_fails_the_build_and_shows_its_traceback(book, script, capfd):
    (book / "notebooks" / "sums.ipynb").write_text(notebook("1 / 0"))
    code, said = built(script, book, capfd)
    assert code != 0 and "ZeroDivisionError" in said and "1 / 0" in said


def test_ci_always_builds_from_scratch():
    text = (ROOT / "book" / "build.py").read_text(encoding="utf-8")
    assert 'fresh="--fresh" in sys.argv[1:] or bool(os.environ.get("CI"))' in text


def test_another_checkouts_package_is_refused(tmp_path):
    shutil.copytree(ROOT / "book", tmp_path / "book")
    done = subprocess.run([sys.executable, str(tmp_path / "book" / "build.py")],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "not from this checkout" in done.stderr


@pytest.fixture
def makefile(tmp_path) -> Path:
    """A checkout with a Makefile and an environment whose Python only notes what it is asked."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for file in ("requirements.txt", "pyproject.toml"):
        (tmp_path / file).write_text("")
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "MAKEFLAGS": ""})


def environment(folder: Path, *, code: int) -> Path:
    """Put a stand-in for Python into .venv that ends with ``code``."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "asked: $PYTHONPATH $@" >> {folder}/log\nexit {code}\n')
    python.chmod(0o755)
    return python


def test_make_says_what_is_missing_when_there_is_no_python(makefile):
    old = makefile / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make(makefile, "book", f"PYTHON={old}")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (makefile / ".venv").exists()


def test_make_installs_once_and_again_when_the_requirements_change(makefile):
    environment(makefile, code=0)
    log = makefile / "log"
    assert make(makefile, "book", f"PYTHON={sys.executable}").returncode == 0
    assert "pip install" in log.read_text() and "book/build.py" in log.read_text()
    log.unlink()
    assert make(makefile, "book", f"PYTHON={sys.executable}").returncode == 0
    assert "pip" not in log.read_text()
    later = (makefile / ".venv" / "ready").stat().st_mtime + 5
    os.utime(makefile / "requirements.txt", (later, later))
    assert make(makefile, "book", f"PYTHON={sys.executable}").returncode == 0
    assert "pip install" in log.read_text()


def test_make_keeps_the_exit_code_and_uses_this_checkouts_package(makefile):
    python = environment(makefile, code=0)
    assert make(makefile, "test", f"PYTHON={sys.executable}").returncode == 0
    assert f"asked: {makefile}/src -m pytest" in (makefile / "log").read_text()
    python.write_text(python.read_text().replace("exit 0", 'case "$*" in *pytest*) exit 3;; esac'))
    assert make(makefile, "test", f"PYTHON={sys.executable}").returncode != 0


def test_make_says_what_to_do_when_the_packages_cannot_be_installed(makefile):
    python = environment(makefile, code=0)
    python.write_text(python.read_text().replace("exit 0", 'case "$*" in *pip*) exit 1;; esac'))
    done = make(makefile, "book", f"PYTHON={sys.executable}")
    assert done.returncode != 0 and "Is there a network?" in done.stderr
    assert not (makefile / ".venv" / "ready").exists()
