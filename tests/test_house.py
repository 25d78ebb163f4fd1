"""The rules of the house, read off the source itself."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import llmsizing

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "llmsizing"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Arrows run one way: a room may import only rooms before it.
ROOMS = ["lazy", "errors", "units", "breakdown", "tables", "architecture", "quantization", "files", "catalog",
         "engines", "memory", "evidence", "quality", "speed", "choosing", "deployment", "plots", "panels", "__main__"]
MAY_IMPORT = {"plots": {"matplotlib"}, "panels": {"ipywidgets"}}
INSIDE_A_FUNCTION = {"files": {"huggingface_hub"}, "choosing": {"pynvml"}}  # only when called


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Module names that a file imports, and whether each stands at the top of the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in at_top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import hides its room"
            found.append((node.module, id(node) in at_top))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way_and_the_core_needs_the_standard_library_alone(path):
    room = room_of(path)
    assert room == "__init__" or room in ROOMS, f"{room} is no room of the house"
    for module, at_top in imports(path):
        parts = module.split(".")
        if parts[0] != "llmsizing":
            allowed = sys.stdlib_module_names | MAY_IMPORT.get(room, set())
            allowed |= set() if at_top else INSIDE_A_FUNCTION.get(room, set())
            assert parts[0] in allowed, f"{path.name} imports {module}"
        elif room != "__init__":
            target = parts[1]
            lazy_plot = (room, target, at_top) == ("breakdown", "plots", False)
            assert ROOMS.index(target) <= ROOMS.index(room) or lazy_plot, f"{path.name}: {module}"


def test_the_core_works_with_nothing_installed():
    """-S and -I leave the standard library alone on the path."""
    code = (f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import llmsizing; "
            "[getattr(llmsizing, name) for name in llmsizing.__all__]; "
            "print(llmsizing.rule_of_thumb(parameters=70e9, bits=16).total_bytes)")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "168000000000", done.stderr


def test_a_public_name_is_the_same_whatever_was_imported_before():
    """`engines` is a function and a room of that name."""
    code = (f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import llmsizing; import llmsizing.engines; "
            "import llmsizing.memory; print(all(not isinstance(getattr(llmsizing, name), type(sys)) "
            "for name in llmsizing.__all__), len(llmsizing.engines()))")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "6"], done.stderr


def test_the_core_needs_no_threads_no_processes_and_no_network():
    """A reader's browser has none of them, and importing them takes time."""
    code = (f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import llmsizing; "
            "[getattr(llmsizing, name) for name in llmsizing.__all__]; print(*sys.modules)")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "llmsizing.files.hub" in loaded, done.stderr
    assert not loaded & {"concurrent.futures", "multiprocessing", "subprocess", "socket", "ssl"}


def test_importing_the_package_imports_no_room():
    """A page loads what its chapter needs, and no more."""
    code = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import llmsizing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    loaded = {name for name in done.stdout.split() if name.startswith("llmsizing")}
    assert loaded == {"llmsizing", "llmsizing.lazy"}, done.stderr
    with pytest.raises(AttributeError, match="module 'llmsizing' has no attribute 'vram_budgets'"):
        llmsizing.vram_budgets


def test_public_names_are_sorted_and_documented():
    assert llmsizing.__all__ == sorted(llmsizing.__all__)
    for name in llmsizing.__all__:
        described = getattr(llmsizing, name).__doc__
        assert described and not described.startswith(f"{name}("), f"{name} has no docstring"


def test_no_module_outgrows_its_room():
    for path in SOURCES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name


