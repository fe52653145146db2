from __future__ import annotations

import _compat_pickle
import io
import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brinery.pickles.bounds import Broken, Budget, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.streams import buffered
from brinery.pickles.stubs import InertUnpickler
from brinery.records.scan import Finding

MAX_STEPS = 20_000

DAMAGE = (Exception, RecursionError)


def read(content: bytes, **options: Any) -> Evidence:
    """What the machine tells of a pickle, read to its end or to where it broke."""
    evidence = Evidence(Budget(steps=MAX_STEPS))
    try:
        InertUnpickler(buffered(content), evidence, **options).load()
    except Broken as broken:
        evidence.problem(str(broken))
    return evidence


def reached(content: bytes) -> dict[str, set[str]]:
    """The names that a pickle asks for, each with the opcodes that asked for it and used it."""
    return {str(finding.name): set(finding.reached) for finding in read(content).findings()}


def finding(content: bytes, name: str) -> Finding:
    (found,) = (one for one in read(content).findings() if str(one.name) == name)
    return found


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"cm\nn\n.", {"m.n": {"GLOBAL"}}),
        (b"cm\nn\n)R.", {"m.n": {"GLOBAL", "REDUCE"}}),
        (b"(im\nn\n.", {"m.n": {"INST"}}),
        (b"(I1\nim\nn\n.", {"m.n": {"INST"}}),
        (b"(cm\nn\no.", {"m.n": {"GLOBAL", "OBJ"}}),
        (b"(cm\nn\nI1\no.", {"m.n": {"GLOBAL", "OBJ"}}),
        (b"\x80\x02cm\nn\n)\x81.", {"m.n": {"GLOBAL", "NEWOBJ"}}),
        (b"\x80\x04cm\nn\n)}\x92.", {"m.n": {"GLOBAL", "NEWOBJ_EX"}}),
        (b"\x80\x04cm\nn\n)\x81}b.", {"m.n": {"GLOBAL", "NEWOBJ", "BUILD"}}),
        (b"\x80\x04" + short("m") + short("n") + b"\x93.", {"m.n": {"STACK_GLOBAL"}}),
        (b"\x80\x02\x82\x07.", {"copyreg.extension_7": {"EXT"}}),
        (b"\x80\x02\x83\x07\x01.", {"copyreg.extension_263": {"EXT"}}),
        (b"\x80\x02\x84\x07\x00\x01\x00.", {"copyreg.extension_65543": {"EXT"}}),
        (b"(cm\nn\nI1\ntQ.", {"m.n": {"GLOBAL", "PERSID"}}),
        (
            b"ccopyreg\n_reconstructor\n(cm\nn\nc__builtin__\nobject\nNtR}b.",
            {
                "copyreg._reconstructor": {"GLOBAL", "REDUCE"},
                "m.n": {"GLOBAL", "BUILD"},
                "builtins.object": {"GLOBAL"},
            },
        ),
    ],
)
def test_how_a_name_is_reached(content: bytes, expected: dict[str, set[str]]) -> None:
    """Every way to ask for a name and every way to use it is told, by its opcode."""
    assert reached(content) == expected


def test_names_of_memoised_strings() -> None:
    """A name whose parts come out of the memo, in whatever order, is told as it is asked for."""
    content = b"\x80\x04" + short("system") + b"\x94" + short("os") + b"\x940" + b"0h\x01h\x00\x93."
    assert reached(content) == {"os.system": {"STACK_GLOBAL"}}


@pytest.mark.parametrize(
    "push",
    [
        b"S'os'\n",
        b'S"o\\x73"\n',
        b"Vos\n",
        b"Vo\\u0073\n",
        b"T\x02\x00\x00\x00os",
        b"U\x02os",
        b"X\x02\x00\x00\x00os",
        b"\x8d\x02\x00\x00\x00\x00\x00\x00\x00os",
        b"\x8c\x02os",
        b"\x8c\x02os2\x940",
        b"\x8c\x02os\x940h\x00",
    ],
)
def test_names_of_every_kind_of_string(push: bytes) -> None:
    """A name is found whichever opcode pushes its parts, and whatever escapes are in them."""
    assert reached(b"\x80\x04" + push + b"\x8c\x06system\x93.") == {"os.system": {"STACK_GLOBAL"}}


