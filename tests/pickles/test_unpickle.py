from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from brinery.pickles.child import ChildProcess
from brinery.pickles.scanner import scan
from brinery.pickles.unpickle import rewrite, unpickle

# Loads a file with the names it is told, and answers what came of it.
LOADER = """
import json, sys
from pathlib import Path
from brinery.pickles.frames import Channel
from brinery.pickles.unpickle import enter_child, unpickle

def described(found):
    if hasattr(found, "dtype"):
        flags = found.flags
        values = found.tolist() if found.dtype.names is None else str(found.tolist())
        return [type(found).__name__, str(found.dtype), list(found.shape), values,
                flags.f_contiguous, flags.writeable]
    if isinstance(found, dict):
        return {str(key): described(value) for key, value in found.items()}
    return repr(found)

enter_child()
channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
while True:
    path, names = json.loads(channel.receive()[0])
    try:
        said = described(unpickle(Path(path), names))
    except Exception as error:
        said = type(error).__name__ + ": " + str(error)
    channel.send(json.dumps(said, default=str).encode())
"""

Told = Callable[..., Any]

IN_CHILD = """
import sys
from pathlib import Path
from brinery.pickles.unpickle import enter_child, rewrite, unpickle
enter_child()
held = unpickle(Path(sys.argv[1]), ())
held["also"] = [2.5]
rewrite(held, Path(sys.argv[2]))
"""


class Touch:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


def test_unpickle_outside_a_child(tmp_path: Path) -> None:
    """A process that was not made for a model refuses to load one, and runs nothing of it."""
    marker, file = tmp_path / "marker", tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Touch(marker)))
    with pytest.raises(RuntimeError, match="in a child process only"):
        unpickle(file, {"pathlib.Path.touch"})
    assert not marker.exists()


def test_rewrite_outside_a_child(tmp_path: Path) -> None:
    """A process that was not made for a model refuses to write one."""
    with pytest.raises(RuntimeError, match="in the child that holds it only"):
        rewrite({}, tmp_path / "model.pkl")
    assert list(tmp_path.iterdir()) == []


def test_in_a_child(tmp_path: Path) -> None:
    """In a child a file is loaded, and written as a plain pickle of protocol 5."""
    file, again = tmp_path / "model.pkl", tmp_path / "again.pkl"
    file.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    subprocess.run([sys.executable, "-c", IN_CHILD, str(file), str(again)], check=True)
    assert again.read_bytes() == pickle.dumps({"a": 1, "also": [2.5]}, protocol=5)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What comes of loading bytes with the names given, in a child."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "loader.py").write_text(LOADER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        child = ChildProcess("loader", timeout_s=240)

    def tell(content: bytes, *names: str) -> Any:
        file = child.inbox / "file"
        file.write_bytes(content)
        header, _ = child.ask(json.dumps([str(file), names]).encode())
        return json.loads(header)

    with child:
        yield tell


