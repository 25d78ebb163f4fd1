"""Pack the built book into one zip for a room without a network: it needs only Python to start.

Usage: make archive
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "_build" / "html"
FOLDER = "sizing-local-llms"
README = """Sizing Local LLMs, to read and run without a network.

Start it (it needs Python 3 and nothing else):
  Windows   double-click start-windows.bat
  macOS     double-click start-macos.command
  Linux     ./start-linux.sh

A browser opens. A chapter's rocket menu opens its notebook in JupyterLite, which runs in the
browser and needs nothing else. To let a whole room in, run: python3 start.py --lan
and give out the address that it prints.

Without Python, open html/index.html in a browser: everything can be read, panels stand still.
"""
UNIX = '#!/bin/sh\ncd "$(dirname "$0")" && exec python3 start.py "$@"\n'
WINDOWS = ('@echo off\r\ncd /d "%~dp0"\r\nwhere py >nul 2>nul && (py -3 start.py %*) || (python start.py %*)\r\n'
           "pause\r\n")
STARTS = {"start-linux.sh": UNIX, "start-macos.command": UNIX, "start-windows.bat": WINDOWS}


def entry(name: str, *, executable: bool = False) -> zipfile.ZipInfo:
    """A file's head: always the same date, so that the same book is the same archive."""
    made = zipfile.ZipInfo(f"{FOLDER}/{name}", (2020, 1, 1, 0, 0, 0))
    made.external_attr = (0o100755 if executable else 0o100644) << 16
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def pack(pages: Path, target: Path) -> None:
    """Write the pages, the server and a start script for each system into a zip."""
    with zipfile.ZipFile(target, "w") as made:
        made.writestr(entry("README.txt"), README)
        made.writestr(entry("start.py"), (ROOT / "book" / "serve.py").read_text(encoding="utf-8"))
        for name, text in STARTS.items():
            made.writestr(entry(name, executable=text == UNIX), text)
        for path in sorted(pages.rglob("*")):
            if path.is_file():
                made.writestr(entry(f"html/{path.relative_to(pages).as_posix()}"), path.read_bytes())


if __name__ == "__main__":
    if not (PAGES / "index.html").exists():
        sys.exit("There is no built book yet: run make book first.")
    archive = ROOT / "_build" / f"{FOLDER}.zip"
    pack(PAGES, archive)
    print(f"The archive: {archive} ({archive.stat().st_size / 1e6:.1f} MB)")
