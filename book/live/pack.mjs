// Compile Python for the browser at build time, with the browser's own Python.
// Usage: node pack.mjs PYODIDE_FOLDER SOURCES.zip OUT_FOLDER
//
// The standard library comes as source, and compiling it at each start takes two seconds. Here the
// modules that a start imports become bytecode; the others stay source, which is smaller. What can
// do nothing in a page (servers, processes, debuggers) and the code pages of old systems are left out.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, sources, out] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(pyodide, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: pyodide });
python.FS.writeFile("/stdlib.zip", fs.readFileSync(path.join(pyodide, "python_stdlib.zip")));
python.FS.writeFile("/sources.zip", fs.readFileSync(sources));
python.runPython(`
import importlib._bootstrap_external as loader, sys, zipfile

LEFT_OUT = ("_pyrepl", "multiprocessing", "wsgiref", "xmlrpc", "ensurepip", "pydoc_data", "venv", "idlelib",
            "curses", "dbm", "pdb.py", "pydoc.py", "doctest.py", "unittest", "imaplib.py", "smtplib.py",
            "poplib.py", "ftplib.py", "socketserver.py", "webbrowser.py", "mailbox.py", "nturl2path.py",
            "pickletools.py", "profiling", "cProfile.py", "pstats.py", "profile.py", "trace.py", "tarfile.py",
            "_pyio.py", "_pydecimal.py")
OLD = ("encodings/cp", "encodings/mac_", "encodings/iso8859_", "encodings/koi", "encodings/big5",
       "encodings/euc", "encodings/iso2022", "encodings/kz", "encodings/ptcp", "encodings/tis", "encodings/hp")

def pack(source, target, home, compiled, optimize):
    """Copy a zip, uncompressed since the whole is compressed later, with bytecode for modules."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as made:
        for name in sorted(given.namelist()):
            if not compiled(name) and (name.split("/")[0] in LEFT_OUT or name.startswith(OLD)):
                continue
            data = given.read(name)
            if name.endswith(".py") and compiled(name):
                code = compile(data, f"{home}/{name}", "exec", dont_inherit=True, optimize=optimize)
                name, data = name + "c", loader._code_to_hash_pyc(code, bytes(8), checked=False)
            made.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)

pack("/sources.zip", "/packages.zip", "/packages.zip", lambda name: True, 2)
sys.path.insert(0, "/packages.zip")
import live_bridge
live_bridge.stand_in_for_ipython()
import ipywidgets, llmsizing.panels, zipfile
import csv, fractions, math, random, statistics, struct, textwrap, itertools, collections, functools
used = {module.__spec__.origin for module in sys.modules.values() if getattr(module, "__spec__", None)}
home = next(place for place in sys.path if place.endswith(".zip") and "lib" in place)
pack("/stdlib.zip", "/python.zip", home, lambda name: f"{home}/{name}" in used, 2)
`);
for (const name of ["python.zip", "packages.zip"])
  fs.writeFileSync(path.join(out, name), python.FS.readFile(`/${name}`));
