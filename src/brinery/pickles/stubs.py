"""The pickle machine with nothing behind it: every global is its name, every object a stand-in.

The machine is the standard library's own, in Python, so what it reads is what `pickle.load` would
read. Nothing is called, nothing is hashed but text, and no name is looked up; a stand-in does
nothing but remember its class, what it was called with, its state and its items. Where the
standard library believes a length, this reads in parts and keeps the first of them.
"""

from __future__ import annotations

import _compat_pickle
import binascii
import codecs
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, ClassVar, NamedTuple

from brinery.pickles import arrays, attributes, code, uses
from brinery.pickles.bounds import MAX_MARKS, Broken, Impatient, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.getters import CountingMemo, is_getter
from brinery.pickles.inert import OUTSIDE, Inert
from brinery.pickles.natives import LIGHTGBM_MAGIC
from brinery.pickles.opcodes import OPCODES, described
from brinery.pickles.streams import Frames, buffered, drain, limited, skip
from brinery.records.scan import Global

_PARTIAL = Global("functools", "partial")

# The one function that a partial keeps and a pickle calls: pandas 1.3 writes its blocks so.
_CALLED_KEPT = {Global("pandas.core.internals.blocks", "new_block")}

_PYTHON_3 = 3
_STEPS_AT_ONCE = 4096
_LEAST_LOOK_BYTES = 11  # no pickle that calls something is shorter
_MAX_NAME = 1000
_PRIMED = 64
_MAX_PADDING = 16  # and no such number is an opcode: pickle.load stops there


class Value(NamedTuple):
    """A value that may be a part of its own.

    Attributes:
        head: its first bytes.
        stream: all of it.
        memo: of a pickle that it may go on from; None where it begins by itself.
    """

    head: bytes
    stream: Any
    memo: Mapping[int, Any] | None = None


Look = Callable[[Value], None]

# What the machine raises on bytes that are not a pickle.
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
)

# Text that bytes travel in: pickles and zlib in base64, pickles in hexadecimal.
_BASE64 = re.compile(r"(?:gA[IJMNQRSUVW]|eJ|H4sI)[A-Za-z0-9+/=\s]{8,}")
_HEXADECIMAL = re.compile(r"800[2-5][0-9a-fA-F]{8,}")

_OPCODE_NAMES = {
    getattr(pickle, name)[0]: name
    for name in pickle.__all__
    if name.isupper() and isinstance(getattr(pickle, name), bytes)
}

# The dispatch table is private to the standard library's machine and has no public twin.
_Machine: Any = pickle._Unpickler  # noqa: SLF001
_Stop: Any = pickle._Stop  # type: ignore[attr-defined]  # noqa: SLF001

# What a part of its own may begin with: an opcode, a compression, UBJSON.
_BEGINNINGS = frozenset(_Machine.dispatch) | frozenset(b"\x1f\xfd\x78{")


