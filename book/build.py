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

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
STAMP = BUILD / "built-from"
# What outputs and pages depend on, beyond the pages' own text, which Sphinx watches by itself.
INPUTS = ("src", "notebooks", "book/extensions", "book/_static", "book/images",
          "_config.yml", "_toc.yml", "requirements.txt", "pyproject.toml")


def fingerprint(root: Path = ROOT) -> str:
    """A hash over the names and contents of everything in INPUTS."""
    digest = hashlib.sha256(sys.version.encode())
    for place in INPUTS:
        top = root / place
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and file.suffix != ".pyc" and ".ipynb_checkpoints" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def build(*, fresh: bool) -> int:
    """Build into _build/html and return the exit code."""
    started = time.monotonic()
    now = fingerprint()
    if fresh or not STAMP.exists() or STAMP.read_text() != now:
        print("Building from scratch: every notebook is executed.", flush=True)
        shutil.rmtree(BUILD, ignore_errors=True)
    else:
        print("Nothing that the numbers depend on has changed: outputs are reused.", flush=True)
        STAMP.unlink()
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()",
               "build", str(ROOT), "-W", "-n", "--keep-going"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    pages = BUILD / "html" / "index.html"
    if code != 0 or not pages.exists():
        # Sphinx would not read the pages with warnings again, and the next build would pass.
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        shutil.rmtree(BUILD / "html", ignore_errors=True)
        print("\nThe book was not built: each WARNING or ERROR above names its file and line.",
              file=sys.stderr)
        return code or 1
    STAMP.write_text(now)
    print(f"\nThe book is built in {time.monotonic() - started:.0f} s: {pages}\n"
          f"Open that file in a browser, or run: make serve")
    return 0


if __name__ == "__main__":
    sys.exit(build(fresh="--fresh" in sys.argv[1:] or bool(os.environ.get("CI"))))