def test_a_name_that_is_computed() -> None:
    """A name that only running the pickle would tell is a problem; what computes it is named."""
    join = b"\x80\x04cbuiltins\nstr\n\x8c\x02os\x85R" + short("system") + b"\x93)R."
    evidence = read(join)
    assert [str(name) for name in evidence.names] == ["builtins.str"]
    assert "only running it would tell: what builtins.str makes" in evidence.problems[0]


@pytest.mark.parametrize(("module", "name"), sorted(_compat_pickle.NAME_MAPPING))
def test_mapped_names(module: str, name: str) -> None:
    """Names of Python 2 are those that Python 3 looks up, below protocol 3 and only there."""
    asked = f"c{module}\n{name}\n.".encode()
    (mapped,) = reached(asked)
    assert mapped == ".".join(_compat_pickle.NAME_MAPPING[module, name])
    (plain,) = reached(b"\x80\x03" + asked)
    assert plain == f"{module}.{name}"


def test_mapped_modules() -> None:
    """A module of Python 2 is mapped where its name is not, and never twice."""
    for module, mapped in _compat_pickle.IMPORT_MAPPING.items():
        assert list(reached(f"c{module}\nxyzzy\n.".encode())) == [f"{mapped}.xyzzy"]


def test_the_last_protocol_decides() -> None:
    """A second PROTO switches the mapping on again, as it does for pickle.load."""
    assert list(reached(b"\x80\x04\x80\x02c__builtin__\neval\n.")) == ["builtins.eval"]
    assert list(reached(b"\x80\x02\x80\x04c__builtin__\neval\n.")) == ["__builtin__.eval"]


def test_dotted_names_stay_as_they_are() -> None:
    """A dotted name is told whole, and is never taken for the name at its end."""
    content = b"\x80\x04" + short("sklearn.utils") + short("os.system") + b"\x93."
    assert finding(content, "sklearn.utils.os.system").name.module == "sklearn.utils"
    assert finding(content, "sklearn.utils.os.system").verdict != "safe"
    whole = b"\x80\x04" + short("sklearn") + short("pipeline.Pipeline") + b"\x93."
    assert finding(whole, "sklearn.pipeline.Pipeline").verdict != "safe"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"c__main__\nX\n)R)R.", "what it makes is called in turn"),
        (b"csklearn.pipeline\nPipeline\n)\x81)R.", "what it makes is called in turn"),
        (b"csklearn.pipeline\nPipeline\n}b.", "its own attributes are set"),
        (
            b"csklearn.pipeline\nPipeline\n)\x81(N}S'__class__'\nI1\nstb.",
            "its __class__ is set",
        ),
        (b"\x82\x01.", "extension code 1"),
    ],
)
def test_safe_names_in_unsafe_use(content: bytes, what: str) -> None:
    """A name that is safe in itself is not where it is used as no model uses it."""
    (found,) = read(b"\x80\x02" + content).findings()
    assert found.verdict in ("needs-trust", "dangerous")
    assert what in found.reason


class Anything:
    """Whatever a pickle wants made: it takes all and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Any:
        return Anything()

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    def extend(self, items: Any) -> None:
        pass

    def add(self, item: Any) -> None:
        pass


class Recorder(pickle.Unpickler):
    """The C machine with names that are recorded and not looked up."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.asked: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Return a class that does nothing."""
        self.asked.add(f"{module}.{name}")
        return type("Something", (Anything,), {})


def asked_by_c(content: bytes) -> set[str] | None:
    """The names that the C machine asks for; None where it refuses the pickle."""
    machine = Recorder(content)
    try:
        machine.load()
    except DAMAGE:
        return None
    return machine.asked


