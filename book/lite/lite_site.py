"""Make the JupyterLite of the book: once, under _build, and again when a package of it changes.

JupyterLab for the browser comes from jupyterlite-core, its kernel from jupyterlite-pyodide-kernel,
IPython from what runs the notebooks here. Python itself is the panels' own: see book/live.
"""

import gzip
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import files as files_of
from importlib.metadata import packages_distributions, version
from pathlib import Path

import assets

HERE = Path(__file__).resolve().parent
PACKAGES = ("jupyterlite-core", "jupyterlite-pyodide-kernel", "jupyterlab-widgets")
#: What a reader opens: one notebook (also on a phone), their list, a text file, all of JupyterLab.
APPS = ("notebooks", "tree", "edit", "lab")
#: What the kernel imports, beside the panels' packages; IPython's own needs.
KERNEL = ("IPython", "ipython_pygments_lexers", "pygments", "prompt_toolkit", "wcwidth", "stack_data",
          "executing", "asttokens", "pure_eval", "matplotlib_inline")
#: Wheels that jupyterlite-pyodide-kernel brings along: its Python side.
WHEELS = ("pyodide_kernel", "ipykernel")
EXTENSION = "extensions/@jupyterlite/pyodide-kernel-extension"
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
#: What the kernel would install at each start, if its options did not say that it is there.
PRESENT = ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython"]
#: Not needed by a reader: other ways to build it, its own icons as old formats, an installer's wheels.
LEFT_OUT = ("rspack.config*.js", "package.json", "jupyterlite.schema.v0.json", "build/*.eot",
            "build/*.ttf", "build/fa-*.svg", "build/fa-*.woff", f"{EXTENSION}/static/pypi")
#: JupyterLab as it starts: light or dark as the reader's system, the chapters' names in full.
SETTINGS = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
            "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": False}}


def sources() -> dict[str, Path]:
    """Each file of the kernel's packages, by its name there."""
    found = {"lite_kernel.py": HERE / "lite_kernel.py"}
    for package in KERNEL:
        origin = Path(importlib.util.find_spec(package).origin)
        is_folder = origin.stem == "__init__"
        for path in sorted(origin.parent.rglob("*")) if is_folder else [origin]:
            name = path.relative_to(origin.parents[is_folder])
            if path.suffix in (".py", ".json") and not {"tests", "__pycache__"} & set(name.parts):
                found[name.as_posix()] = path
    return found


def key(live: dict, files: dict[str, Path]) -> str:
    """A folder's name from all that the site depends on; the panels' packages are not among it."""
    digest = hashlib.sha256(repr([(name, version(name)) for name in PACKAGES]).encode())
    digest.update(live["python.zip"]["file"].encode() + live["pyodide.asm.wasm"]["file"].encode())
    for path in (HERE / "lite_site.py", HERE / "pack.mjs", *files.values()):
        digest.update(path.read_bytes())
    return f"lite-{digest.hexdigest()[:16]}"


def build(folder: Path) -> None:
    """Let jupyterlite write its pages."""
    (folder / "overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", ".", "--output-dir", "site",
         *(word for name in APPS for word in ("--apps", name)), "--no-sourcemaps", "--no-unused-shared-packages"],
        cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise assets.NotMade(f"jupyterlite could not be built: {(done.stdout + done.stderr).strip()[-800:]}")


def licences() -> str:
    """The licences of all that a reader gets here, as their packages state them."""
    brought = packages_distributions()
    names = {name for module in (*KERNEL, *assets.PACKAGES[1:]) for name in brought[module]}
    return "\n\n".join(
        f"{name} {version(name)}\n\n{file.read_text(encoding='utf-8').strip()}"
        for name in sorted({*PACKAGES, *names})
        for file in files_of(name) if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))) + "\n"


