from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import re
import signal
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from brinery.pickles.bounds import Broken, Budget, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.scanner import scan
from brinery.pickles.streams import buffered
from brinery.pickles.stubs import InertUnpickler
from brinery.pickles.ubjson import Reader
from brinery.records.scan import Global, Verdict

GIGABYTE = 1 << 30
BECAME = re.compile(r"become more than ([\d,]+)")
BYTES_8 = b"\x80\x05\x8e"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pkl"


@contextmanager
def not_for_ever() -> Iterator[None]:
    """Fail a block that a bomb keeps busy; what ends at all takes a hundredth of this."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail("it does not end")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(300)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def check(file: Path, content: bytes, problem: str) -> str:
    """Scan, and make sure that it ends, with a problem, which is returned."""
    file.write_bytes(content)
    with not_for_ever():
        report = scan(file)
    assert report.verdict is Verdict.MALFORMED
    assert any(problem in one for one in report.problems), report.problems
    return next(one for one in report.problems if problem in one)


def became(problem: str) -> int:
    """How many bytes were decompressed when a bomb was refused, as the problem says."""
    found = BECAME.search(problem)
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("module", [gzip, bz2, lzma], ids=["gzip", "bz2", "xz"])
def test_two_gigabytes_in_a_small_file(file: Path, module: Any) -> None:
    """A small file that decompresses to gigabytes is refused long before they are there."""
    packed = module.compress
    part = packed(bytes(64 << 20))
    head = packed(BYTES_8 + struct.pack("<Q", 2 * GIGABYTE))
    content = head + part * 32
    assert len(content) < 10 << 20
    assert became(check(file, content, "as only a bomb's do")) < GIGABYTE


def test_two_gigabytes_of_zlib(file: Path) -> None:
    """A bomb of zlib, which has one stream only, is refused as early."""
    machine = zlib.compressobj()
    content = machine.compress(BYTES_8 + struct.pack("<Q", 2 * GIGABYTE))
    content += b"".join(machine.compress(bytes(1 << 20)) for _ in range(400))
    problem = check(file, content + machine.flush(), "as only a bomb's do")
    assert became(problem) < 300 << 20


def test_two_gigabytes_in_an_archive(file: Path) -> None:
    """A member that decompresses to gigabytes is refused, and what came before it is told."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"cposix\nsystem\n(S'true'\ntR.")
        with archive.open("a/data/0", "w", force_zip64=True) as member:
            for _ in range(400):
                member.write(bytes(1 << 20))
    assert became(check(file, held.getvalue(), "as only a bomb's do")) < 300 << 20
    assert scan(file).asked(Verdict.DANGEROUS) == ("posix.system",)


def laughs(depth: int, *, tuples: bool) -> bytes:
    """A value that refers twice to one that refers twice to one …, so deep."""
    if tuples:
        return b"\x80\x04)" + b"2\x86" * depth + b"."
    parts = [b"\x80\x04]\x94"]
    parts += [b"](h%ch%ce\x94" % (place, place) for place in range(depth)]
    return b"".join(parts) + b"."


@pytest.mark.parametrize("tuples", [False, True])
def test_a_billion_laughs(file: Path, *, tuples: bool) -> None:
    """A memo that doubles and doubles is refused, though it takes no memory to read."""
    check(file, laughs(60, tuples=tuples), "refers to itself so often")


def test_a_little_laughter(file: Path) -> None:
    """A value that is referred to often, as honest models do, is no problem."""
    shared = ["x"] * 100
    file.write_bytes(pickle.dumps([[shared] * 100 for _ in range(100)]))
    assert scan(file).problems == ()


@pytest.mark.parametrize("content", [b")" + b"\x85" * 300_000, b"]" * 100_000 + b"a" * 99_999])
def test_values_that_lie_too_deep(file: Path, content: bytes) -> None:
    """A value nested deeper than any pickler goes is refused: it would crash what walks it."""
    check(file, b"\x80\x02" + content + b".", "deep within itself")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"(" * 1_000_000, "marks of it are open at once"),
        (b"".join(b"ca\nb%d\n0" % place for place in range(20_000)), "more than 10,000 names"),
        (b"\x8b" + struct.pack("<i", 1 << 30) + b"\x01" * 100, "a number of it has 1,073"),
        (b"\x8b" + struct.pack("<i", -5), "a number of it has -5 bytes"),
        (b"Nr\xff\xff\xff\xff.", "its memo lies: it puts at 4,294,967,295"),
        (b"N2q\x00]q\x00.", "its memo lies: what was put there is put over"),
        (b"h\x07.", "its memo lies: BINGET"),
        (b"\x95" + struct.pack("<Q", 1 << 60) + b"N.", "its last frame is longer"),
        (b"cbuiltins\nbytearray\n(I2147483648\ntR.", "for 2,147,483,648 bytes at once"),
        (
            b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I2147483648\ntS'b'\ntR.",
            "items at once",
        ),
    ],
)
def test_other_bombs(file: Path, content: bytes, problem: str) -> None:
    """What takes memory or time without a reason is refused in plain words."""
    check(file, b"\x80\x05" + content, problem)


