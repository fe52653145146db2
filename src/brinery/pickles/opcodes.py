"""What the opcodes do in which the inert machine differs from the standard library's.

Each takes the machine. It calls nothing, hashes nothing but text, and believes no length.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any

from brinery.pickles import arrays, attributes, costs, dtypes
from brinery.pickles.bounds import KEEP_TEXT_BYTES, MAX_NUMBER_BYTES, Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.getters import is_getter, is_method, looked_up
from brinery.pickles.inert import FROZENSET, OUTSIDE, SET, Inert
from brinery.pickles.policy import judge_state
from brinery.records.scan import Global, Verdict

# A memo index beyond the opcodes that came before is a lie that costs the reader memory.
_MEMO_SLACK = 4096
_MAX_SHOWN = 60

# Numbers beyond this are no keys here: many of them can be made to have the same hash.
_WORD = 1 << 60
_FEW = 10

# What an empty set counts beside its opcode: it takes more memory than any other of one byte.
_SET_STEPS = 2

# What takes items as Python's own lists and sets do.
_TAKE_ITEMS = {
    Global("builtins", "bytearray"),
    Global("builtins", "list"),
    Global("builtins", "set"),
    Global("collections", "deque"),
}

# The dispatch table is private to the standard library's machine and has no public twin.
_Machine: Any = pickle._Unpickler  # noqa: SLF001

# Attributes in which an object says what wrote it, and whose version that is.
_VERSIONS = {
    "_sklearn_version": "scikit-learn",
    "_xgboost_version": "xgboost",
    "_lightgbm_version": "lightgbm",
}


def described(value: Any) -> str:
    """Return in a few words what a value of the machine is."""
    if isinstance(value, Inert):
        return f"what {value.origin} makes" if value.named else "an object that it does not hold"
    if isinstance(value, str):
        return ascii(value[:_MAX_SHOWN])
    if isinstance(value, Global):
        return str(value)
    return f"a value of type {type(value).__name__}"


# Names.


def _proto(machine: Any) -> None:
    declared = machine.read(1)[0]
    if declared > pickle.HIGHEST_PROTOCOL:
        raise Broken(f"it states protocol {declared}, which there is not")
    machine.proto = declared
    machine.evidence.saw_protocol(declared)


def _frame(machine: Any) -> None:
    machine.frames.begin(struct.unpack("<Q", machine.read(8))[0])


def _global(machine: Any) -> None:
    machine.via = "GLOBAL"
    _Machine.load_global(machine)


def _inst(machine: Any) -> None:
    machine.via = "INST"
    _Machine.load_inst(machine)


def _stack_global(machine: Any) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is str and type(module) is str:
        machine.via = "STACK_GLOBAL"
        machine.append(machine.find_class(module, name))
        return
    machine.evidence.problem(
        "it asks for a name that only running it would tell: "
        f"{described(module)}, {described(name)}"
    )
    machine.append(Inert(OUTSIDE))


# Calls.


def _reduce(machine: Any) -> None:
    arguments = machine.stack.pop()
    asked = machine.stack[-1]
    found = looked_up(asked, arguments)
    if found is None:
        machine.stack[-1] = machine.call(asked, arguments, how="REDUCE")
        return
    machine.evidence.acted = True
    machine.evidence.excuse(asked, "REDUCE")
    if isinstance(found, Global):
        machine.evidence.ask(found, "BY NAME")
        if is_method(found):
            machine.evidence.vouch(found)
            machine.evidence.vouch(arguments[0])
    machine.stack[-1] = found


def _newobj(machine: Any) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.call(machine.stack[-1], arguments, how="NEWOBJ")


def _newobj_ex(machine: Any) -> None:
    keywords, arguments = machine.stack.pop(), machine.stack.pop()
    asked = machine.stack[-1]
    whole = (*arguments, keywords) if isinstance(arguments, tuple) else (arguments, keywords)
    made = machine.call(asked, whole, how="NEWOBJ_EX")
    made.arguments = made.arguments[:-1]
    made.append(keywords)
    machine.stack[-1] = made


def _obj(machine: Any) -> None:
    machine.via = "OBJ"
    _Machine.load_obj(machine)


def _build(machine: Any) -> None:
    state = machine.stack.pop()
    made = machine.stack[-1]
    evidence = machine.evidence
    evidence.acted = evidence.acted or isinstance(made, Global | Inert)
    if isinstance(made, Global):
        evidence.ask(made, "BUILD")
        why = "its own attributes are set, not those of an object"
        evidence.doubt(made, why, verdict=Verdict.DANGEROUS)
        return
    if not isinstance(made, Inert):
        raise Broken(f"it gives a state to {described(made)}, which takes none")
    wraps = arrays.is_wrapper(made.origin)
    if wraps and made.state is not None:
        raise Broken("an array is told twice how it lies")
    if made.named and made.state is not None:
        judge(made, made.state, evidence=evidence)  # which the pickle may have changed since
    dtypes.note_state(made, state, evidence=evidence)
    made.build(state)
    if not made.named:
        return
    evidence.ask(made.origin, "BUILD")
    costs.of_state(state, evidence)
    judge(made, state, evidence=evidence)
    for attribute, distribution in _VERSIONS.items():
        version = made.attributes.get(attribute)
        if isinstance(version, str):
            evidence.version(distribution, version)
    if wraps:
        machine.array(made)


def judge(made: Inert, state: Any, *, evidence: Evidence) -> None:
    """Note what is wrong with the state that an object is given."""
    parts = state if isinstance(state, tuple) and len(state) <= _FEW else ()
    judged = judge_state(made.origin, state) if state is not None else None
    if judged is not None:
        evidence.doubt(made.origin, judged[1], verdict=judged[0])
    if words := attributes.strange_state(made, state):
        evidence.doubt(made.origin, words)
    if attributes.is_used(made):
        evidence.used.append(made)
    for given in (state, *parts):
        if not isinstance(given, dict):
            continue
        evidence.budget.spend_steps(len(given))
        judged = judge_state(made.origin, given)
        if judged is not None:
            evidence.doubt(made.origin, judged[1], verdict=judged[0])
        for words in (attributes.strange_name(given), attributes.strange_value(made.origin, given)):
            if words:
                evidence.doubt(made.origin, words)


# Containers.


def _empty_set(machine: Any) -> None:
    machine.evidence.budget.spend_steps(_SET_STEPS)
    machine.append(Inert(SET))


def _frozenset(machine: Any) -> None:
    made, items = Inert(FROZENSET), machine.pop_mark()
    costs.of_hashing(items, machine.evidence)
    made.extend(items)
    machine.append(made)


def _additems(machine: Any) -> None:
    items = machine.pop_mark()
    costs.of_hashing(items, machine.evidence)
    _put_into(machine, items, "ADDITEMS")


def _append(machine: Any) -> None:
    value = machine.stack.pop()
    _put_into(machine, [value], "APPEND")


def _appends(machine: Any) -> None:
    items = machine.pop_mark()
    _put_into(machine, items, "APPENDS")


def _put_into(machine: Any, items: list[Any], how: str) -> None:
    """Keep the items of a list or a set; of what was there before, note that it is changed."""
    held = machine.stack[-1]
    if isinstance(held, Global):
        _change(machine, held, how)
    elif isinstance(held, list | Inert):
        held.extend(items)
        if isinstance(held, Inert) and held.named and held.origin not in _TAKE_ITEMS:
            machine.evidence.ask(held.origin, how)
            machine.evidence.doubt(held.origin, "it is added to, which runs code of its class")
    elif not isinstance(held, bytearray):  # which takes numbers, and they tell nothing
        raise Broken(f"it adds to {described(held)}, which takes nothing")


def _change(machine: Any, held: Global, how: str) -> None:
    machine.evidence.ask(held, how)
    machine.evidence.doubt(held, "it is changed for all of the process", verdict=Verdict.DANGEROUS)


def _dict(machine: Any) -> None:
    items = machine.pop_mark()
    machine.append({})
    _set_items(machine, items, "DICT")


def _setitem(machine: Any) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _set_items(machine, (key, value), "SETITEM")


def _setitems(machine: Any) -> None:
    items = machine.pop_mark()
    _set_items(machine, items, "SETITEMS")


def _set_items(machine: Any, items: Sequence[Any], how: str) -> None:
    """Keep the items, by text or by number: the hash of a nested tuple may take for ever."""
    held = machine.stack[-1]
    costs.of_hashing(items[::2], machine.evidence)
    pairs = list(zip(items[::2], items[1::2], strict=True))
    if isinstance(held, Global):
        _change(machine, held, how)
    elif isinstance(held, dict):
        if id(held) in machine.evidence.sealed:
            machine.evidence.problem(dtypes.CHANGED)
        for key, value in pairs:
            if type(key) is str or (type(key) is int and -_WORD < key < _WORD):
                held[key] = value
            else:
                held[id(key), len(held)] = (key, value)
    elif isinstance(held, Inert):
        held.extend(pairs)
        if held.named and (words := attributes.strange_items(held.origin, pairs)):
            machine.evidence.doubt(held.origin, words)
    elif isinstance(held, list) and all(type(key) is int for key, _ in pairs):
        for key, value in pairs:
            held[key] = value
    else:
        raise Broken(f"it sets an item of {described(held)}, which has none")


def _dup(machine: Any) -> None:
    top = machine.stack[-1]
    if is_getter(top):
        machine.taken(top)
    machine.append(top)


# The memo.


def _put(machine: Any) -> None:
    index = int(machine.readline()[:-1])
    if index < 0:
        raise Broken("its memo lies: it puts at a place below zero")
    _memoize_at(machine, index)


def _binput(machine: Any) -> None:
    _memoize_at(machine, machine.read(1)[0])


def _long_binput(machine: Any) -> None:
    _memoize_at(machine, struct.unpack("<I", machine.read(4))[0])


def _memoize(machine: Any) -> None:
    _memoize_at(machine, len(machine.memo))


def _memoize_at(machine: Any, index: int) -> None:
    memo, value = machine.memo, machine.stack[-1]
    if index in memo and memo[index] is not value:
        machine.evidence.problem("its memo lies: what was put there is put over")
    if index > machine.frames.place + _MEMO_SLACK:
        machine.evidence.problem(f"its memo lies: it puts at {index:,} after few opcodes")
    memo[index] = value


# Values: their lengths may be lies, and some of them are worth a look.


def _binbytes(machine: Any) -> None:
    machine.append(machine.value(struct.unpack("<I", machine.read(4))[0]))


def _binbytes8(machine: Any) -> None:
    machine.append(machine.value(struct.unpack("<Q", machine.read(8))[0]))


def _short_binbytes(machine: Any) -> None:
    machine.append(machine.value(machine.read(1)[0]))


def _bytearray8(machine: Any) -> None:
    machine.append(bytearray(machine.value(struct.unpack("<Q", machine.read(8))[0])))


def _next_buffer(machine: Any) -> None:
    machine.evidence.problem("it asks for buffers kept outside of it, which pickle.load refuses")
    machine.append(b"")


def _readonly_buffer(machine: Any) -> None:
    if not isinstance(machine.stack[-1], bytes | bytearray):
        raise Broken(f"it makes {described(machine.stack[-1])} read-only, which is no buffer")


def _binstring(machine: Any) -> None:
    length = struct.unpack("<i", machine.read(4))[0]
    if length < 0:
        raise Broken("a text of it has a length below zero")
    machine.append(machine.text(length, code="latin-1"))


def _short_binstring(machine: Any) -> None:
    machine.append(machine.text(machine.read(1)[0], code="latin-1"))


def _string(machine: Any) -> None:
    _line(machine, _Machine.load_string)


def _unicode(machine: Any) -> None:
    _line(machine, _Machine.load_unicode)


def _line(machine: Any, load: Callable[[Any], None]) -> None:
    """Keep, count and show a text that is a line."""
    machine.readline, before = machine.frames.text_line, machine.frames.place
    load(machine)
    machine.readline = machine.frames.readline
    text = machine.stack[-1]
    machine.evidence.budget.text(len(text))
    machine.evidence.budget.spend_wide(text)
    machine.look_at_text(text, cut=machine.frames.place - before > KEEP_TEXT_BYTES)


def _binunicode(machine: Any) -> None:
    machine.append(machine.text(struct.unpack("<I", machine.read(4))[0]))


def _binunicode8(machine: Any) -> None:
    machine.append(machine.text(struct.unpack("<Q", machine.read(8))[0]))


def _short_binunicode(machine: Any) -> None:
    machine.append(machine.text(machine.read(1)[0]))


def _int(machine: Any) -> None:
    before = machine.frames.place
    _Machine.load_int(machine)
    machine.evidence.budget.text(machine.frames.place - before)


def _long(machine: Any) -> None:
    before = machine.frames.place
    _Machine.load_long(machine)
    machine.evidence.budget.text(machine.frames.place - before)


def _long1(machine: Any) -> None:
    _number(machine, machine.read(1)[0])


def _long4(machine: Any) -> None:
    length = struct.unpack("<i", machine.read(4))[0]
    if not 0 <= length <= MAX_NUMBER_BYTES:
        raise Broken(f"a number of it has {length:,} bytes")
    _number(machine, length)


def _number(machine: Any, length: int) -> None:
    machine.evidence.budget.text(length)
    machine.append(pickle.decode_long(machine.read(length)))


OPCODES: dict[int, Callable[[Any], None]] = {
    code[0]: function
    for code, function in {
        pickle.PROTO: _proto,
        pickle.FRAME: _frame,
        pickle.GLOBAL: _global,
        pickle.INST: _inst,
        pickle.STACK_GLOBAL: _stack_global,
        pickle.REDUCE: _reduce,
        pickle.NEWOBJ: _newobj,
        pickle.NEWOBJ_EX: _newobj_ex,
        pickle.OBJ: _obj,
        pickle.BUILD: _build,
        pickle.EMPTY_SET: _empty_set,
        pickle.FROZENSET: _frozenset,
        pickle.ADDITEMS: _additems,
        pickle.APPEND: _append,
        pickle.APPENDS: _appends,
        pickle.DICT: _dict,
        pickle.SETITEM: _setitem,
        pickle.SETITEMS: _setitems,
        pickle.PUT: _put,
        pickle.BINPUT: _binput,
        pickle.LONG_BINPUT: _long_binput,
        pickle.MEMOIZE: _memoize,
        pickle.DUP: _dup,
        pickle.BINBYTES: _binbytes,
        pickle.BINBYTES8: _binbytes8,
        pickle.SHORT_BINBYTES: _short_binbytes,
        pickle.BYTEARRAY8: _bytearray8,
        pickle.NEXT_BUFFER: _next_buffer,
        pickle.READONLY_BUFFER: _readonly_buffer,
        pickle.BINSTRING: _binstring,
        pickle.SHORT_BINSTRING: _short_binstring,
        pickle.STRING: _string,
        pickle.UNICODE: _unicode,
        pickle.BINUNICODE: _binunicode,
        pickle.BINUNICODE8: _binunicode8,
        pickle.SHORT_BINUNICODE: _short_binunicode,
        pickle.INT: _int,
        pickle.LONG: _long,
        pickle.LONG1: _long1,
        pickle.LONG4: _long4,
    }.items()
}
