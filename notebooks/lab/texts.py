"""What is searched: docstrings of Python's own library, each cut into a query and a document."""

import importlib
import inspect
import re
import types
import zlib
from dataclasses import dataclass

MODULES = """base64 bisect calendar cmath collections contextlib copy csv datetime decimal difflib fnmatch
    fractions functools gzip heapq html inspect io ipaddress itertools json logging math mimetypes operator
    pathlib pickle pprint queue random re secrets shutil statistics string struct subprocess tempfile
    textwrap threading time tokenize traceback unicodedata urllib.parse urllib.request uuid
    xml.etree.ElementTree zipfile zlib""".split()
KINDS = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
PAIRS = 150
SUMMARY, REST = range(20, 121), 80  # letters of a query, and at least so many of a document

#: Searches that the book shows; in our words, and written before their results were seen.
SEARCHES = ("delete a folder and everything in it", "the middle value of some numbers",
            "find the word that is spelled most like this one")


@dataclass(frozen=True)
class Pair:
    """A function's first sentence, and the rest of its docstring, which a search should find."""

    name: str
    query: str
    document: str


def docstring_pairs(count: int = PAIRS) -> list[Pair]:
    """So many pairs, the same on every run of one version of Python.

    They stand in the order of a checksum of their names: where another version has a few functions
    more or less, the others stay.
    """
    found: dict[str, Pair] = {}
    for module in map(importlib.import_module, MODULES):
        for name in sorted(getattr(module, "__all__", vars(module))):
            thing = getattr(module, name, None)
            if not name.startswith("_") and isinstance(thing, KINDS):
                query, document = cut(inspect.getdoc(thing) or "")
                if len(query) in SUMMARY and len(document) >= REST:
                    found.setdefault(document, Pair(f"{module.__name__}.{name}", query, document))
    pairs = sorted(found.values(), key=lambda pair: zlib.crc32(pair.name.encode()))
    return pairs[:count]


def cut(docstring: str) -> tuple[str, str]:
    """Cut a docstring after its first sentence."""
    first, *rest = re.split(r"(?<=\.) ", " ".join(docstring.split()), maxsplit=1)
    return first, "".join(rest)