@pytest.mark.parametrize("code", [b"B", b"X", b"\x8d", b"\x8e", b"\x96", b"T"])
def test_lengths_that_lie(file: Path, code: bytes) -> None:
    """A length beyond the file's end takes no memory."""
    form = "<Q" if code in b"\x8d\x8e\x96" else "<i"
    length = struct.pack(form, 1 << 60 if form == "<Q" else (1 << 31) - 1)
    tracemalloc.start()
    try:
        check(file, b"\x80\x05" + code + length + b"abc.", "cut off")
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 64 << 20


def test_layers_upon_layers(file: Path) -> None:
    """Layers of compression, and pickles within pickles, are followed so far and no further."""
    content = pickled = pickle.dumps(1)
    for _ in range(10):
        content = gzip.compress(content)
        pickled = pickle.dumps(pickled)
    check(file, content, "deep within each other")
    check(file, pickled, "deep within each other")


MEMORY = """
import sys
from pathlib import Path
from brinery.pickles.scanner import scan
report = scan(Path(sys.argv[1]))
print(report.format, report.verdict, len(report.findings))
status = Path("/proc/self/status").read_text().split()
print(int(status[status.index("VmHWM:") + 1]) >> 10)
"""


def measured(file: Path) -> tuple[str, int]:
    """What a scan in a process of its own finds, and how many megabytes it took at most."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(file)], capture_output=True, text=True, check=True
    )
    found, megabytes = done.stdout.splitlines()
    return found, int(megabytes)


WRAPPER = (
    b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(S'shape'\n(I%d\ntS'order'\nS'C'\n"
    b"S'dtype'\ncnumpy\ndtype\n(S'f8'\nI0\nI1\ntRS'numpy_array_alignment_bytes'\nI16\nub"
)


@pytest.mark.slow
def test_a_model_of_two_gigabytes(file: Path) -> None:
    """An honest model of more than two gigabytes is read in little memory."""
    count = 270_000_000
    with file.open("wb") as stream:
        stream.write(WRAPPER % count)
        stream.write(b"\x0f" + b"\xff" * 15)
        stream.seek(count * 8, io.SEEK_CUR)  # a hole: it takes no disk
        stream.write(b".")
    assert file.stat().st_size > 2 * GIGABYTE
    found, megabytes = measured(file)
    assert found == "joblib safe 2"
    assert megabytes < 60


def test_a_large_value_in_little_memory(file: Path) -> None:
    """A value of hundreds of megabytes is read in parts, compressed or not."""
    noise = np.random.default_rng(0).bytes(20_000_000)
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(BYTES_8 + struct.pack("<Q", len(noise) * 10))
        for _ in range(10):
            stream.write(noise)
        stream.write(b".")
    found, megabytes = measured(file)
    assert found == "pickle safe 0"
    assert megabytes < 60


@pytest.mark.slow
def test_many_opcodes(file: Path) -> None:
    """More opcodes than any honest model has are refused, in bounded memory."""
    file.write_bytes(b"\x80\x04" + b"]" * 13_000_000)
    found, megabytes = measured(file)
    assert found == "pickle malformed 0"
    assert megabytes < 1500


def block(content: bytes) -> bytes:
    """Deflated bytes that may be repeated."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(content) + machine.flush(zlib.Z_FULL_FLUSH)


