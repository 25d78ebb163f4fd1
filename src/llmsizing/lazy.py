"""Names that a package lends: each is imported when it is first used.

A page in a browser starts a chapter in a second or two. Most of the time goes into imports, and
no chapter needs them all.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType


class Lender(ModuleType):
    """A package whose lent names stay what they are, also where a module of it is called the same.

    Importing a module writes it into its package: `engines` the function became `engines` the room.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in self.__all__):
            super().__setattr__(name, value)


def lent(package: str, homes: Mapping[str, Sequence[str]]
         ) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """Make what a package needs to lend names of its modules.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to sequence of str
        For each module of it, by its last name, what it holds.

    Returns
    -------
    names : list of str
        For ``__all__``, sorted.
    look_up : callable
        For ``__getattr__``: it imports a name's module, and keeps what it found.
    list_names : callable
        For ``__dir__``: what completion and documentation ask.

    References
    ----------
    PEP 562, module ``__getattr__`` and ``__dir__``.
    """
    home_of = {name: module for module, names in homes.items() for name in names}
    lender = sys.modules[package]

    def look_up(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(lender, name, found)
        return found

    lender.__class__ = Lender
    names = sorted(home_of)
    return names, look_up, names.copy
