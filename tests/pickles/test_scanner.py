from __future__ import annotations

import gzip
import hashlib
import json
import pickle
import subprocess
import sys
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from brinery.errors import FormatNotRead, ModelFileError, ModelFileMissing, NotAPickle
from brinery.pickles.compression import Compression
from brinery.pickles.digest import digest
from brinery.pickles.scanner import scan
from brinery.records.scan import Global, Verdict

PIPELINE = "sklearn.pipeline.Pipeline"


@pytest.fixture(scope="session")
def pipeline() -> Any:
    """A fitted pipeline with arrays of numbers, of structures and of objects."""
    frame = pd.DataFrame({"age": [20, 30, 40, 50], "job": ["a", "b", "a", "c"]})
    encode = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
    model = Pipeline([("encode", encode), ("trees", RandomForestClassifier(3, random_state=0))])
    return model.fit(frame, ["no", "yes", "no", "yes"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pkl"


def names(path: Path) -> set[str]:
    """The dotted names that a file asks for."""
    return {str(name) for name in scan(path).globals}


def without_versions(globals_: set[str]) -> set[str]:
    """The names that are the model's own, whatever the protocol adds."""
    return {name for name in globals_ if name.startswith("sklearn.")}


@pytest.mark.parametrize("protocol", range(6))
def test_protocols(pipeline: Any, file: Path, protocol: int) -> None:
    """Every protocol is read to the same model, names and version."""
    file.write_bytes(pickle.dumps(pipeline, protocol=protocol))
    report = scan(file)
    assert report.format == "pickle"
    assert report.protocol == (0 if protocol < 2 else protocol)
    assert report.compression is None
    assert report.outermost == PIPELINE
    assert report.versions == {"scikit-learn": (sklearn_version,)}
    assert "sklearn.preprocessing._encoders.OneHotEncoder" in names(file)
    assert "sklearn.tree._tree.Tree" in names(file)


def test_size_and_digest(file: Path) -> None:
    """Size and sha256 are those of the bytes on disk."""
    content = pickle.dumps(OrderedDict(a=1))
    file.write_bytes(content)
    report = scan(file)
    assert report.size_bytes == len(content)
    assert report.sha256 == hashlib.sha256(content).hexdigest() == digest(file)


def test_globals_are_exact(file: Path) -> None:
    """The names are those the pickle asks for: none more, none less, sorted."""
    file.write_bytes(pickle.dumps([OrderedDict(), Path("x"), complex(1, 2), OrderedDict()]))
    found = scan(file).globals
    assert found == (
        Global("builtins", "complex"),
        Global("collections", "OrderedDict"),
        Global("pathlib", type(Path()).__name__),
    )


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_joblib(pipeline: Any, file: Path, compress: Any, protocol: int) -> None:
    """A joblib file is read past its raw arrays, whatever its compression and protocol."""
    joblib.dump(pipeline, file, compress=(compress, 3) if compress else 0, protocol=protocol)
    report = scan(file)
    assert report.format == "joblib"
    assert report.compression == (compress or None)
    assert report.outermost == PIPELINE
    assert report.versions == {"scikit-learn": (sklearn_version,)}
    plain = file.with_name("plain.pkl")
    plain.write_bytes(pickle.dumps(pipeline))
    assert without_versions(names(file)) == without_versions(names(plain))


@pytest.mark.parametrize("level", [1, 5, 6, 9])
def test_zlib_levels(file: Path, level: int) -> None:
    """The header of every zlib level is known."""
    file.write_bytes(zlib.compress(pickle.dumps(OrderedDict()), level))
    assert scan(file).compression is Compression.ZLIB


def test_zlib_is_read_in_parts(file: Path) -> None:
    """A zlib file is read to its end when it is larger than one part."""
    big = {"noise": np.random.default_rng(0).bytes(1_000_000), "last": OrderedDict()}
    file.write_bytes(zlib.compress(pickle.dumps(big, protocol=4)))
    assert names(file) == {"collections.OrderedDict"}


@pytest.mark.parametrize(
    "array",
    [
        np.array(["age", "job"], dtype=object),
        np.array(["age", "job"]),
        np.array([b"a", b"bcd"]),
        np.array([True, False]),
        np.array(3.5),
        np.zeros((0, 4)),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.array(["2020-01-01"], dtype="datetime64[ns]"),
        np.array([(1, 2.0)], dtype=[("a", "i8"), ("b", "f8")]),
        np.array([(1, {})], dtype=[("a", "i8"), ("b", "O")]),
        np.arange(5, dtype=">i4"),
        np.array([1 + 2j]),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
@pytest.mark.parametrize("compress", [0, 3])
def test_joblib_arrays(file: Path, array: np.ndarray[Any, Any], compress: int) -> None:
    """What follows an array is read, whatever the array's type and shape."""
    joblib.dump([array, OrderedDict(), array, Path("x")], file, compress=compress)
    report = scan(file)
    assert report.format == "joblib"
    assert report.outermost == "list"
    assert {"collections.OrderedDict"} < names(file)
    assert any(name.startswith("pathlib.") for name in names(file))


def test_names_inside_object_arrays(file: Path) -> None:
    """What hides in a joblib array of objects is found."""
    joblib.dump(np.array([OrderedDict(), None], dtype=object), file)
    assert "collections.OrderedDict" in names(file)


def test_several_versions(pipeline: Any, file: Path) -> None:
    """Every version that is stated is reported, each once."""
    content = pickle.dumps(pipeline, protocol=0)
    stated = f"V{sklearn_version}\n".encode()
    assert content.count(stated) == 1
    file.write_bytes(pickle.dumps([pipeline, Old()]))
    assert scan(file).versions == {"scikit-learn": tuple(sorted({"0.9", sklearn_version}))}


class Old:
    """An object that says an old scikit-learn wrote it."""

    def __getstate__(self) -> dict[str, str]:
        return {"_sklearn_version": "0.9"}


class Touch:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


SCAN_ONLY = """
import sys
from pathlib import Path
from brinery.pickles.scanner import scan
scan(Path(sys.argv[1]))  # what the scan itself needs is imported now
before = set(sys.modules)
report = scan(Path(sys.argv[2]))
new = {name for name in set(sys.modules) - before if not name.startswith("encodings.")}
assert not new, new
assert not {"sklearn", "numpy", "joblib", "pandas", "mlflow", "this"} & set(sys.modules)
print(report.outermost)
"""


def test_nothing_is_imported(pipeline: Any, file: Path) -> None:
    """A scan imports nothing of what the pickle names, numpy and joblib among it."""
    joblib.dump([pipeline, np.arange(3)], file)
    first = file.with_name("first.pkl")
    first.write_bytes(pickle.dumps([pipeline, np.arange(3), Path()]))
    modules = [name for name in sys.stdlib_module_names if name not in sys.builtin_module_names]
    names = "".join(f"c{name}\nx\n0" for name in modules)
    file.with_name("evil.pkl").write_bytes(names.encode() + b"cthis\ns\n.")
    for path, held in ((file, "list"), (file.with_name("evil.pkl"), "type")):
        done = subprocess.run(
            [sys.executable, "-c", SCAN_ONLY, str(first), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.strip(), done.stderr) == (held, "")


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(file: Path, tmp_path: Path, protocol: int) -> None:
    """A pickle that acts when it is loaded does not act when it is scanned."""
    marker = tmp_path / "marker"
    content = pickle.dumps(Touch(marker), protocol=protocol)
    file.write_bytes(content)
    scan(file)
    assert not marker.exists()
    exec_ = f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode()
    file.write_bytes(exec_)
    assert scan(file).globals == (Global("posix", "system"),)
    assert not marker.exists()


def test_copy_reg(file: Path) -> None:
    """The names of Python 2 are reported as those that Python 3 asks for."""
    file.write_bytes(
        b"ccopy_reg\n_reconstructor\n(cUserDict\nUserDict\nc__builtin__\nobject\nNtR"
        b"(dS'_sklearn_version'\nS'0.18.2'\nsb."
    )
    report = scan(file)
    assert names(file) == {
        "builtins.object",
        "collections.UserDict",
        "copyreg._reconstructor",
    }
    assert report.outermost == "collections.UserDict"
    assert report.versions == {"scikit-learn": ("0.18.2",)}


@pytest.mark.parametrize(
    ("held", "outermost"),
    [({"model": 1}, "dict"), ([1], "list"), (None, "NoneType"), (OrderedDict, "type")],
)
def test_built_in_types(file: Path, held: object, outermost: str) -> None:
    """What holds no object is said to hold its built-in type."""
    file.write_bytes(pickle.dumps(held))
    assert scan(file).outermost == outermost


def test_empty_file(file: Path) -> None:
    """An empty file is said to be empty."""
    file.touch()
    with pytest.raises(NotAPickle, match="is empty"):
        scan(file)


def test_missing_file(file: Path) -> None:
    """A file that is not there is said not to be there."""
    with pytest.raises(ModelFileMissing, match=r"model\.pkl does not exist"):
        scan(file)


def test_folder(tmp_path: Path) -> None:
    """A folder is said to be one."""
    with pytest.raises(ModelFileMissing, match="is a folder"):
        scan(tmp_path)


def test_unopenable_file(tmp_path: Path) -> None:
    """A path that the system refuses is an error of ours, with the system's reason."""
    with pytest.raises(ModelFileError, match="name too long"):
        scan(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"hello, world\n", "is not a pickle"),
        (b"a,b\n1,2\n", "is not a pickle"),
        (b"import os\nos.system('id')\n", "is not a pickle"),
        (b"cat\ndog\nemu\n", "is not a pickle"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is not a pickle"),
        (json.dumps({"a": 1}).encode(), "JSON"),
        (b"<html></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"I" + b"9" * 10_000 + b"\n.", "is not a pickle"),
    ],
)
def test_other_formats(file: Path, content: bytes, what: str) -> None:
    """Another format is named where its first bytes tell it."""
    file.write_bytes(content)
    with pytest.raises(NotAPickle, match=what):
        scan(file)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "a 7z archive"),
        (b"Rar!\x1a\x07\x01\0", "a rar archive"),
        (b"\x04\x22\x4d\x18abc", "lz4"),
        (b"\x28\xb5\x2f\xfdabc", "zstd"),
        (b"\0" * 257 + b"ustar\x0000", "a tar archive"),
        (b"binf" + b"\0" * 60, "old binary format"),
    ],
)
def test_formats_that_are_not_read(file: Path, content: bytes, what: str) -> None:
    """A format that may hide anything and is not read is refused, never called safe."""
    for whole in (content, gzip.compress(content)):
        file.write_bytes(whole)
        with pytest.raises(FormatNotRead, match=what) as caught:
            scan(file)
        assert caught.value.hint


def test_parquet_and_zip(file: Path) -> None:
    """Real files of other formats are named."""
    pd.DataFrame({"a": [1]}).to_parquet(file)
    with pytest.raises(NotAPickle, match="Parquet"):
        scan(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(NotAPickle, match="zip archive"):
        scan(file)


@pytest.mark.parametrize("compress", [None, 0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_truncated(pipeline: Any, file: Path, compress: Any) -> None:
    """A file that ends too early is malformed, wherever it ends; what came before is told."""
    if compress is None:
        file.write_bytes(pickle.dumps(pipeline))
    else:
        joblib.dump(pipeline, file, compress=(compress, 3) if compress else 0)
    content = file.read_bytes()
    for kept in (40, len(content) // 3, len(content) * 2 // 3, len(content) - 1):
        file.write_bytes(content[:kept])
        report = scan(file)
        assert report.verdict is Verdict.MALFORMED
        assert "cut off" in report.problems[0] or "in the middle" in report.problems[0]
        assert report.compression == (compress or None)
    if compress != "bz2":  # which gives nothing of a block that is not whole
        assert "sklearn.pipeline.Pipeline" in names(file)


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "xz"])
def test_wrong_checksum(file: Path, compress: str) -> None:
    """A compressed file whose checksum is wrong is malformed, though its pickle can be read."""
    joblib.dump(OrderedDict(), file, compress=(compress, 3))
    content = bytearray(file.read_bytes())
    for place in range(-8, 0):
        content[place] ^= 0xFF
    file.write_bytes(content)
    report = scan(file)
    assert report.verdict is Verdict.MALFORMED
    assert f"its {compress} compression is damaged or cut off" in report.problems
    assert names(file) == {"collections.OrderedDict"}


@pytest.mark.parametrize("content", [b"\x80\x06N.", b"\x1f\x8bjunk", b"\x80\x04", b"x\x9c"])
def test_damaged_from_the_start(file: Path, content: bytes) -> None:
    """A file that begins as a pickle and is none is malformed, not passed over."""
    file.write_bytes(content)
    assert scan(file).verdict is Verdict.MALFORMED


def test_names_that_cannot_be(file: Path) -> None:
    """A name that no module has, or that would break the terminal or the report, is malformed."""
    for module in (b"a\x1b[2Jb", b"\xed\xb3\xbf", b"a\x00b", b"", b"..a", b"a."):
        file.write_bytes(b"\x80\x04\x8c" + bytes([len(module)]) + module + b"\x8c\x01x\x93.")
        report = scan(file)
        assert "a name that nothing has" in report.problems[0]
        assert all(part.isprintable() for part in (*report.problems, *names(file)))


def test_costly_keys(file: Path) -> None:
    """A key whose hash would take for ever, or overflow the stack, is never hashed."""
    doubled = b")" + b"2\x86" * 60
    nested = b")" + b"\x85" * 300_000
    for key in (doubled, nested):
        for content in (b"}" + key + b"Ns.", b"\x8f(" + key + b"\x90.", b"(" + key + b"\x91."):
            file.write_bytes(b"\x80\x04" + content)
            assert scan(file).verdict is Verdict.MALFORMED


# Opcodes are likelier than noise to reach deep into the machine.
noise = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([bytes([code]) for code in range(256)])
        | st.sampled_from(
            [b"cbuiltins\nprint\n", b"(", b"t", b"R", b"}", b"\x8c\x01a", b"b", b"."]
        ),
        max_size=60,
    ).map(b"".join),
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=noise, start=st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x05", b"x\x9c"]))
@example(content=b"J\x00", start=b"")
@example(content=b"S'\\z'\n.", start=b"")
@example(content=b"S'\\xz'\n.", start=b"")
@example(content=b"P\n.", start=b"")
@example(content=b"\x82\x01.", start=b"")
@example(content=b"ca\nb\n)R)R.", start=b"")
@example(content=b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)R}b.", start=b"")
@example(content=b"\x93NUMPY\x01\x00\x02\x00{}", start=b"")
@example(content=b"{L\x00\x00\x00\x00\x00\x00\x00\x01a{", start=b"")
@example(content=b"PK\x03\x04PK\x05\x06" + b"\xff" * 18, start=b"")
@example(content=b"CBM1\xff\xff\xff\xff", start=b"")
@example(content=b"\x08\x07\x12\xff\xff\xff\xff\x0f", start=b"")
@example(content=b"\x02\0\0\0\0\0\0\0{}", start=b"")
def test_noise(file: Path, content: bytes, start: bytes) -> None:
    """Whatever the bytes are, a scan returns a report or says that they are no model."""
    file.write_bytes(start + content)
    try:
        report = scan(file)
    except NotAPickle as error:
        assert error.hint  # noqa: PT017 - either end is right
    else:
        assert report.problems or report.outermost or report.versions


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), joined=st.booleans())
def test_flipped_byte(pipeline: Any, file: Path, place: float, byte: int, *, joined: bool) -> None:
    """A model file with one wrong byte is read; it is another model, or malformed."""
    if joined:
        joblib.dump(pipeline, file)
    content = bytearray(file.read_bytes() if joined else pickle.dumps(pipeline))
    content[int(place * len(content))] = byte
    file.write_bytes(content)
    try:
        assert scan(file).sha256 == hashlib.sha256(content).hexdigest()
    except NotAPickle as error:
        assert "model.pkl" in error.message  # noqa: PT017 - either end is right