def test_layers_that_each_grow_a_little(file: Path) -> None:
    """Compression grows so much in all its layers, not in each: two of them make no bomb."""
    zeros = bytes(1 << 24)
    unit = block(zeros)
    unit += b"\0\0\0\xff\xff" * ((len(zeros) // 245 - len(unit)) // 5)  # nothing, packed
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block(BYTES_8 + struct.pack("<Q", GIGABYTE))
    content = gzip.compress(head + unit * 10)
    assert len(content) < 10_000
    check(file, content, "in all its layers of compression, as only a bomb's do")


def test_very_many_streams(file: Path) -> None:
    """Streams of nothing, one after another, are parts like any other."""
    content = gzip.compress(b"\x80\x04") + gzip.compress(b"") * 70_000 + gzip.compress(b"N.")
    check(file, content, "more than 65,536 parts")


@pytest.mark.parametrize("kind", [b"Z", b"T", b"F", b"N"])
def test_values_without_bytes(kind: bytes) -> None:
    """UBJSON that states millions of values and has a byte of none is refused."""
    content = b"{L" + struct.pack(">q", 1) + b"a[$" + kind + b"#L" + struct.pack(">q", 9_000_000)
    with pytest.raises(Broken, match="without a byte of their own"):
        Reader(buffered(content), frozenset(), Budget()).read()


def test_ubjson_counts() -> None:
    """Values of UBJSON count as opcodes do, and its texts as texts, in all parts of a file."""
    values = b"{i\1a[" + b"[]" * 100 + b"]}"
    budget = Budget()
    Reader(buffered(values), frozenset(), budget).read()
    assert Budget().steps - budget.steps > 100
    with pytest.raises(TooMuch):
        Reader(buffered(values), frozenset(), Budget(steps=50)).read()
    texts = b"{i\1a[" + (b"SU\x64" + b"a" * 100) * 20 + b"]}"
    with pytest.raises(TooMuch):
        Reader(buffered(texts), frozenset(), Budget(text_bytes=1_000)).read()


def loaded(content: bytes, budget: Budget) -> Evidence:
    """What a pickle says that is read with so much left."""
    evidence = Evidence(budget)
    InertUnpickler(buffered(b"\x80\x04" + content), evidence).load()
    return evidence


@pytest.mark.parametrize(
    ("content", "budget"),
    [
        pytest.param(b"\x8f" * 5_000, Budget(steps=10_000), id="sets"),
        pytest.param(b"X\x50\0\0\0" + "é".encode() * 40, Budget(text_bytes=100), id="text"),
        pytest.param(b"V\\U0001F600" + b"a" * 50 + b"\n", Budget(text_bytes=100), id="line"),
        pytest.param(b"\x8a\xff" + b"\1" * 255, Budget(text_bytes=100), id="long1"),
        pytest.param(b"\x8b\x90\1\0\0" + b"\1" * 400, Budget(text_bytes=100), id="long4"),
        pytest.param(b"I0x" + b"f" * 200 + b"\n", Budget(text_bytes=100), id="int"),
        pytest.param(b"L" + b"1" * 200 + b"L\n", Budget(text_bytes=100), id="long"),
    ],
)
def test_what_takes_memory_counts(content: bytes, budget: Budget) -> None:
    """What takes more memory than its opcode has bytes is counted as what it takes."""
    with pytest.raises(TooMuch):
        loaded(content + b".", budget)


@pytest.mark.parametrize("code", [b"I", b"L", b"F", b"g", b"p", b"P", b"cposix\n"])
def test_lines_that_are_no_text(file: Path, code: bytes) -> None:
    """A line that is a number or a name is short."""
    content = b"\x80\x02" + code + b"1" * 10_000 + b"\n."
    check(file, content, "a line of it has more than 8,192 bytes")


@pytest.mark.parametrize("escape", [b"\\u0041", b"\\U0001F600", b"\\\\"])
@pytest.mark.parametrize("offset", range(12))
def test_lines_that_are_long_texts(escape: bytes, offset: int) -> None:
    """Of a long text its beginning is kept, to before an escape that would be cut in two."""
    text = b"a" * ((1 << 20) - offset) + escape + b"b" * 100
    for line in (b"V" + text + b"\n", b"S'" + text.replace(b"\\u", b"\\x") + b"'\n"):
        content = line + b"0cposix\nsystem\n."
        evidence = loaded(content, Budget())
        assert [str(name) for name in evidence.names] == ["posix.system"]


def test_reasons_without_end() -> None:
    """Thousands of reasons against a name are not all told; the one that is worst is."""
    evidence = Evidence(Budget())
    name = Global("a", "b")
    evidence.ask(name, "GLOBAL")
    for place in range(5_000):
        evidence.doubt(name, f"its __a{place} is set")
    evidence.doubt(name, "it is worse", verdict=Verdict.DANGEROUS)
    for place in range(5_000):
        evidence.doubt(name, f"its __b{place} is set " + "x" * 5_000, verdict=Verdict.DANGEROUS)
    whole = Evidence(Budget())
    whole.adopt(evidence)
    for told in (evidence.findings(), whole.findings()):
        assert told[0].verdict is Verdict.DANGEROUS
        assert "it is worse" in told[0].reason
        assert len(told[0].reason) < 25_000


def test_code_that_names_the_same_again(file: Path) -> None:
    """The names of code count each time, because one tuple may be the names of thousands."""
    names = b"(" + b"".join(b"\x8c\x06a%05d" % place for place in range(9_000)) + b"tq\x010"
    code = b"ctypes\nCodeType\nq\x020"
    content = b"\x80\x04" + names + code + b"h\x02h\x01\x85R0" * 2_000 + b"N."
    check(file, content, "more than 12,000,000 opcodes")