def joblib_bytes(held: object, **options: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(held, stream, **options)
    return stream.getvalue()


def names_in(content: bytes, folder: Path) -> list[str]:
    file = folder / "scanned"
    file.write_bytes(content)
    return [str(name) for name in scan(file).globals]


@pytest.mark.parametrize("protocol", range(6))
def test_listed_names(told: Told, tmp_path: Path, protocol: int) -> None:
    """What is listed by the scan is found, in every protocol, by its name in Python 3."""
    held = {"a": OrderedDict(b=1), "c": Decimal(2), "d": {1}, "e": b"f", "g": 1j}
    content = pickle.dumps(held, protocol=protocol)
    found = told(content, *names_in(content, tmp_path))
    assert found["c"] == "Decimal('2')"
    assert found["g"] == "1j"


UNLISTED = [
    b"cos\ngetcwd\n)R.",
    b"(ios\ngetcwd\n.",
    b"\x80\x04\x8c\x02os\x8c\x06getcwd\x93)R.",
    b"\x80\x04\x8c\x0bcollections\x8c\x1aabc.sys.modules.os.getcwd.\x93.",
    b"\x80\x04\x8c\x0bcollections\x8c\x13OrderedDict.__new__\x93.",
    b"\x80\x04\x8c\x17collections.OrderedDict\x8c\x00\x93.",
    b"c__builtin__\neval\n.",
    b"cbuiltins\neval\n.",
]


@pytest.mark.parametrize("content", UNLISTED)
def test_unlisted_names(told: Told, content: bytes) -> None:
    """A name that is not listed is refused before it is looked up, and named."""
    said = told(content, "collections.OrderedDict", "decimal.Decimal")
    assert said.startswith("NotTrusted: the file asks for ")


def test_unlisted_name_in_words(told: Told) -> None:
    """A name made of terminal escapes is shown by its codes."""
    said = told(b"\x80\x04\x8c\x05\x1b[2Jm\x8c\x01n\x93.")
    assert "\\x1b[2Jm.n" in said


@pytest.mark.parametrize("content", [b"\x82\x01.", b"\x83\x01\x00.", b"\x84\x01\x00\x00\x00."])
def test_extension_codes(told: Told, content: bytes) -> None:
    """A code of the extension registry stands for nothing."""
    assert told(content).startswith("ValueError: unregistered extension code")


@pytest.mark.parametrize("content", [b"Pid\n.", b"X\x02\x00\x00\x00idQ.", b"\x80\x05\x97."])
def test_what_lies_elsewhere(told: Told, content: bytes) -> None:
    """What a pickle keeps elsewhere, by an id or a buffer, is not there."""
    assert told(content).startswith("UnpicklingError")


RECORDS = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
ARRAYS: list[Any] = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(6, dtype=">i4"),
    np.array(["a", "bc"], dtype=object),
    np.array([["a", None], ["b", 1.5]], dtype=object),
    np.array(["a", "bc"]),
    np.array(5.0),
    np.empty((0, 3)),
    np.empty((2, 0)),
    np.array([True, False]),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
    RECORDS,
    np.arange(100_000, dtype=np.int16),
]


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_arrays_of_joblib(told: Told, tmp_path: Path, compress: Any) -> None:
    """Arrays come out as joblib's own reader has them, whatever their type, order or packing."""
    held = {str(number): array for number, array in enumerate(ARRAYS)}
    content = joblib_bytes(held, compress=compress)
    found = told(content, *names_in(content, tmp_path))
    expected = joblib.load(io.BytesIO(content))  # noqa: TID251 - our own bytes
    for name, array in expected.items():
        kind, dtype, shape, values, fortran, writeable = found[name]
        assert (kind, dtype, tuple(shape)) == ("ndarray", str(array.dtype), array.shape)
        wanted = array.tolist() if array.dtype.names is None else str(array.tolist())
        assert values == json.loads(json.dumps(wanted, default=str))
        assert (fortran, writeable) == (array.flags.f_contiguous, True)


def test_subclass_of_array(told: Told, tmp_path: Path) -> None:
    """A matrix is one afterwards."""
    with pytest.warns(PendingDeprecationWarning):
        content = joblib_bytes(np.matrix([[1.0, 2.0]]))
    assert told(content, *names_in(content, tmp_path))[0] == "matrix"


class Hidden:
    """What a nested pickle hides."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1 + 1",)


def test_nested_pickle_of_joblib(told: Told, tmp_path: Path) -> None:
    """The pickle that joblib nests for an array of objects finds no other names than the rest."""
    content = joblib_bytes({"a": np.array([Hidden(), 1], dtype=object)})
    names = names_in(content, tmp_path)
    assert "builtins.eval" in names
    assert told(content, *names)["a"][3] == [2, 1]
    names.remove("builtins.eval")
    assert told(content, *names).startswith("NotTrusted: the file asks for builtins.eval")


def test_array_that_is_cut_off(told: Told, tmp_path: Path) -> None:
    """An array larger than its file is refused before memory is taken for it."""
    content = joblib_bytes(np.arange(1000.0))
    names = names_in(content, tmp_path)
    assert told(content[:-10], *names).startswith("UnpicklingError: an array that the file")
    vast = content.replace(b"\x4d\xe8\x03\x85", b"\x8a\x06\xff\xff\xff\xff\xff\x00\x85")
    assert vast != content
    assert told(vast, *names).startswith("UnpicklingError: an array that the file")


def test_wrapper_that_lies(told: Told) -> None:
    """What is announced as an array and is none is refused."""
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n"
    content = b"\x80\x02" + wrapper + b")\x81}(X\x05\x00\x00\x00dtypeK\x01X\x05\x00\x00\x00shape)"
    content += b"X\x08\x00\x00\x00subclassNX\x05\x00\x00\x00orderNub."
    said = told(content, "joblib.numpy_pickle.NumpyArrayWrapper")
    assert said == "UnpicklingError: an array without a type or a shape"
