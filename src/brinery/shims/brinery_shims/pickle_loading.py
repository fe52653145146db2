"""`pickle-check`, where files are opened by their path: `pickle.load` and `joblib.load` look first.

What lies in a managed folder is read before it is loaded, as what is downloaded is; a copy of what
was refused is refused, too. `pickle.Unpickler` looks when it is made, and so does each class that a
script derives from it. One that gives it a stream which tells no name and is no copy is not seen.
"""

from __future__ import annotations

import io
import os
from functools import partial
from types import ModuleType
from typing import Any, Callable, Optional, Tuple

from brinery_shims import pickle_check

STEP = pickle_check.STEP


class _Looking:
    """A function that looks before it loads. It is pickled as the one that it stands for.

    Args:
        function: of a module.
        module: its name.
    """

    def __init__(self, function: Callable[..., Any], module: str) -> None:
        self._function = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__module__ = module
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, source: Any, *given: Any, **named: Any) -> Any:
        why = _refusal(source)
        if why:
            raise pickle_check.PickleRefused(why)
        return self._function(source, *given, **named)

    def __reduce__(self) -> str:
        return self.__name__


def _unpickler(base: Any) -> Any:
    """Return a class that looks before it reads; it has the name of the one that it stands for."""

    class Unpickler(base):  # type: ignore[misc] # the C class, or Python's
        """Reads a pickle, once it is known what it asks for."""

        def __init__(self, file: Any, *given: Any, **named: Any) -> None:
            why = _refusal(file)
            if why:
                raise pickle_check.PickleRefused(why)
            super().__init__(file, *given, **named)

    Unpickler.__name__ = Unpickler.__qualname__ = base.__name__
    Unpickler.__module__ = "pickle"
    Unpickler.__doc__ = base.__doc__
    return Unpickler


def apply(module: ModuleType) -> Callable[[], None]:
    """Have the functions of `pickle` or `joblib` look first; return what undoes it."""
    is_pickle = module.__name__ == "pickle"
    names: Tuple[str, ...] = ("load", "loads") if is_pickle else ("load",)
    classes = ("Unpickler", "_Unpickler") if is_pickle else ()
    before = {name: getattr(module, name) for name in (*names, *classes)}
    for name, replaced in before.items():
        looking = _unpickler if name in classes else partial(_Looking, module=module.__name__)
        setattr(module, name, looking(replaced))

    def undo() -> None:
        for name, replaced in before.items():
            setattr(module, name, replaced)

    return undo


def _refusal(source: Any) -> Optional[str]:
    """Return why something is not to be loaded."""
    if isinstance(source, (str, os.PathLike)):
        return pickle_check.of_path(os.fspath(source))
    if isinstance(source, (bytes, bytearray)):
        return pickle_check.of_bytes(source)
    if isinstance(source, io.BytesIO):
        return pickle_check.of_bytes(source.getbuffer())
    refused = pickle_check.of_stream(source)
    if refused:
        return refused
    name = getattr(source, "name", None)
    return pickle_check.of_path(name) if isinstance(name, str) else None