def _compare(content: bytes) -> None:
    """Compare the names, as far as they can be names: others are escaped, and a problem."""
    asked = asked_by_c(content)
    if asked is None:
        return
    evidence = read(content)
    found = {str(name) for name in evidence.names}
    if any("a name that nothing has" in problem for problem in evidence.problems):
        assert len(found) <= len(asked)
        asked = {name for name in asked if name.isprintable() and all(name.split("."))}
        assert asked <= found
    else:
        assert found == asked


words = st.sampled_from(["m", "pkg.mod", "Name", "a.b", "x" * 40, "é"])
texts = words | st.text(max_size=12)


def _counted(code: bytes, form: str) -> Callable[[bytes], bytes]:
    return lambda data: code + struct.pack(form, len(data)) + data


def _line(text: str) -> bytes:
    return text.replace("\n", " ").encode("utf-8", "surrogatepass")


strings = st.one_of(
    texts.map(lambda t: _counted(b"X", "<I")(t.encode("utf-8", "surrogatepass"))),
    texts.map(lambda t: _counted(b"\x8d", "<Q")(t.encode("utf-8", "surrogatepass"))),
    words.map(lambda t: _counted(b"\x8c", "<B")(t.encode())),
    words.map(lambda t: b"V" + t.encode("raw-unicode-escape") + b"\n"),
    st.sampled_from([b"S'mod'\n", b'S"a\\x62"\n', b"U\x01m", b"T\x02\x00\x00\x00mn"]),
)
scalars = st.one_of(
    strings,
    st.sampled_from([b"N", b"\x88", b"\x89", b"I5\n", b"I01\n", b"L7L\n", b"F1.5\n", b"K\x07"]),
    st.sampled_from([b"M\x01\x02", b"J\x01\x00\x00\x00", b"\x8a\x01\x05", b"G" + b"\0" * 8]),
    st.binary(max_size=20).map(_counted(b"C", "<B")),
    st.binary(max_size=20).map(_counted(b"B", "<I")),
    st.binary(max_size=20).map(_counted(b"\x8e", "<Q")),
    st.binary(max_size=20).map(_counted(b"\x96", "<Q")),
    st.sampled_from([b")", b"]", b"}", b"\x8f"]),
)
globals_ = st.one_of(
    st.tuples(words, words).map(lambda p: f"c{p[0]}\n{p[1]}\n".encode()),
    st.tuples(strings, strings).map(lambda p: p[0] + p[1] + b"\x93"),
    st.tuples(words, words).map(lambda p: f"(i{p[0]}\n{p[1]}\n".encode("ascii", "ignore")),
)


