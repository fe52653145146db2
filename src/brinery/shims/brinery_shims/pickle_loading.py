"""`pickle-check`, where files are opened by their path: `pickle.load` and `joblib.load` look first.

What lies in a managed folder is read before it is loaded, as what is downloaded is; a copy of what
was refused is refused, too. A `pickle.Unpickler` of the script's own is not seen.
"""

from __future__ import annotations

import io
import os
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


def apply(module: ModuleType) -> Callable[[], None]:
    """Have the functions of `pickle` or `joblib` look first; return what undoes it."""
    names: Tuple[str, ...] = ("load", "loads") if module.__name__ == "pickle" else ("load",)
    before = {name: getattr(module, name) for name in names}
    for name, function in before.items():
        setattr(module, name, _Looking(function, module.__name__))

    def undo() -> None:
        for name, function in before.items():
            setattr(module, name, function)

    return undo


def _refusal(source: Any) -> Optional[str]:
    """Return why something is not to be loaded."""
    if isinstance(source, (str, os.PathLike)):
        return pickle_check.of_path(os.fspath(source))
    if isinstance(source, (bytes, bytearray)):
        return pickle_check.of_bytes(source)
    if isinstance(source, io.BytesIO):
        return pickle_check.of_bytes(source.getbuffer())
    name = getattr(source, "name", None)
    return pickle_check.of_path(name) if isinstance(name, str) else None
