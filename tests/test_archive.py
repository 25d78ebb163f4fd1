"""The archive for a room without a network."""

import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest


@pytest.fixture
def unpacked(tmp_path, script):
    """An archive of a small book, unpacked as its reader does."""
    pages = tmp_path / "pages"
    (pages / "_live").mkdir(parents=True)
    (pages / "index.html").write_text("<p>The book</p>")
    (pages / "_live" / "live.js").write_text("1")
    script("book/archive.py").pack(pages, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        archive.extractall(tmp_path)
        modes = {each.filename: each.external_attr >> 16 for each in archive.infolist()}
    return tmp_path / "sizing-local-llms", modes


def test_it_holds_the_book_and_a_start_script_for_each_system(unpacked):
    folder, modes = unpacked
    assert {path.name for path in folder.iterdir()} == {
        "README.txt", "html", "start.py", "start-linux.sh", "start-macos.command", "start-windows.bat"}
    for name in ("start-linux.sh", "start-macos.command"):
        assert modes[f"sizing-local-llms/{name}"] & 0o111
        assert (folder / name).read_bytes().startswith(b"#!/bin/sh\n")
    assert b"py -3 start.py" in (folder / "start-windows.bat").read_bytes()


def test_its_server_needs_the_standard_library_alone_and_names_each_type(unpacked):
    folder, _ = unpacked
    code = ("import mimetypes, webbrowser, runpy; webbrowser.open = print\n"
            "mimetypes.add_type('text/plain', '.js')  # as some Windows machines have it\n"
            f"runpy.run_path({str(folder / 'start.py')!r}, run_name='__main__')")
    with subprocess.Popen([sys.executable, "-I", "-S", "-u", "-c", code], stdout=subprocess.PIPE, text=True) as serving:
        try:
            address = serving.stdout.readline().split()[2]
            assert serving.stdout.readline().strip() == address  # opened in a browser
            time.sleep(0.1)
            with urllib.request.urlopen(address + "_live/live.js") as answer:
                assert answer.headers["Content-Type"] == "text/javascript"
        finally:
            serving.kill()


def test_the_same_book_is_the_same_archive(tmp_path, script):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_text("x")
    archive = script("book/archive.py")
    for name in ("one.zip", "two.zip"):
        archive.pack(tmp_path / "pages", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