def _compound(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    several = st.lists(inner, max_size=3).map(b"".join)
    made = st.one_of(
        st.tuples(globals_, several).map(lambda p: p[0] + b"(" + p[1] + b"tR"),
        st.tuples(globals_, several).map(lambda p: b"(" + p[0] + p[1] + b"o"),
        st.tuples(globals_, several).map(lambda p: p[0] + b"(" + p[1] + b"t\x81"),
        st.tuples(globals_, several).map(lambda p: p[0] + b"(" + p[1] + b"t}\x92"),
    )
    return st.one_of(
        made,
        several.map(lambda p: b"(" + p + b"t"),
        several.map(lambda p: b"(" + p + b"l"),
        several.map(lambda p: b"](" + p + b"e"),
        inner.map(lambda p: b"]" + p + b"a"),
        inner.map(lambda p: p + b"\x85"),
        st.tuples(inner, inner).map(lambda p: p[0] + p[1] + b"\x86"),
        st.tuples(inner, inner, inner).map(lambda p: b"".join(p) + b"\x87"),
        st.tuples(strings, inner).map(lambda p: b"}" + p[0] + p[1] + b"s"),
        st.tuples(strings, inner).map(lambda p: b"}(" + p[0] + p[1] + b"u"),
        st.tuples(strings, inner).map(lambda p: b"(" + p[0] + p[1] + b"d"),
        st.tuples(made, inner).map(lambda p: p[0] + p[1] + b"b"),
        st.tuples(made, several).map(lambda p: p[0] + b"(" + p[1] + b"e"),
        several.map(lambda p: b"\x8f(" + p + b"\x90"),
        several.map(lambda p: b"(" + p + b"\x91"),
        inner.map(lambda p: p + b"\x94"),
        inner.map(lambda p: p + b"q\x03h\x03\x86"),
        inner.map(lambda p: p + b"p7\ng7\n\x86"),
        inner.map(lambda p: p + b"r\x09\x00\x00\x00j\x09\x00\x00\x00\x86"),
        inner.map(lambda p: p + b"2\x86"),
        inner.map(lambda p: p + b"N0"),
        inner.map(lambda p: b"(" + p + b"1N"),
        inner.map(lambda p: b"\x95" + struct.pack("<Q", len(p)) + p),
    )


values = st.recursive(scalars | globals_, _compound, max_leaves=12)
pickles = st.tuples(st.sampled_from([b"\x80\x03", b"\x80\x04", b"\x80\x05"]), values).map(
    lambda p: p[0] + p[1] + b"."
)


@settings(max_examples=500, deadline=None)
@given(content=pickles)
@example(content=b"\x80\x04cm\nn\n)R.")
@example(content=b"\x80\x04\x8c\x01m\x94\x8c\x01n\x94h\x00h\x01\x93.")
@example(content=b"\x80\x04cm\nn\n)\x81(K\x01K\x02e.")
@example(content=b"\x80\x03]\x95\x11\0\0\0\0\0\0\0\x95\x08\0\0\0\0\0\0\0cm\nm\n(tRa.")
def test_the_names_are_those_that_the_c_machine_asks_for(content: bytes) -> None:
    """Of whatever the C machine accepts, the scan tells exactly the names that it asks for."""
    _compare(content)


def _argument(opcode: Any, draw: Any) -> bytes:
    """An argument that an opcode may have."""
    argument = opcode.arg
    if argument is None:
        return b""
    name = argument.name
    data: bytes = draw(st.binary(max_size=12))
    if name == "stringnl_noescape_pair":
        return b"%s\n%s\n" % (_line(draw(words)), _line(draw(words)))
    if name in ("stringnl", "stringnl_noescape", "unicodestringnl"):
        data = draw(st.sampled_from([b"'a'\n", b"1\n", b"m\n", b"\n"]))
    elif name.startswith("decimalnl") or name == "floatnl":
        data = draw(st.sampled_from([b"0\n", b"1\n", b"-1\n", b"99999\n", b"1L\n", b"x\n"]))
    elif argument.n < 0:
        form = {"1": "<B", "4": "<I", "8": "<Q"}[name[-1]]
        length = draw(st.sampled_from([len(data), 0, 1 << 31, (1 << 64) - 1, 255]))
        data = struct.pack(form, length % (1 << (8 * struct.calcsize(form)))) + data
    else:
        data = draw(st.binary(min_size=argument.n, max_size=argument.n))
    return data


@st.composite
def programs(draw: Any) -> bytes:
    """Opcodes of pickletools in any order, each with an argument that it may have."""
    opcodes = draw(st.lists(st.sampled_from(pickletools.opcodes), max_size=40))
    return b"".join(one.code.encode("latin-1") + _argument(one, draw) for one in opcodes)


@settings(max_examples=500, deadline=None)
@given(
    content=programs(), start=st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"(" * 5 + b"N" * 5])
)
def test_any_program_ends(content: bytes, start: bytes) -> None:
    """Whatever the opcodes, the machine ends: with a value, or with words for why it has none."""
    evidence = Evidence(Budget(steps=MAX_STEPS))
    try:
        InertUnpickler(buffered(start + content), evidence).load()
    except (Broken, TooMuch) as error:
        assert str(error)  # noqa: PT017 - either end is right
    if b"\x80" not in content:
        _compare(b"\x80\x03" + content)


def test_endless_programs_end() -> None:
    """A program of more opcodes than any model has is stopped, and the words say so."""
    for content in (b"(" * 30_000, b"N0" * 30_000, b"]2" * 30_000, b"N\x940" * 30_000):
        with pytest.raises(TooMuch, match="opcodes"):
            InertUnpickler(buffered(content), Evidence(Budget(steps=MAX_STEPS))).load()
