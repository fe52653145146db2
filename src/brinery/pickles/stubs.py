"""The pickle machine with nothing behind it: every global is its name, every object a stand-in.

The machine is the standard library's own, in Python, so what it reads is what `pickle.load` would
read. Nothing is called, nothing is hashed but text, and no name is looked up; a stand-in does
nothing but remember its class, what it was called with, and its state.
"""

from __future__ import annotations

import _compat_pickle
import math
import pickle
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, ClassVar

from brinery.records.scan import Global

_ITEMSIZE = re.compile(r"[<>|=]?([a-zA-Z])(\d+)")
_JOBLIB_ARRAY = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_PERSISTENT = Global("builtins", "object")

# Protocols 0 and 1 make an object by calling one of these with its class.
_MAKERS = {Global("copyreg", name) for name in ("_reconstructor", "__newobj__", "__newobj_ex__")}

# numpy's flag of an array type that holds Python objects, in the eighth field of its state.
_HOLDS_OBJECTS, _FLAGS = 1, 7


class Inert:
    """An object that stands where a pickle wanted one made.

    Attributes:
        origin: what was asked to make it.
        arguments: what that was called with.
        state: what it was given afterwards, or None.
    """

    __slots__ = ("arguments", "origin", "state")

    def __init__(self, origin: Global, arguments: tuple[Any, ...] = ()) -> None:
        self.origin = origin
        self.arguments = arguments
        self.state: Any = None

    def append(self, item: Any) -> None:
        """Take an item and forget it."""

    def extend(self, items: Any) -> None:
        """Take items and forget them."""


# The dispatch table is private to the standard library's machine and has no public twin.
_Machine: Any = pickle._Unpickler  # noqa: SLF001


class InertUnpickler(_Machine):  # type: ignore[misc]
    """The pickle machine over stand-ins.

    Attributes:
        globals: every name the pickle asked for.
        protocol: the highest it declared.
        raw_arrays: whether joblib's arrays lie raw in the stream.
        states: the attribute dictionaries met.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_Machine.dispatch)

    def __init__(self, stream: BinaryIO) -> None:
        # Every byte is a character of latin-1, so that text of Python 2 is text here.
        super().__init__(stream, encoding="latin-1")
        self._stream = stream
        self.globals: set[Global] = set()
        self.protocol = 0
        self.raw_arrays = False
        self.states: list[dict[str, Any]] = []

    def find_class(self, module: str, name: str) -> Global:
        """Return the name itself, and note it."""
        if self.protocol < 3:  # noqa: PLR2004 - written by Python 2, or in a form it could read
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        asked = Global(module, name)
        if not (all(module.split(".")) and name and str(asked).isprintable()):
            raise pickle.UnpicklingError("a name that is none")
        self.globals.add(asked)
        return asked

    def persistent_load(self, pid: Any) -> Inert:
        """Return a stand-in for an object kept outside the pickle."""
        return Inert(_PERSISTENT, (pid,))

    def get_extension(self, code: int) -> None:
        """Push a name from the extension registry."""
        self.append(self.find_class("copyreg", f"extension_{code}"))

    def load_proto(self) -> None:
        """Note the protocol."""
        declared = self.read(1)[0]
        if declared > pickle.HIGHEST_PROTOCOL:
            raise pickle.UnpicklingError(f"protocol {declared} is not known")
        self.protocol = max(self.protocol, declared)

    def load_reduce(self) -> None:
        """Put a stand-in where a call was asked for."""
        arguments = self.stack.pop()
        self.stack[-1] = _made(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        """Put a stand-in where an object without keywords was asked for."""
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        """Put a stand-in where an object with keywords was asked for."""
        self.stack.pop()
        self.load_reduce()

    def _instantiate(self, klass: Any, args: list[Any]) -> None:
        self.append(_made(klass, tuple(args)))

    def load_dict(self) -> None:
        """Push a dictionary."""
        items = self.pop_mark()
        self.append({})
        self._set_items(items)

    def load_setitem(self) -> None:
        """Set an item of a dictionary, or drop it."""
        value = self.stack.pop()
        self._set_items((self.stack.pop(), value))

    def load_setitems(self) -> None:
        """Set items of a dictionary, or drop them."""
        self._set_items(self.pop_mark())

    def load_additems(self) -> None:
        """Drop the items of a set."""
        self.pop_mark()

    def load_frozenset(self) -> None:
        """Push an empty set in place of a full one."""
        self.pop_mark()
        self.append(frozenset())

    def load_bytearray8(self) -> None:
        """Push bytes, as many as there are: the length that is stated may be a lie."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    def load_build(self) -> None:
        """Give a stand-in its state, and step over a joblib array that follows it."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, Inert):
            return
        made.state = state
        if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - (state, slots)
            state = state[0]
        if isinstance(state, dict):
            self.states.append(state)
        if made.origin == _JOBLIB_ARRAY:
            self._skip_array(state if isinstance(state, dict) else {})

    dispatch |= {
        pickle.PROTO[0]: load_proto,
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.DICT[0]: load_dict,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.BUILD[0]: load_build,
    }

    def _set_items(self, items: Sequence[Any]) -> None:
        """Keep the items with text keys: the hash of a nested tuple may take for ever."""
        held = self.stack[-1]
        if isinstance(held, dict):
            pairs = zip(items[::2], items[1::2], strict=True)
            held.update((key, value) for key, value in pairs if isinstance(key, str))

    def _skip_array(self, wrapper: dict[str, Any]) -> None:
        """Step over the bytes of an array; an array of objects is a pickle of its own."""
        self.raw_arrays = True
        dtype = wrapper.get("dtype")
        if not isinstance(dtype, Inert) or not dtype.arguments:
            raise pickle.UnpicklingError("an array without a type")
        found = _ITEMSIZE.fullmatch(str(dtype.arguments[0]))
        if found is None:
            raise pickle.UnpicklingError("an array whose type cannot be read")
        if _holds_objects(dtype):
            nested = InertUnpickler(self._stream)
            nested.load()
            self.globals |= nested.globals
            self.states += nested.states
            return
        if wrapper.get("numpy_array_alignment_bytes") is not None:
            self._read_exactly(self._read_exactly(1)[0])
        width = int(found.group(2)) * (4 if found.group(1) == "U" else 1)
        self._skip_exactly(width * math.prod(int(length) for length in wrapper.get("shape", ())))

    def _read_exactly(self, count: int) -> bytes:
        read = self._stream.read(count)
        if len(read) < count:
            raise EOFError
        return read

    def _skip_exactly(self, count: int) -> None:
        while count > 0:
            count -= len(self._read_exactly(min(count, 1 << 20)))


def _made(asked: Any, arguments: Any) -> Inert:
    """Return the stand-in for what a call would make."""
    if not isinstance(asked, Global | Inert) or not isinstance(arguments, tuple):
        raise pickle.UnpicklingError("a call of what cannot be called")
    if isinstance(asked, Inert):
        return Inert(asked.origin, arguments)
    if asked in _MAKERS and arguments and isinstance(arguments[0], Global):
        return Inert(arguments[0], arguments)
    return Inert(asked, arguments)


def _holds_objects(dtype: Inert) -> bool:
    """Return whether an array type is of Python objects, or has a field that is."""
    state = dtype.state
    flags = state[_FLAGS] if isinstance(state, tuple) and len(state) > _FLAGS else 0
    return isinstance(flags, int) and bool(flags & _HOLDS_OBJECTS)
