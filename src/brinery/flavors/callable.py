"""The user's own function or class, named as `module:name` and lying beside the model.

What is stored is a small JSON file with the name; the modules are the version's code folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable as Function
from importlib import import_module
from pathlib import Path
from typing import Any

from brinery.errors import ClassNotImportable, NotAModel, NotTrusted
from brinery.flavors.interface import Given, Source
from brinery.flavors.python import PlainPython


class NamedFunction:
    """A function that predicts, as a model.

    Args:
        function: takes a frame, and answers each of its rows.
        name: of the function.
    """

    def __init__(self, function: Function[[Given], Any], name: str) -> None:
        self.name = name
        self._function = function

    def predict(self, given: Given) -> Any:
        """Return what the function does."""
        return self._function(given)


class CallableFile(PlainPython):
    """The flavor of `module:name`; an instance that it makes is taken by whichever flavor fits."""

    name = "callable"
    formats = ("callable",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is a function made a model here."""
        return isinstance(model, NamedFunction)

    def outline(self, model: Any) -> str:
        """Return the function's name."""
        return str(model.name)

    def load(self, source: Source) -> Any:
        """Return the function as a model, or the instance of the class, or the instance named.

        Raises:
            NotTrusted: the user did not vouch for that name.
            ClassNotImportable: the code has no such name.
            NotAModel: what it names cannot predict.
        """
        asked = target(source.path)
        module, _, name = asked.partition(":")
        if not {f"{module}.{name}", f"{module.partition('.')[0]}.__init__"} & set(source.globals):
            raise NotTrusted(f"nobody vouched for {module}.{name}", hint=f"--trust {module}.{name}")
        found = _found(module, name, source.code)
        if isinstance(found, type):
            try:
                found = found()
            except TypeError as error:
                raise NotAModel(
                    f"{asked} cannot be made without arguments: {error}",
                    hint=f"name an instance: {module}:model, where the module has "
                    f"model = {name}(…)",
                ) from None
        if callable(getattr(found, "predict", None)):
            return found
        if not callable(found):
            raise NotAModel(
                f"{asked} is a {type(found).__name__}, which cannot predict",
                hint="name a function of a frame, or a class with a method predict",
            )
        return NamedFunction(found, name)


def target(path: Path) -> str:
    """Return the `module:name` that a small file names."""
    return str(json.loads(path.read_text(encoding="utf-8"))["target"])


def _found(module: str, name: str, code: tuple[Path, ...]) -> Any:
    """Return what a module of the user's calls by a name.

    Raises:
        ClassNotImportable: there is no such module in the code, or no such name in it.
    """
    made = import_module(module)
    file = Path(getattr(made, "__file__", None) or "")
    if not any(folder in file.parents for folder in code):
        raise ClassNotImportable(
            f"the module {module} was found at {file or 'no file'}, and not in the code",
            hint="--code names the folder that it lies in",
        )
    if not hasattr(made, name):
        names = ", ".join(each for each in vars(made) if not each.startswith("_"))[:200]
        raise ClassNotImportable(f"the module {module} has no {name}", hint=f"it has {names}")
    return getattr(made, name)
