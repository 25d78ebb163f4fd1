"""Build the book: execute the notebooks, write the pages, say where they lie.

A notebook is executed again when anything that its numbers depend on has changed, and always
with --fresh or when the environment variable CI is set. Any warning fails the build.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import llmsizing

ROOT = Path(__file__).resolve().parents[1]
# What the outputs depend on. Pages are written anew each time.
INPUTS = ("src", "notebooks", "book/extensions", "_config.yml", "_toc.yml", "requirements.txt",
          "pyproject.toml")


def fingerprint(root: Path) -> str:
    """A hash over this Python's version and the names and contents of everything in INPUTS."""
    digest = hashlib.sha256(sys.version.encode())
    for place in INPUTS:
        top = root / place
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and file.suffix != ".pyc" and ".ipynb_checkpoints" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def build(root: Path, *, fresh: bool) -> int:
    """Build the book under ``root`` into _build/html and return the exit code."""
    started, made, stamp = time.monotonic(), root / "_build", root / "_build" / "built-from"
    now = fingerprint(root)
    if fresh or not stamp.exists() or stamp.read_text() != now:
        print("Building from scratch: every notebook is executed.", flush=True)
        for old in made.glob("*"):  # but what the panels need to come alive: it has its own stamp
            if old.name != "live":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
    else:
        print("Nothing that the numbers depend on has changed: outputs are reused.", flush=True)
        stamp.unlink()  # a build that fails leaves none, and the next one starts from scratch
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()",
               "build", str(root), "--all", "-W", "-n", "--keep-going"]
    code = subprocess.run(command, cwd=root, check=False).returncode
    pages = made / "html" / "index.html"
    if code != 0 or not pages.exists():
        print("\nThe book was not built. The first WARNING, ERROR or traceback above says why.",
              file=sys.stderr)
        return code or 1
    stamp.write_text(now)
    print(f"\nThe book is built in {time.monotonic() - started:.0f} s: {pages}\n"
          f"Open that file in a browser, or run: make serve")
    return 0


if __name__ == "__main__":
    if ROOT not in Path(llmsizing.__file__).resolve().parents:
        sys.exit(f"The package comes from {llmsizing.__file__}, not from this checkout: "
                 "install this one with pip install --no-deps --editable .")
    sys.exit(build(ROOT, fresh="--fresh" in sys.argv[1:] or bool(os.environ.get("CI"))))