def pack(folder: Path, live: Path, cache: Path, files: dict[str, Path]) -> dict[str, object]:
    """Compile the kernel's packages into one compressed file."""
    with zipfile.ZipFile(folder / "sources.zip", "w") as made:
        for name, path in files.items():
            made.write(path, name)
        for wheel in (folder / "site" / EXTENSION / "static" / "pypi").glob("*.whl"):
            if wheel.name.startswith(WHEELS):
                with zipfile.ZipFile(wheel) as given:
                    for name in given.namelist():
                        if name.endswith(".py"):
                            made.writestr(name, given.read(name))
    known, _ = assets.named(live)
    for name in ("python.zip", "packages.zip"):
        (folder / name).write_bytes(gzip.decompress((live / known[name]["file"]).read_bytes()))
    assets.node(str(HERE / "pack.mjs"), str(assets.pyodide(cache)), "python.zip", "packages.zip", "sources.zip",
                ".", cwd=folder, step="Compiling JupyterLite's kernel")
    kernel = assets.asset(folder / "kernel.zip", folder / "site", "application/zip")
    for archive in folder.glob("*.zip"):
        archive.unlink()
    return kernel


def made(cache: Path, live: Path) -> Path:
    """The folder that holds JupyterLite without chapters, made if a package has changed."""
    files = sources()
    folder = cache / key(assets.named(live)[0], files)
    if not (folder / "kernel.json").exists():
        for old in cache.glob("lite-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        build(folder)
        (folder / "site" / "licences.txt").write_text(licences(), encoding="utf-8")
        kernel = pack(folder, live, cache, files)  # from what the next step takes away, too
        for pattern in LEFT_OUT:
            for path in (folder / "site").glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (folder / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    return folder


def publish(folder: Path, live: Path, target: Path, chapters: dict[str, str], head: str) -> None:
    """Put JupyterLite into the built book, with the chapters and the names of the panels' files."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder / "site", target, copy_function=shutil.copyfile)  # dated now: caches go by age
    known, about = assets.named(live)
    files = {name: {**asset, "file": f"../_live/{asset['file']}"} for name, asset in known.items()}
    files["kernel.zip"] = json.loads((folder / "kernel.json").read_text(encoding="utf-8"))
    script = assets.naming((HERE / "pyodide.js").read_text(encoding="utf-8"), files, about)
    name = f"pyodide-{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
    (target / name).write_text(script, encoding="utf-8")
    configure(target / "jupyter-lite.json", f"./{name}")
    list_chapters(target, chapters)
    for page in target.glob("*/index.html"):
        page.write_text(page.read_text(encoding="utf-8").replace("<head>", f"<head>{head}", 1), encoding="utf-8")


def configure(file: Path, pyodide: str) -> None:
    """Lead the kernel to the panels' Python, and let it install nothing."""
    config = json.loads(file.read_text(encoding="utf-8"))
    settings = config["jupyter-config-data"]
    settings["contentsAllJsonFile"] = "all.json"
    settings["litePluginSettings"] = {PLUGIN: {
        "pyodideUrl": pyodide, "pipliteUrls": [], "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": PRESENT}}}
    file.write_text(json.dumps(config), encoding="utf-8")


def list_chapters(target: Path, chapters: dict[str, str]) -> None:
    """Write the chapters, and the list by which JupyterLite finds them."""
    (target / "files").mkdir(exist_ok=True)
    (target / "api" / "contents").mkdir(parents=True, exist_ok=True)
    for name, text in chapters.items():
        (target / "files" / name).write_text(text, encoding="utf-8")
    day = "2020-01-01T00:00:00Z"  # always the same, so that the same book is the same archive
    listed = [{"name": name, "path": name, "type": "notebook", "format": None, "content": None, "mimetype": None,
               "size": len(text.encode()), "created": day, "last_modified": day, "writable": True}
              for name, text in chapters.items()]
    folder = {"name": "", "path": "", "type": "directory", "format": "json", "content": listed, "mimetype": None,
              "size": None, "created": day, "last_modified": day, "writable": True}
    (target / "api" / "contents" / "all.json").write_text(json.dumps(folder), encoding="utf-8")
