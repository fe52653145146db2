"""The pickle machine with nothing behind it: every global is an inert stand-in.

The machine is the standard library's own, in Python, so what it reads is what `pickle.load` would
read. A stand-in can be called, given state, extended and indexed, as any pickled object may be;
it never does anything but remember its class and its state.
"""

from __future__ import annotations

import _compat_pickle
import pickle
import re
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar, Self

from brinery.records.scan import Global

_ITEMSIZE = re.compile(r"[<>|=]?([a-zA-Z])(\d+)")
_JOBLIB_ARRAYS = {"NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper"}


class Inert:
    """An object that stands where a pickle wanted one made."""

    origin: ClassVar[Global] = Global("builtins", "object")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a stand-in that remembers what it was called with."""
        made = super().__new__(cls)
        made.arguments = (*args, *kwargs.values())
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.arguments: tuple[Any, ...]
        self.state: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        """Return another stand-in of the same class."""
        return type(self)(*args, **kwargs)

    def __setstate__(self, state: Any) -> None:
        """Remember the state it is given."""
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take an item and forget it."""

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def append(self, item: Any) -> None:
        """Take an item and forget it."""

    def extend(self, items: Any) -> None:
        """Take items and forget them."""

    def add(self, item: Any) -> None:
        """Take an item and forget it."""


def stand_in(name: Global) -> type[Inert]:
    """Return a class that stands for a global."""
    return type(name.name.rpartition(".")[2] or "Inert", (Inert,), {"origin": name})


# The dispatch table is private to the standard library's machine and has no public twin.
_Machine: Any = pickle._Unpickler  # noqa: SLF001


class InertUnpickler(_Machine):  # type: ignore[misc]
    """The pickle machine over stand-ins.

    Attributes:
        globals: every name the pickle asked for.
        protocol: the highest it declared.
        raw_arrays: whether joblib's arrays lie raw in the stream.
        states: the attribute dictionaries met, with the stand-in each was given to.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_Machine.dispatch)

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="bytes")
        self._stream = stream
        self.globals: set[Global] = set()
        self.protocol = 0
        self.raw_arrays = False
        self.states: list[tuple[Inert, dict[Any, Any]]] = []
        self._stand_ins: dict[Global, type[Inert]] = {}

    def find_class(self, module: str, name: str) -> type[Inert]:
        """Return a stand-in, and note the name."""
        if self.protocol < 3:  # noqa: PLR2004 - written by Python 2, or in a form it could read
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        asked = Global(module, name)
        self.globals.add(asked)
        return self._stand_ins.setdefault(asked, stand_in(asked))

    def persistent_load(self, pid: Any) -> Inert:
        """Return a stand-in for an object kept outside the pickle."""
        return Inert(pid)

    def get_extension(self, code: int) -> None:
        """Push a stand-in for a name from the extension registry."""
        self.append(self.find_class("copyreg", f"extension_{code}"))

    def load_proto(self) -> None:
        """Note the protocol."""
        declared = self.read(1)[0]
        if declared > pickle.HIGHEST_PROTOCOL:
            raise pickle.UnpicklingError(f"protocol {declared} is not known")
        self.protocol = max(self.protocol, declared)

    dispatch[pickle.PROTO[0]] = load_proto

    def load_build(self) -> None:
        """Give a stand-in its state, and step over a joblib array that follows it."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, Inert):
            return
        made.state = state
        if isinstance(state, dict):
            self.states.append((made, state))
        elif isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict):  # noqa: PLR2004 - (state, slots)
            self.states.append((made, state[0]))
        if made.origin.module == "joblib.numpy_pickle" and made.origin.name in _JOBLIB_ARRAYS:
            self._skip_array(made)

    dispatch[pickle.BUILD[0]] = load_build

    def _skip_array(self, wrapper: Inert) -> None:
        """Step over the bytes of an array; an array of objects is a pickle of its own."""
        self.raw_arrays = True
        state = wrapper.state if isinstance(wrapper.state, dict) else {}
        dtype = state.get("dtype")
        found = None
        if isinstance(dtype, Inert) and dtype.arguments:
            found = _ITEMSIZE.fullmatch(_text(dtype.arguments[0]))
        if found is None:
            raise pickle.UnpicklingError("an array whose type cannot be read")
        kind, width = found.group(1), int(found.group(2))
        if kind == "O":
            nested = InertUnpickler(self._stream)
            nested.load()
            self.globals |= nested.globals
            self.states += nested.states
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self._read_exactly(self._read_exactly(1)[0])
        count = 1
        for length in state.get("shape", ()):
            count *= int(length)
        self._skip_exactly(count * width * (4 if kind == "U" else 1))

    def _read_exactly(self, count: int) -> bytes:
        read = self._stream.read(count)
        if len(read) < count:
            raise EOFError
        return read

    def _skip_exactly(self, count: int) -> None:
        while count > 0:
            count -= len(self._read_exactly(min(count, 1 << 20)))


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