def powers(tree: ast.AST) -> list[str]:
    """Numbers that stand for a unit of bytes: 1024, 2**30, 10**9, 1 << 30, 1e9."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in (1024, 2**20, 2**30, 1e6, 1e9, 10**12):
            found.append(ast.unparse(node))
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Pow, ast.LShift)):
            if isinstance(node.left, ast.Constant) and node.left.value in (1, 2, 10, 1000, 1024):
                if isinstance(node.right, ast.Constant) and node.right.value in (2, 3, 6, 9, 10, 20, 30):
                    found.append(ast.unparse(node))
    return found


def test_units_of_bytes_are_defined_in_one_place():
    assert "2 ** 30" in powers(ast.parse((PACKAGE / "units.py").read_text(encoding="utf-8")))
    for path in SOURCES:
        if path.name != "units.py":
            assert not powers(ast.parse(path.read_text(encoding="utf-8"))), path.name


def mixed_units(line: str) -> bool:
    """Whether a line gives a name in GB a binary factor, or a name in GiB a decimal one."""
    decimal = re.search(r"_(gb|mb|kb)\b", line) and re.search(r"\b(GIB|MIB|KIB)\b|2\s*\*\*\s*[123]0", line)
    binary = re.search(r"_(gib|mib|kib)\b", line) and re.search(r"\b(GB|MB|KB)\b|1e9|10\s*\*\*\s*9", line)
    return bool(decimal or binary)


def test_gb_means_ten_to_the_nine_and_gib_two_to_the_thirty():
    assert mixed_units("size_gb = n / GIB") and mixed_units("size_gib = n / 1e9")
    assert not mixed_units("size_gb = n / GB") and not mixed_units("size_gib = n / 2**30")
    for path in [*SOURCES, *ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("book/**/*.py")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            assert not mixed_units(line), f"{path.name}, line {number}: {line.strip()}"


def test_the_book_shows_every_room():
    house = (ROOT / "book" / "contributing.md").read_text(encoding="utf-8")
    shown = re.findall(r"^  (\w+)(?:\.py|/) ", house.partition("src/llmsizing/")[2].partition("tests/")[0],
                       re.MULTILINE)
    rooms = {room_of(path) for path in SOURCES} - {"__init__"}
    assert set(shown) == rooms | {"data"}
    assert [room for room in shown if room in ROOMS] == [room for room in ROOMS if room in shown]


def test_names_say_what_they_are():
    for path in SOURCES:
        assert not re.search(r"utils|manager|helper", path.stem)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert not re.match(r"_?(calc|get)_", node.name), f"{path.name}: {node.name}"


def test_the_top_level_stays_small(tracked):
    assert {name.split("/")[0] for name in tracked} == {
        ".ci", ".github", ".gitignore", "CHANGELOG.md", "CITATION.cff", "LICENSE",
        "LICENSE-CONTENT", "Makefile", "README.md", "_config.yml", "_toc.yml", "book",
        "notebooks", "pyproject.toml", "requirements.txt", "runtime.txt", "src", "tests",
    }


def test_requirements_are_exact_and_name_no_host():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9._-]+==\S+( ; .+)?", pin), pin


def test_the_pins_are_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == []
    pins = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate():
                pins[pin.name] = str(pin.specifier).removeprefix("==")
    for extra, asked in project["optional-dependencies"].items():
        for line in asked:
            wanted = Requirement(line)
            if wanted.name != "llmsizing":
                assert pins[wanted.name] in wanted.specifier, f"{extra} asks for {line}"


def test_comparison_stays_strict(tracked):
    pytest_options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    assert pytest_options["ini_options"] == {
        "testpaths": ["src", "tests", "notebooks"],
        "addopts": ["--doctest-modules", "--nbval", "--nbval-current-env", "-n=2", "--dist=loadfile"],
        "doctest_optionflags": ["ELLIPSIS"],
    }
    for name in tracked:
        assert "sanitize" not in Path(name).name
        if name.startswith("tests/") and name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    assert node.attr not in ("skip", "skipif", "xfail", "importorskip"), name


def test_a_built_package_holds_its_data(tmp_path):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
                    "--no-build-isolation", "--wheel-dir", tmp_path, _copy_of_package(tmp_path)],
                   check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for path in (PACKAGE / "data").iterdir():
        assert f"llmsizing/data/{path.name}" in names
    assert {"LICENSE", "LICENSE-CONTENT"} <= {Path(name).name for name in names}


def _copy_of_package(tmp_path: Path) -> Path:
    """Build from a copy: setuptools leaves a build folder where it works."""
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy / "src" / "llmsizing", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-CONTENT"):
        shutil.copy(ROOT / name, copy)
    return copy


def test_versions_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', project, re.MULTILINE)[1]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
