"""The one function that unpickles: only in a child made for it, and only the names it is given.

The machine is the standard library's. What differs is how a name is found: one that is not listed
is refused, in the pickles that joblib nests in its arrays too. That the scan saw every name is
what the list rests on; a name it did not see ends the load here.
"""

from __future__ import annotations

import _compat_pickle
import copyreg
import math
import pickle
import sys
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from brinery.errors import NotTrusted
from brinery.pickles import compression

_HEAD_BYTES = 32
_CHUNK_BYTES = 1 << 24
_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"

_in_child = False


def enter_child() -> None:
    """State that this process was started to hold one model and nothing else."""
    global _in_child  # noqa: PLW0603 - a process is a child for its whole life
    _in_child = True


def unpickle(path: Path, names: Collection[str]) -> Any:
    """Return the object that a pickle or joblib file makes; running it is what that means.

    Args:
        path: of the file, compressed or not.
        names: the dotted names it may ask for, as Python 3 has them.

    Raises:
        RuntimeError: this process is not a child made for one model.
        NotTrusted: it asks for another name.
        Exception: whatever the file raises.
    """
    if not _in_child:
        raise RuntimeError("a pickle is loaded in a child process only")
    # What was found by its number once is not looked up again, and would not be asked about.
    copyreg.clear_extension_cache()
    allowed = frozenset(names)
    machine = _JoblibUnpickler if _WRAPPER in allowed else _Unpickler
    with path.open("rb") as stream:
        packing = compression.sniff(stream.read(_HEAD_BYTES))
        stream.seek(0)
        plain = stream if packing is None else compression.open_plain(stream, packing)[0]
        return machine(plain, allowed).load()


def rewrite(model: Any, path: Path) -> None:
    """Write a model as a plain pickle, which MLflow and `pickle.load` read as it is.

    Raises:
        RuntimeError: this process is not a child made for one model.
    """
    if not _in_child:
        raise RuntimeError("a model is pickled in the child that holds it only")
    with path.open("wb") as stream:
        pickle.dump(model, stream, protocol=5)


def _find(module: str, name: str, allowed: frozenset[str]) -> Any:
    """Return what a listed name stands for.

    Raises:
        NotTrusted: it is not listed.
        ImportError, AttributeError: there is no such thing.
    """
    for asked in (_of_python_3(module, name), (module, name)):
        if ".".join(asked) in allowed:
            break
    else:
        shown = ascii(f"{module}.{name}")[1:-1]
        raise NotTrusted(
            f"the file asks for {shown}, which its scan did not list and nobody vouched for",
            hint="scan it again: a file that is read in two ways is hostile or damaged",
        )
    import_module(asked[0])
    found: Any = sys.modules[asked[0]]
    for part in asked[1].split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AttributeError(f"Can't get attribute '{asked[1]}' on '{asked[0]}'") from None
    return found


def _of_python_3(module: str, name: str) -> tuple[str, str]:
    """Return a name as Python 3 has it, where it is one of Python 2."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


class _Unpickler(pickle.Unpickler):
    """The standard library's machine; it finds listed names only."""

    def __init__(self, stream: BinaryIO, allowed: frozenset[str]) -> None:
        super().__init__(stream)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name, self._allowed)


# joblib puts the bytes of an array into the middle of the stream, where only the machine in
# Python can be stopped. Its dispatch table has no public name.
_Machine: Any = pickle._Unpickler  # noqa: SLF001


class _JoblibUnpickler(_Machine):  # type: ignore[misc]
    """The standard library's machine in Python, which reads joblib's arrays where they lie."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(_Machine.dispatch)

    def __init__(self, stream: BinaryIO, allowed: frozenset[str]) -> None:
        super().__init__(stream)
        self._stream = stream
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name, self._allowed)

    def load_build(self) -> None:
        """Give an object its state; where it announces an array, put that in its place."""
        super().load_build()
        # Where there is such an object, what it is made of was imported when it was found.
        joblib: Any = sys.modules.get("joblib.numpy_pickle")
        if joblib is not None and isinstance(self.stack[-1], joblib.NumpyArrayWrapper):
            self.stack[-1] = self._array(self.stack[-1])

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, wrapper: Any) -> Any:
        """Return the array that follows in the stream.

        Raises:
            pickle.UnpicklingError: its type or shape is none, or the stream ends in it.
        """
        np: Any = sys.modules["numpy"]
        kind, shape, subclass = wrapper.dtype, tuple(wrapper.shape), wrapper.subclass
        if not (isinstance(kind, np.dtype) and all(type(n) is int and n >= 0 for n in shape)):
            raise pickle.UnpicklingError("an array without a type or a shape")
        if not (isinstance(subclass, type) and issubclass(subclass, np.ndarray)):
            raise pickle.UnpicklingError("an array of what is none")
        if kind.hasobject:
            array = _Unpickler(self._stream, self._allowed).load()
            if not isinstance(array, np.ndarray):
                raise pickle.UnpicklingError("an array of objects that is none")
        else:
            if getattr(wrapper, "numpy_array_alignment_bytes", None) is not None:
                self._exactly(self._exactly(1)[0])
            held = self._exactly(math.prod(shape) * kind.itemsize)
            # Of the array's own bytes, in their order; an item of no bytes has none.
            order = "F" if wrapper.order == "F" else "C"
            array = np.ndarray(shape, dtype=kind, buffer=held, order=order)
        if array.dtype.byteorder in "<>" and not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        return array if subclass in (np.ndarray, np.memmap) else array.view(subclass)

    def _exactly(self, count: int) -> bytearray:
        """Return so many bytes; memory is taken as they come, for the count may be a lie."""
        read = bytearray()
        while len(read) < count:
            part = self._stream.read(min(count - len(read), _CHUNK_BYTES))
            if not part:
                raise pickle.UnpicklingError("an array that the file does not have")
            read += part
        return read
