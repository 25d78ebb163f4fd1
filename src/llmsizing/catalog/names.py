"""find: the entry that people mean when they type a name."""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TypeVar

from llmsizing.errors import UnknownName, fold, nearest, shown

Entry = TypeVar("Entry")


def find(kind: str, typed: object, entries: Mapping[str, Entry], *, noise: Iterable[str] = ()) -> Entry:
    """Find an entry by its name, as people type it.

    First the whole name counts, whatever its case, spaces and dashes, with an owner before a slash
    or without. Then words that carry no meaning (``noise``) are dropped. Then the first or the last
    word of a name may be missing. Then any of its words suffice, if no other name has them.

    Parameters
    ----------
    kind : str
        What is looked for, for the message.
    typed : object
        What was typed.
    entries : Mapping
        From name to entry; several names may lead to one entry.
    noise : iterable of str
        Words to drop, folded.

    Raises
    ------
    UnknownName
        With the nearest names, or with all that it could mean.

    Examples
    --------
    >>> find("card", "4090", {"RTX 4090": 1, "RTX 4090 Laptop": 2, "RTX 4080": 3})
    1
    """
    if not isinstance(typed, str):
        raise nearest(kind, typed, entries)
    text = typed
    words = [word for word in _words(text.rpartition("/")[2]) if word not in set(noise)]
    dropped = "".join(words)
    for wanted in (fold(text), dropped):
        for name, entry in entries.items():
            if wanted and fold(name) == wanted:
                return entry
    first_names: dict[int, str] = {}
    for name, entry in entries.items():
        first_names.setdefault(id(entry), name)
    having = [name for name in entries if words and _has(name, words)]
    close = [name for name in entries if len(_words(name)) > 1 and dropped in (
        "".join(_words(name)[:-1]), "".join(_words(name)[1:]))]
    for names in (close, having) if len(dropped) > 1 else ():  # "5" is no name of GLM-5
        found = dict.fromkeys(first_names[id(entries[name])] for name in names)
        if len(found) == 1:
            return entries[names[0]]
    if having and len(dropped) > 1:
        listed = ", ".join(list(found)[:6]) + (" …" if len(found) > 6 else "")
        raise UnknownName(f"{shown(typed)} could be any {kind} of these: {listed}.")
    raise nearest(kind, typed, first_names.values(), like=" ".join(words))


def _words(text: str) -> list[str]:
    return [fold(word) for word in re.split(r"[\s_/:,()-]+", text) if fold(word)]


def _has(name: str, wanted: list[str]) -> bool:
    """Whether each word stands in the name, alone or as neighbours written together."""
    words = _words(name)
    spans = {"".join(words[start:end]) for start, end in combinations(range(len(words) + 1), 2)}
    return all(word in spans for word in wanted)
