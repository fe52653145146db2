"""What the pickles of honest models ask for: fits many, and writes every name as JSON.

It runs in an environment of `generate.py`, on any Python from 3.8, and needs whatever of the
frameworks is installed there. Two lists come out: the names that pickles of fitted models asked
for, each with how it was used (`named`, `made` by NEWOBJ or copyreg, `called` by REDUCE); and the
classes that the packages define, with their bases, for `generate.py` to choose from.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import io
import json
import pickle
import pkgutil
import sys
import warnings
from collections import defaultdict
from typing import Any, Callable, Iterator

PACKAGES = (
    "sklearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "category_encoders",
    "imblearn",
    "scipy",
    "numpy",
    "pandas",
    "joblib",
    "statsmodels",
)
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "category_encoders": "category-encoders",
    "imblearn": "imbalanced-learn",
    "xgboost": "xgboost",
}
SKIPPED = ("tests", "conftest", "externals", "_testing", "testing", "f2py", "distutils", "setup")

# Opcodes are followed on the standard library's own machine, which keeps the stack in the open.
Machine: Any = pickle._Unpickler  # noqa: SLF001


class Recorder(Machine):
    """A pickle machine that notes what is asked for and what is done with it."""

    dispatch = dict(Machine.dispatch)

    def __init__(self, stream: io.BytesIO, uses: dict[tuple[str, str], set[str]]) -> None:
        super().__init__(stream)
        self.uses = uses
        self.asked: dict[int, tuple[str, str]] = {}
        self.kept: list[Any] = []

    def find_class(self, module: str, name: str) -> Any:
        """Return the object, noted under the name that it was asked for by."""
        if self.proto < 3:
            import _compat_pickle

            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        found = super().find_class(module, name)
        self.uses[module, name].add("named")
        self.asked[id(found)] = (module, name)
        self.kept.append(found)
        return found

    def note(self, found: Any, use: str) -> None:
        """Note a use of an object that was asked for by name."""
        if id(found) in self.asked:
            self.uses[self.asked[id(found)]].add(use)

    def load_reduce(self) -> None:
        """Note what is called; copyreg's makers make, with a base that they call."""
        function, arguments = self.stack[-2], self.stack[-1]
        kept = function.func if isinstance(function, functools.partial) else function
        self.note(kept, "called")  # a partial calls what it keeps
        if self.asked.get(id(function), ("", ""))[0] == "copyreg" and arguments:
            self.note(arguments[0], "made")
            if len(arguments) > 1 and isinstance(arguments[1], type):
                self.note(arguments[1], "base")
        if function is getattr:
            self.uses["getattr", "%s %s" % (arguments[0], arguments[1])].add("called")
        Machine.load_reduce(self)

    def load_newobj(self) -> None:
        """Note what is made."""
        self.note(self.stack[-2], "made")
        Machine.load_newobj(self)

    def load_newobj_ex(self) -> None:
        """Note what is made."""
        self.note(self.stack[-3], "made")
        Machine.load_newobj_ex(self)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex


def main() -> None:
    """Write what was recorded to the file that is the one argument."""
    warnings.simplefilter("ignore")
    uses: dict[tuple[str, str], set[str]] = defaultdict(set)
    failed = []
    kept = 0
    for name, model in models():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                Recorder(io.BytesIO(pickle.dumps(model, protocol)), uses).load()
                kept += 1
            except Exception as error:  # noqa: BLE001 - some cannot be pickled, which is noted
                failed.append("%s %d: %s: %.80s" % (name, protocol, type(error).__name__, error))
    import numpy
    import pandas

    result = {
        "python": "%d.%d" % sys.version_info[:2],
        "versions": dict(versions()),
        "pickles": kept,
        "failed": failed,
        "uses": [[module, name, sorted(how)] for (module, name), how in sorted(uses.items())],
        "classes": sorted(classes()),
    }
    del numpy, pandas
    with open(sys.argv[1], "w") as stream:
        json.dump(result, stream)


def versions() -> Iterator[tuple[str, str]]:
    """Give the packages that are installed, with their versions."""
    for package in (*PACKAGES, "pyarrow"):
        module = sys.modules.get(package)
        if module is not None:
            yield package, str(getattr(module, "__version__", ""))


def models() -> Iterator[tuple[str, Any]]:
    """Give fitted models and what they hold, each with a name."""
    import fitted

    for name in sorted(vars(fitted)):
        if not name.startswith("make_"):
            continue
        maker: Callable[[], Iterator[tuple[str, Any]]] = getattr(fitted, name)
        made = maker()
        while True:
            try:
                pair = next(made)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - a version may lack a class
                sys.stderr.write("%s: %s: %.200s\n" % (name, type(error).__name__, error))
                break
            yield pair


def classes() -> Iterator[tuple[str, str, list[str]]]:
    """Give every class that the packages define, with the names of all its bases."""
    for package in PACKAGES:
        for module in walk(package):
            for name, found in list(vars(module).items()):
                if not inspect.isclass(found) or found.__module__ != module.__name__:
                    continue
                if found.__qualname__ != name:
                    continue
                bases = ["%s.%s" % (b.__module__, b.__qualname__) for b in inspect.getmro(found)]
                yield module.__name__, name, bases[1:]


def walk(package: str) -> Iterator[Any]:
    """Give a package and its modules, but for tests and build tools."""
    try:
        top = importlib.import_module(package)
    except ImportError:
        return
    yield top
    found = pkgutil.walk_packages(top.__path__, package + ".", onerror=lambda _: None)
    for module in found:
        parts = module.name.split(".")
        if any(part in SKIPPED or part.startswith("test_") for part in parts):
            continue
        try:
            yield importlib.import_module(module.name)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise


if __name__ == "__main__":
    main()
