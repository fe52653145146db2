"""The methods of the classes that are listed, which no attribute of an honest object stands before.

It runs in an environment of `generate.py`, on any Python from 3.8. Its arguments are a file of
names, as JSON, and the file to write: for each that is a class here, and for each of their bases,
its direct bases and the methods of its own. Names with underscores on both sides are left out,
because any attribute of such a name is doubted; but for `__call__`, which tells what may be called.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from typing import Any


def main() -> None:
    """Write what the classes have."""
    warnings.simplefilter("ignore")
    with open(sys.argv[1]) as stream:
        names = json.load(stream)
    found: dict[str, Any] = {}
    for module, name in names:
        kind = looked_up(module, name)
        if inspect.isclass(kind):
            found["%s.%s" % (module, name)] = described(kind)
            for base in inspect.getmro(kind)[1:]:
                found.setdefault(path(base), described(base))
    with open(sys.argv[2], "w") as stream:
        json.dump(found, stream)


def looked_up(module: str, name: str) -> Any:
    """Return what a name stands for; None where this environment has none."""
    try:
        held = importlib.import_module(module)
        for part in name.split("."):
            held = getattr(held, part)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    return held


def described(kind: type) -> tuple[list[str], list[str]]:
    """Return the direct bases of a class, and the methods that it has itself."""
    bases = [path(base) for base in kind.__bases__ if base is not object]
    methods = [
        name
        for name, held in vars(kind).items()
        if (name == "__call__" or not (name.startswith("__") and name.endswith("__")))
        and is_method(held)
    ]
    return bases, sorted(methods)


def path(kind: type) -> str:
    """Return a class's full name."""
    return "%s.%s" % (kind.__module__, kind.__qualname__)


def is_method(held: Any) -> bool:
    """Return whether what a class holds is called with its objects.

    scikit-learn wraps the methods that only some objects have; those wrappers keep it as `fn`.
    """
    if isinstance(held, (staticmethod, classmethod)) or hasattr(held, "fn"):
        return True
    return callable(held) and not inspect.isclass(held) and hasattr(held, "__name__")


if __name__ == "__main__":
    main()
