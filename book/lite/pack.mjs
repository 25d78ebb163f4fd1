// Compile JupyterLite's kernel at build time, with the browser's own Python.
// Usage: node pack.mjs PYODIDE_FOLDER PYTHON.zip PACKAGES.zip SOURCES.zip OUT_FOLDER
//
// The kernel stands beside what the panels have, and repeats none of it: python.zip and packages.zip
// are theirs. What a start imports becomes bytecode. Where the panels' standard library lacks a
// module that a kernel imports, or has it as source, the module's whole package comes along.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, library, packages, sources, out] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(pyodide, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: pyodide, stdout: () => {} });
for (const [name, file] of Object.entries({
  "stdlib.zip": path.join(pyodide, "python_stdlib.zip"), "python.zip": library,
  "packages.zip": packages, "sources.zip": sources,
})) python.FS.writeFile(`/${name}`, fs.readFileSync(file));
await python.runPythonAsync(`
import importlib._bootstrap_external as loader, sys, zipfile

zipfile.ZipFile("/sources.zip").extractall("/kernel")
sys.path[:0] = ["/kernel", "/packages.zip"]
import lite_kernel
lite_kernel.prepare("")
import pyodide_kernel
kernel = pyodide_kernel.kernel_instance
for cell in ("import llmsizing.panels, ipywidgets; ipywidgets.IntSlider()", "1 / 0", "import pandas"):
    await kernel.run(cell)
kernel.complete("ipywidgets.Int", 14)
kernel.inspect("ipywidgets.IntSlider", 20, 0)

used = {module.__spec__.origin for module in sys.modules.values() if getattr(module, "__spec__", None)}
home = next(place for place in sys.path if place.endswith(".zip") and "lib" in place)
with zipfile.ZipFile("/python.zip") as panels:
    compiled = {name[:-1] for name in panels.namelist() if name.endswith(".pyc")}

# What people try in a notebook, though nothing here imports it.
TAUGHT = {"unittest", "doctest.py", "pdb.py", "_pyrepl", "pydoc.py", "cProfile.py", "profile.py", "pstats.py",
          "trace.py", "tarfile.py", "webbrowser.py"}

def write(made, given, place, wanted):
    """Copy files into a zip, uncompressed since the whole is compressed later, bytecode for modules."""
    for name in sorted(filter(wanted, given.namelist())):
        data = given.read(name)
        if f"{place}/{name}" in used and name.endswith(".py"):
            code = compile(data, f"/kernel/{name}", "exec", dont_inherit=True)
            name, data = name + "c", loader._code_to_hash_pyc(code, bytes(8), checked=False)
        made.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)

with (zipfile.ZipFile("/kernel.zip", "w") as made, zipfile.ZipFile("/sources.zip") as sources,
      zipfile.ZipFile("/stdlib.zip") as stdlib):
    write(made, sources, "/kernel", lambda name: "/lexers/" not in name or f"/kernel/{name}" in used)
    lacking = {name.split("/")[0] for name in stdlib.namelist()
               if name.endswith(".py") and f"{home}/{name}" in used and name not in compiled}
    write(made, stdlib, home, lambda name: name.split("/")[0] in lacking | TAUGHT)
`);
fs.writeFileSync(path.join(out, "kernel.zip"), python.FS.readFile("/kernel.zip"));