class InertUnpickler(_Machine):  # type: ignore[misc]
    """The pickle machine over stand-ins.

    Args:
        stream: at the pickle's first byte; it is read to the byte after its last opcode.
        evidence: what is told of it.
        look: is shown the values that may be parts of their own.
        persistent: whether it may ask for objects kept outside of it, as torch's do.
        plain: whether no joblib reads it, so that no array lies raw in it.
        patience: opcodes until it must have asked for a name; None for an avowed pickle.
        memo: what a pickle that goes on from another one may refer to.

    Attributes:
        evidence: as given.
        frames: what reads the stream.
        via: the opcode that asks for a name.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {**_Machine.dispatch, **OPCODES}

    def __init__(
        self,
        stream: BinaryIO,
        evidence: Evidence,
        *,
        look: Look | None = None,
        persistent: bool = False,
        plain: bool = False,
        patience: int | None = None,
        memo: Mapping[int, Any] | None = None,
    ) -> None:
        # Every byte is a character of latin-1, so that text of Python 2 is text here.
        super().__init__(stream, encoding="latin-1")
        self.evidence = evidence
        self.frames = Frames(stream)
        self.via = ""
        self._stream = stream
        self._look = look
        self._persistent = persistent
        self._plain = plain
        self._patience = patience
        self._known: dict[tuple[str, str], Global] = {}
        self.memo: dict[int, Any] = dict(memo or {})
        for getter in filter(is_getter, self.memo.values()):
            self.taken(getter)
        self.stack: list[Any] = [] if memo is None else [Inert(OUTSIDE) for _ in range(_PRIMED)]
        self.metastack: list[list[Any]] = []

    def load(self) -> Any:
        """Return what the pickle holds, as stand-ins.

        Raises:
            Broken: it is malformed; what came before is in the evidence.
            TooMuch: it is larger than any honest one.
        """
        self.read, self.readline = self.frames.read, self.frames.readline
        self.append = self.stack.append
        self.proto = 0
        read, dispatch = self.read, self.dispatch
        opcode, step = 0, 0
        try:
            while True:
                for step in range(_STEPS_AT_ONCE):  # noqa: B007 - counted at the end
                    opcode = read(1)[0]
                    dispatch[opcode](self)
                self._pause()
        except _Stop as stop:
            self._check_end()
            return stop.value
        except _DAMAGE as error:
            raise Broken(self._why(opcode, error)) from None
        finally:
            self.evidence.budget.steps -= step
            if self.frames.lied:
                self.evidence.problem("its frames are not as long as they say")

    def _pause(self) -> None:
        """Count the opcodes that were read since the last time."""
        self.evidence.budget.spend_steps(_STEPS_AT_ONCE)
        if len(self.metastack) > MAX_MARKS:
            raise TooMuch(f"more than {MAX_MARKS:,} marks of it are open at once")
        if self._patience is not None and not self._known:
            self._patience -= _STEPS_AT_ONCE
            if self._patience < 0:
                raise Impatient("it asks for no name")

    def _check_end(self) -> None:
        """Note what is used in a strange way, and what no pickler leaves behind."""
        self.evidence.saw_protocol(self.evidence.protocol or 0)
        attributes.settle(self.evidence)
        if self.stack or self.metastack:
            self.evidence.problem("objects are left over at its end, which no pickler writes")
        if self.frames.open:
            self.evidence.problem("its last frame is longer than what is in it")

    def _why(self, opcode: int, error: Exception) -> str:
        """Return in words why an opcode could not be followed."""
        place = f"byte {self.frames.place:,}"
        if opcode not in self.dispatch:
            return f"0x{opcode:02x} before {place} is no opcode of a pickle"
        name = _OPCODE_NAMES.get(opcode, f"0x{opcode:02x}")
        if name.endswith("GET"):
            return f"its memo lies: {name} before {place} gets what was never put"
        if isinstance(error, IndexError):
            return f"its stack is empty where {name} before {place} takes from it"
        return f"{name} before {place} cannot be followed"

    def find_class(self, module: str, name: str) -> Global:
        """Return the name that would be looked up, and note it."""
        if self.proto < _PYTHON_3:  # written by Python 2, or in a form it could read
            if (module, name) in _compat_pickle.NAME_MAPPING:
                module, name = _compat_pickle.NAME_MAPPING[(module, name)]
            elif module in _compat_pickle.IMPORT_MAPPING:
                module = _compat_pickle.IMPORT_MAPPING[module]
        asked = self._known.get((module, name))
        if asked is None:
            asked = self._known[module, name] = self._named(module, name)
            if is_getter(asked):
                self.memo = CountingMemo(self.memo, self.taken)
        self.evidence.ask(asked, self.via)
        return asked

    def taken(self, getter: Global) -> None:
        """Note that a function that looks names up got onto the stack once more."""
        self.evidence.ask(getter, "GET")

    def _named(self, module: str, name: str) -> Global:
        """Return a name that can be shown, and note where it can be none."""
        if not (all(module.split(".")) and all(name.split(".")) and (module + name).isprintable()):
            module, name = ascii(module)[1:-1], ascii(name)[1:-1]
            self.evidence.problem(f"it asks for '{module}', '{name}', a name that nothing has")
        if len(module) + len(name) > _MAX_NAME:
            self.evidence.problem(f"it asks for a name of {len(module) + len(name):,} characters")
        return Global(module[:_MAX_NAME] or "?", name[:_MAX_NAME] or "?")

    def get_extension(self, code: int) -> None:
        """Push a name from the extension registry, which is another in every process."""
        asked = Global("copyreg", f"extension_{code}")
        self._known[asked.module, asked.name] = asked
        self.evidence.ask(asked, "EXT")
        why = f"which name extension code {code} stands for depends on the process that loads it"
        self.evidence.doubt(asked, why)
        self.append(asked)

    def persistent_load(self, pid: Any) -> Inert:
        """Return a stand-in for an object kept outside the pickle."""
        for part in pid if isinstance(pid, tuple) else (pid,):
            if isinstance(part, Global):
                self.evidence.ask(part, "PERSID")
        if not self._persistent:
            self.evidence.problem(
                f"it asks for an object kept outside of it, persistent id {described(pid)}, "
                "which pickle.load refuses"
            )
        return Inert(OUTSIDE, (pid,))

    def call(self, asked: Any, arguments: Any, *, how: str) -> Inert:
        """Return the stand-in for what a call would make."""
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        if not isinstance(asked, Global | Inert):
            raise Broken(f"it calls {described(asked)}, which cannot be called")
        self.evidence.acted = True
        if isinstance(asked, Inert):
            self.evidence.fresh.clear()
            return self._call_again(asked, given, how)
        made = uses.call(asked, given, how=how, evidence=self.evidence)
        if made.origin == code.TYPE or asked.name == "_create_code":
            code.read(made.arguments, self.evidence)
        return made

    def _call_again(self, made: Inert, given: tuple[Any, ...], how: str) -> Inert:
        """Return the stand-in for what a call of something that was made would make."""
        if made.origin.name == "_builtin_type" and made.arguments == ("CodeType",):
            # How cloudpickle names the type of code.
            code.read(given, self.evidence)
            return Inert(code.TYPE, given)
        kept = _kept(made)
        if kept is not None:
            self.evidence.ask(kept, how)
        if kept in _CALLED_KEPT:
            return Inert(kept, given)
        if made.named:
            self.evidence.ask(made.origin, how)
            self.evidence.doubt(made.origin, "what it makes is called in turn")
        else:
            self.evidence.problem(f"it calls {described(made)}")
        return Inert(made.origin, given)

    def _instantiate(self, klass: Any, args: list[Any]) -> None:
        self.append(self.call(klass, tuple(args), how=self.via))

    def array(self, wrapper: Inert) -> None:
        """Step over the bytes of an array; an array of objects is a pickle of its own.

        Raises:
            Broken: it cannot be told how many bytes those are, or there are fewer.
        """
        if self._plain:
            return
        self.evidence.raw_arrays = True
        if self.frames.open:
            raise Broken("an array lies within a frame, where joblib writes none")
        layout = arrays.layout(wrapper)
        if layout.holds_objects:
            wrapper.array = InertUnpickler(
                self._stream, self.evidence, look=self._look, plain=True
            ).load()
            return
        exact = Frames(self._stream)
        if layout.aligned:
            count = exact.read(1)[0]
            if exact.read(count).strip(b"\xff") or not 0 < count <= _MAX_PADDING:
                self.evidence.problem("an array has padding that joblib does not write")
        kept = exact.read(self.evidence.budget.room(layout.size_bytes))
        rest = layout.size_bytes - len(kept)
        if not rest:
            wrapper.array = kept
        if self._look is not None and (layout.is_text or not layout.aligned):
            # Without padding, pickle.load would take the bytes of the array for opcodes.
            whole = limited(exact, rest, head=kept)
            self._look(Value(kept, whole, None if layout.aligned else self.memo))
            drain(whole)
        else:
            skip(self._stream, rest)

    def value(self, length: int) -> bytes:
        """Return the first bytes of a value, having read all of it."""
        kept: bytes = self.read(self.evidence.budget.room(length))
        rest = length - len(kept)
        worth = self._look is not None and length >= _LEAST_LOOK_BYTES and kept[0] in _BEGINNINGS
        if rest or worth:
            whole = limited(self.frames, rest, head=kept)
            if self._look is not None and worth:
                self._look(Value(kept, whole))
            drain(whole)
        return kept

    def text(self, length: int, *, code: str = "utf-8") -> str:
        """Return the first characters of a text, having read all of it."""
        if length < _LEAST_LOOK_BYTES and code == "utf-8":
            return str(self.read(length), code, "surrogatepass")
        kept = self.read(self.evidence.budget.text(length))
        rest = length - len(kept)
        if self._look is not None and LIGHTGBM_MAGIC.match(kept):
            whole = limited(self.frames, rest, head=kept)
            self._look(Value(kept, whole))
            drain(whole)
            return str(kept, "latin-1")
        text = codecs.getincrementaldecoder(code)("surrogatepass").decode(kept, not rest)
        self.evidence.budget.spend_wide(text)
        self.look_at_text(text)
        if rest:
            drain(limited(self.frames, rest))
        return text

    def look_at_text(self, text: str, *, cut: bool = False) -> None:
        """Show a text that bytes may travel in; a line that was cut has more than is kept."""
        if self._look is None or len(text) < _LEAST_LOOK_BYTES:
            return
        content = b""
        try:
            if _BASE64.match(text):
                content = binascii.a2b_base64(text)
            elif _HEXADECIMAL.match(text):
                content = bytes.fromhex(text)
            elif LIGHTGBM_MAGIC.match(text[:_PRIMED].encode()):
                if cut:
                    self.evidence.problem("a model within it is a line too long to be read")
                    text = text.partition("\n\n")[0]
                content = text.encode()
            elif "\n" in text or not text.isascii():
                content = text.encode("latin-1")
        except ValueError:
            return
        if content:
            self._look(Value(content, buffered(content)))


def _kept(made: Inert) -> Global | None:
    """Return the function that a partial keeps, which is what calling it calls."""
    if made.origin != _PARTIAL or not made.arguments:
        return None
    kept = made.arguments[0]
    if made.state is not None:  # which may put another in its place
        agrees = isinstance(made.state, tuple) and made.state and made.state[0] == kept
        return kept if agrees and isinstance(kept, Global) else None
    return kept if isinstance(kept, Global) else None
