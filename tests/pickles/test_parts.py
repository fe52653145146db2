from __future__ import annotations

import base64
import gzip
import io
import json
import marshal
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import catboost
import joblib
import lightgbm
import numpy as np
import onnx
import pytest
import skops.io
import xgboost
from onnx import TensorProto, helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from brinery.errors import NotAPickle
from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

EVIL = b"cposix\nsystem\n(S'true'\ntR."
EVIL_4 = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."

X = np.random.default_rng(0).random((80, 3))
Y = (X[:, 0] > 0.5).astype(int)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.bin"


def scanned(file: Path, content: bytes) -> ScanReport:
    file.write_bytes(content)
    return scan(file)


def asked(report: ScanReport) -> set[str]:
    return {str(name) for name in report.globals}


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as written:
        for name, content in members.items():
            written.writestr(name.replace("__", ".").replace("_slash_", "/"), content)
    return held.getvalue()


# Pickles within values.


@pytest.mark.parametrize(
    "inner", [EVIL, EVIL_4, zlib.compress(EVIL), gzip.compress(EVIL_4, mtime=0)]
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_pickles_within_bytes(file: Path, inner: bytes, protocol: int, kind: type) -> None:
    """A pickle within bytes is read, compressed or not, and is told to lie there."""
    report = scanned(file, pickle.dumps({"x": kind(inner)}, protocol))
    assert report.verdict is Verdict.DANGEROUS
    (finding,) = (one for one in report.findings if one.verdict is Verdict.DANGEROUS)
    assert str(finding.name) == "posix.system"
    assert finding.members == ("bytes within",)


@pytest.mark.parametrize(
    "text",
    [
        EVIL.decode(),
        EVIL_4.decode("latin-1"),
        base64.b64encode(EVIL_4).decode(),
        base64.b64encode(zlib.compress(EVIL)).decode(),
        EVIL_4.hex(),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_within_text(file: Path, text: str, protocol: int) -> None:
    """A pickle within text is read: as latin-1, in base64, in hexadecimal."""
    assert "posix.system" in asked(scanned(file, pickle.dumps([text], protocol)))


def test_pickles_within_pickles_within_pickles(file: Path) -> None:
    """A pickle several layers down is read, and a broken one is told with its problem."""
    report = scanned(file, pickle.dumps(pickle.dumps(pickle.dumps(EVIL[:-1]))))
    assert report.verdict is Verdict.MALFORMED
    assert "cut off" in report.problems[0]
    assert asked(report) == {"posix.system"}


def test_a_large_value_is_read_in_parts(file: Path) -> None:
    """A pickle that begins a value larger than what is kept in memory is read to its end."""
    inner = pickle.dumps([b"x" * 3_000_000, OrderedDict()]) + b"padding" * 500_000
    assert "collections.OrderedDict" in asked(scanned(file, pickle.dumps(inner)))


def test_archives_within_bytes(file: Path) -> None:
    """An archive within bytes is read, and so is an npy file."""
    array = io.BytesIO()
    np.save(array, np.array([OrderedDict()], dtype=object))
    content = pickle.dumps([zipped(a_slash_data__pkl=EVIL), array.getvalue()])
    assert asked(scanned(file, content)) >= {"posix.system", "collections.OrderedDict"}


@pytest.mark.parametrize("value", [0x28, 0x4E, 0x29, 0x5D, 0x43, 0x80, 0x63, 0x00, 0xFF])
def test_noise_within_bytes(file: Path, value: int) -> None:
    """Bytes that look like opcodes for a while are no pickle, and no problem."""
    for count in (20, 100_000):
        report = scanned(file, pickle.dumps([bytes([value]) * count]))
        assert (report.problems, report.findings) == ((), ())


def test_random_numbers_are_no_pickles(file: Path) -> None:
    """Arrays of random numbers ask for nothing, whatever they look like."""
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 256, 300, dtype=np.uint8) for _ in range(3000)]
    for content in (pickle.dumps(arrays), pickle.dumps(arrays, protocol=2)):
        report = scanned(file, content)
        assert report.problems == ()
        assert not [one for one in report.findings if one.members]
    joblib.dump(arrays, file)
    assert scan(file).problems == ()


# joblib's and numpy's arrays.


@pytest.mark.parametrize("compress", [0, 3])
def test_arrays_of_objects(file: Path, compress: int) -> None:
    """Arrays of objects are pickles: in joblib, in npy, in npz, in a plain pickle."""
    array = np.array([OrderedDict(), None], dtype=object)
    joblib.dump({"x": array}, file, compress=compress)
    assert "collections.OrderedDict" in asked(scan(file))
    for content in (pickle.dumps(array), pickle.dumps(array, protocol=2)):
        assert "collections.OrderedDict" in asked(scanned(file, content))
    with file.open("wb") as stream:
        np.save(stream, array)
    report = scan(file)
    assert (report.format, report.problems) == ("npy", ())
    assert "collections.OrderedDict" in asked(report)
    with file.open("wb") as stream:
        np.savez(stream, a=np.arange(3), b=array)
    report = scan(file)
    assert (report.format, report.problems) == ("npz", ())
    assert report.findings[0].members == ("b.npy",)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(5),
        np.zeros((0, 3)),
        np.array(["a", "bc"]),
        np.array([(1, 2.0)], dtype=[("O", "i8"), ("b", "f8", (2, 3))]),
        np.array(3),
        np.array(["2020-01-01"], dtype="datetime64[ns]"),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_npy_without_objects(file: Path, array: Any) -> None:
    """An npy file of numbers or text asks for nothing, and its length is what it says."""
    with file.open("wb") as stream:
        np.save(stream, array)
    content = file.read_bytes()
    report = scan(file)
    assert (report.format, report.verdict, report.findings) == ("npy", Verdict.SAFE, ())
    assert scanned(file, content + b"x").problems == ("bytes follow its array",)
    if array.size:
        assert scanned(file, content[:-1]).verdict is Verdict.MALFORMED


def test_npy_with_an_evil_pickle(file: Path) -> None:
    """A type that holds objects is followed by a pickle, however the header hides it."""
    for descr in ("'|O'", "'O'", "[('a', '<i8'), ('b', [('c', '|O')])]", "('|O', (2,))", "'i4,O'"):
        header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}\n".encode()
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + EVIL
        assert scanned(file, content).verdict is Verdict.DANGEROUS


@pytest.mark.parametrize("header", [b"{}", b"(" * 3000, b"\xff\xff", b"{'descr': 'f8'}", b"1 +"])
def test_npy_headers_that_are_none(file: Path, header: bytes) -> None:
    """An npy header that is no header is malformed."""
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    assert scanned(file, content).verdict is Verdict.MALFORMED


def wrapped(
    module: str = "joblib.numpy_pickle",
    name: str = "NumpyArrayWrapper",
    *,
    dtype: bytes = b"S'u1'\n",
    aligned: bool = False,
    length: int,
) -> bytes:
    """A joblib wrapper of an array, up to the array's first byte."""
    alignment = b"S'numpy_array_alignment_bytes'\n" + (b"I16\n" if aligned else b"N")
    return (
        f"c{module}\n{name}\n".encode()
        + b")\x81}(S'subclass'\ncnumpy\nndarray\nS'shape'\n"
        + b"(I%d\ntS'order'\nS'C'\nS'dtype'\ncnumpy\ndtype\n(%sI0\nI1\ntR" % (length, dtype)
        + b"S'allow_mmap'\nI00\n"
        + alignment
        + b"ub"
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("joblib", "numpy_pickle.NumpyArrayWrapper"),
        ("anything", "NumpyArrayWrapper"),
    ],
)
def test_wrappers_by_any_name(file: Path, module: str, name: str) -> None:
    """What follows a wrapper is numbers, by whatever name the wrapper is reached."""
    content = b"\x80\x04" + wrapped(module, name, length=9) + b"\0" * 9 + b"0" + EVIL
    report = scanned(file, content)
    assert report.format == "joblib"
    assert "posix.system" in asked(report)


def test_an_array_that_pickle_reads_as_opcodes(file: Path) -> None:
    """Numbers that joblib steps over and pickle.load would run are told."""
    for hidden in (EVIL, b"0" + EVIL, b"h\x00" + EVIL[1:]):
        memo = b"\x80\x04cposix\nsystem\n\x940" if hidden.startswith(b"h") else b"\x80\x04"
        call = b"h\x00(S'true'\ntR." if hidden.startswith(b"h") else hidden
        content = memo + wrapped(length=len(call)) + call + b"."
        report = scanned(file, content)
        assert "posix.system" in report.asked(Verdict.DANGEROUS)
        assert "REDUCE" in {how for one in report.findings for how in one.reached}
        assert "bytes within" in {m for one in report.findings for m in one.members}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (wrapped(name="NDArrayWrapper", length=1), "lie in other files"),
        (b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}b.", "no type or no shape"),
        (wrapped(dtype=b"S'what'\n", length=1), "a type that cannot be read"),
        (wrapped(length=1 << 40) + b"\0" * 10, "cut off"),
        (wrapped(length=-1), "a shape that cannot be read"),
        (b"\x95" + struct.pack("<Q", 10_000) + wrapped(length=1), "within a frame"),
    ],
)
def test_wrappers_that_lie(file: Path, content: bytes, problem: str) -> None:
    """A wrapper that does not say how its array lies, or lies, is malformed."""
    report = scanned(file, b"\x80\x04" + content)
    assert report.verdict is Verdict.MALFORMED
    assert any(problem in one for one in report.problems), report.problems


def test_padding_that_is_code(file: Path) -> None:
    """Padding that pickle.load would run, and joblib steps over, is malformed."""
    padding = b"0" + (EVIL[:-1] + b"0").ljust(0x30, b"N")
    content = b"\x80\x04" + wrapped(length=1, aligned=True) + padding + b"\0."
    report = scanned(file, content)
    assert "an array has padding that joblib does not write" in report.problems
    honest = b"\x80\x04" + wrapped(length=1, aligned=True) + b"\x02\xff\xff\0."
    assert scanned(file, honest).problems == ()


def test_wrappers_that_no_joblib_reads(file: Path) -> None:
    """In a pickle that numpy reads, what follows a wrapper is opcodes, not an array."""
    hidden = wrapped(length=len(EVIL) + 4) + b"0" + EVIL[:-1] + b"00N."
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x80\x04" + hidden
    assert "posix.system" in scanned(file, npy).asked(Verdict.DANGEROUS)
    objects = wrapped(dtype=b"S'O8'\n", length=1)
    joined = b"\x80\x04" + objects + b"\x80\x04" + hidden + b"."
    assert "posix.system" in scanned(file, joined).asked(Verdict.DANGEROUS)


def test_a_type_that_contradicts_itself(file: Path) -> None:
    """A type of objects that says it holds none, or the other way round, is malformed."""
    for kind, flags in ((b"O8", b"I0\n"), (b"f8", b"I63\n")):
        state = b"(I3\nS'|'\nNNNI-1\nI-1\n" + flags + b"tb"
        content = wrapped(dtype=b"S'%s'\n" % kind, length=1).replace(
            b"tRS'allow", b"tR" + state + b"S'allow"
        )
        assert state in content
        report = scanned(file, b"\x80\x04" + content + EVIL)
        assert any("contradicts itself" in one for one in report.problems)


# Frameworks' own formats.


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(4, random_state=0).fit(X, Y)


def test_skops(file: Path) -> None:
    """A skops file tells its types, its versions and its tree, and is safe where they are."""
    skops.io.dump(make_pipeline(StandardScaler(), forest()), file)
    report = scan(file)
    assert (report.format, report.verdict, report.problems) == ("skops", Verdict.SAFE, ())
    assert asked(report) >= {"sklearn.pipeline.Pipeline", "sklearn.tree._tree.Tree"}
    assert set(report.versions) == {"scikit-learn", "skops"}
    assert report.tree is not None
    assert [part.label for part in report.tree.parts] == [
        "standardscaler",
        "randomforestclassifier",
    ]
    assert report.tree.parts[1].parts[0].label.endswith(" 4")


def test_skops_with_a_function(file: Path) -> None:
    """A function in a skops file is told, and is not safe because the file says so."""
    skops.io.dump(FunctionTransformer(np.save), file)
    report = scan(file)
    assert report.verdict is Verdict.DANGEROUS
    assert "numpy.save" in asked(report)


def node(loader: str, module: str = "builtins", name: str = "dict", **more: Any) -> dict[str, Any]:
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        (node("OperatorFuncNode", "operator", "methodcaller", attrs={}), "operator.methodcaller"),
        (
            node("MethodNode", "sklearn.pipeline", "Pipeline", content={"func": "fit", "obj": {}}),
            "sklearn.pipeline.Pipeline.fit",
        ),
        (node("JoblibNode", "sklearn.pipeline", "Pipeline"), "sklearn.pipeline.Pipeline"),
        (node("FunctionNode", "posix", "system"), "posix.system"),
        (
            node("FunctionNode", content={"module_path": "posix", "function": "system"}),
            "posix.system",
        ),
        (node("PartialNode", "functools", "partial", content={}), "functools.partial"),
        (node("TypeNode", "my_pkg", "Thing"), "my_pkg.Thing"),
        (
            node("RandomGeneratorNode", "numpy.random._generator", "Generator", content={}),
            "numpy.random.?",
        ),
        (node("ListNode", name="list", content=[node("ObjectNode", "my_pkg", "T")]), "my_pkg.T"),
    ],
)
def test_skops_gadgets(file: Path, schema: dict[str, Any], name: str) -> None:
    """What a skops node can reach is told, by its loader, and is never safe."""
    trusted = {**schema, "trusted": [name], "protocol": 2, "_skops_version": "0.16.0"}
    report = scanned(file, zipped(schema__json=json.dumps(trusted).encode()))
    (finding,) = (one for one in report.findings if str(one.name) == name)
    assert finding.verdict in (Verdict.NEEDS_TRUST, Verdict.DANGEROUS)
    assert finding.members == ("schema.json",)


@pytest.mark.parametrize(
    "schema", [b"", b"{", b"[]", b"{}", b"[" * 100_000, b'{"__loader__": 1}' * 2]
)
def test_skops_schemas_that_are_none(file: Path, schema: bytes) -> None:
    """A schema that is no schema is malformed, however deep it is."""
    assert scanned(file, zipped(schema__json=schema)).verdict is Verdict.MALFORMED


def keras(layers: list[dict[str, Any]], **more: bytes) -> bytes:
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}}
    return zipped(
        config__json=json.dumps(config).encode(),
        metadata__json=b'{"keras_version": "3.9.0"}',
        model__weights__h5=b"\x89HDF\r\n\x1a\n" + bytes(100),
        **more,
    )


def test_keras(file: Path) -> None:
    """A Keras file tells every class it names; nothing in it is known safe."""
    dense: dict[str, Any] = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {},
        "registered_name": None,
    }
    report = scanned(file, keras([dense]))
    assert (report.format, report.verdict) == ("keras", Verdict.NEEDS_TRUST)
    assert asked(report) == {"keras.Sequential", "keras.layers.Dense"}
    assert report.versions == {"keras": ("3.9.0",)}


def test_keras_lambda(file: Path) -> None:
    """A Lambda layer carries code, and is dangerous wherever it lies."""
    code = base64.b64encode(marshal.dumps(compile("1", "x", "eval"))).decode()
    function = {"class_name": "__lambda__", "config": {"code": code}}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}}
    report = scanned(file, keras([{"class_name": "Model", "config": {"inner": [layer]}}]))
    assert report.verdict is Verdict.DANGEROUS
    assert {"keras.layers.Lambda", "keras.__lambda__"} <= set(report.asked(Verdict.DANGEROUS))


def test_keras_with_a_pickle_in_it(file: Path) -> None:
    """A pickle among the members of a Keras file is read."""
    assert scanned(file, keras([], assets_slash_x__pkl=EVIL)).verdict is Verdict.DANGEROUS


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboost(tmp_path: Path, suffix: str) -> None:
    """XGBoost's own formats tell their version and their columns, and ask for nothing."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    model.get_booster().feature_names = ["a", "b", "c"]
    path = tmp_path / f"model.{suffix}"
    model.save_model(path)
    report = scan(path.rename(tmp_path / "model"))
    assert (report.format, report.verdict) == (f"xgboost-{suffix}", Verdict.SAFE)
    assert report.versions == {"xgboost": (xgboost.__version__,)}
    assert report.feature_names == ("a", "b", "c")
    content = (tmp_path / "model").read_bytes()
    assert scanned(path, content[: len(content) // 2]).verdict is Verdict.MALFORMED


def test_xgboost_within_a_pickle(file: Path) -> None:
    """The version of XGBoost is read out of the buffer that a Booster is pickled with."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    for content in (pickle.dumps(model), pickle.dumps(model, protocol=2)):
        report = scanned(file, content)
        assert report.verdict is Verdict.SAFE
        assert report.versions["xgboost"] == (xgboost.__version__,)


def test_old_xgboost_within_a_pickle(file: Path) -> None:
    """The JSON that XGBoost put into a pickle before 1.6 is read as well."""
    learner = {"feature_names": ["age", "job"], "objective": {"name": "binary:logistic"}}
    model = {"learner": learner, "version": [1, 5, 2]}
    state = {"Config": {"learner": {}, "version": [1, 5, 2]}, "Model": model}
    content = json.dumps(state, separators=(",", ":")).encode()
    report = scanned(file, pickle.dumps({"handle": bytearray(content)}))
    assert report.versions == {"xgboost": ("1.5.2",)}
    assert report.feature_names == ("age", "job")
    for broken in (content[:-9], content.replace(b'"Model"', b'"Other"')):
        report = scanned(file, pickle.dumps({"handle": bytearray(broken)}))
        assert (report.verdict, report.versions) == (Verdict.SAFE, {})


def test_lightgbm(file: Path) -> None:
    """LightGBM's text tells its version and its columns, alone and within a pickle."""
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(X, Y)
    model.booster_.save_model(file)
    text = file.read_text(encoding="utf-8").replace("Column_0", "first")
    report = scanned(file, text.encode())
    assert (report.format, report.verdict) == ("lightgbm-text", Verdict.SAFE)
    assert report.versions == {"lightgbm": ("4",)}
    assert report.feature_names == ("first", "Column_1", "Column_2")
    assert scanned(file, pickle.dumps(model)).versions["lightgbm"] == ("4",)


def test_catboost(file: Path) -> None:
    """CatBoost's cbm tells its version, alone and within a pickle."""
    model = catboost.CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False)
    model.fit(X, Y).save_model(str(file))
    report = scan(file)
    assert (report.format, report.verdict) == ("catboost", Verdict.SAFE)
    assert report.versions == {"catboost": (catboost.__version__,)}
    assert scanned(file, file.read_bytes()[:500]).verdict is Verdict.MALFORMED
    assert scanned(file, pickle.dumps(model)).versions["catboost"] == (catboost.__version__,)


def graph(domain: str = "", location: str = "") -> bytes:
    """An ONNX model of one node and one tensor."""
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    if location:
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
    one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    nodes = [helper.make_node("Add", ["x", "w"], ["y"], domain=domain)]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [one], [other], [tensor]),
        producer_name="tests",
        producer_version="1.2",
        opset_imports=[helper.make_opsetid(domain, 1)],
    )
    return bytes(model.SerializeToString())


def test_onnx(file: Path) -> None:
    """An ONNX model tells who wrote it, and asks for nothing."""
    report = scanned(file, graph())
    assert (report.format, report.verdict) == ("onnx", Verdict.SAFE)
    assert report.versions == {"tests": ("1.2",)}
    assert onnx.load_model_from_string(graph()).producer_name == "tests"


def test_onnx_with_many_numbers(file: Path) -> None:
    """A forest in ONNX has millions of numbers in its attributes, and is read to its end."""
    nodes = [
        helper.make_node(
            "A", ["x"], ["h"], floats=[0.5] * 500_000, ints=[-1, 7, 1 << 40] * 200_000
        ),
        helper.make_node("B", ["h"], ["y"], domain="com.example", words=["a", "b"]),
    ]
    one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    made = helper.make_model(helper.make_graph(nodes, "g", [one], [other]))
    report = scanned(file, made.SerializeToString())
    assert (report.format, report.problems) == ("onnx", ())
    assert report.asked(Verdict.NEEDS_TRUST) == ("onnx.com.example",)


def test_onnx_with_a_graph_within(file: Path) -> None:
    """What a graph within an attribute asks for is told."""
    inner = onnx.load_model_from_string(graph(domain="com.example")).graph
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner)
    one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    made = helper.make_model(helper.make_graph([node], "g", [one], []))
    report = scanned(file, made.SerializeToString())
    assert report.asked(Verdict.NEEDS_TRUST) == ("onnx.com.example",)


def test_onnx_operators_of_others(file: Path) -> None:
    """Operators that do not come with the runtime need trust, by their domain."""
    report = scanned(file, graph(domain="ai.onnx.contrib"))
    assert report.asked(Verdict.NEEDS_TRUST) == ("onnx.ai.onnx.contrib",)


@pytest.mark.parametrize("location", ["/etc/passwd", "../../x", "C:\\x", "weights.bin"])
def test_onnx_tensors_elsewhere(file: Path, location: str) -> None:
    """Tensors that lie in another file are a problem of a single file."""
    report = scanned(file, graph(location=location))
    assert report.verdict is Verdict.MALFORMED
    assert "its tensors lie in" in report.problems[0]


def test_onnx_cut_off(file: Path) -> None:
    """A cut-off ONNX model is malformed, no model, or as far as it goes one; it never crashes."""
    content = graph()
    verdicts: set[Verdict | None] = set()
    for kept in range(4, len(content)):
        try:
            verdicts.add(scanned(file, content[:kept]).verdict)
        except NotAPickle:
            verdicts.add(None)
    assert verdicts <= {Verdict.SAFE, Verdict.MALFORMED, None}
    assert Verdict.MALFORMED in verdicts


def tensors(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_safetensors(file: Path) -> None:
    """A safetensors file is data; one whose tensors are not where it says is malformed."""
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    report = scanned(file, tensors({"w": tensor, "__metadata__": {"format": "pt"}}, bytes(8)))
    assert (report.format, report.verdict) == ("safetensors", Verdict.SAFE)
    assert scanned(file, tensors({"w": tensor}, bytes(9))).verdict is Verdict.MALFORMED
    assert scanned(file, tensors({"w": tensor}, bytes(7))).verdict is Verdict.MALFORMED
    both = {"w": tensor, "v": tensor}
    assert scanned(file, tensors(both, bytes(8))).verdict is Verdict.MALFORMED


def test_a_model_that_is_a_pickle_too(file: Path) -> None:
    """A file that one reader takes for a model and another for a pickle is malformed."""
    content = b"CBM1" + struct.pack("<I", 60) + bytes(60) + EVIL
    report = scanned(file, content)
    assert (report.format, report.verdict) == ("catboost", Verdict.MALFORMED)
    assert "it can be read as a pickle too" in report.problems
    assert asked(report) == {"posix.system"}


def test_torch_of_old(file: Path) -> None:
    """Torch's format before archives is five pickles and numbers; all of them are read."""
    storage = b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI2\ntQ"
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    content = b"".join(pickle.dumps(part, 2) for part in parts)
    content += b"\x80\x02" + storage + b"." + pickle.dumps(["0"], 2) + bytes(16)
    report = scanned(file, content)
    assert (report.format, report.problems) == ("torch", ())
    (finding,) = report.findings
    assert finding.reached == ("GLOBAL", "PERSID")
    evil = content.replace(b"\x80\x02" + storage, b"\x80\x02" + EVIL[:-1])
    assert scanned(file, evil).verdict is Verdict.DANGEROUS


def test_torch_archive(file: Path) -> None:
    """Torch's archives keep their tensors outside of the pickle, which is no problem there."""
    held = b"\x80\x02" + b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI2\ntQ."
    report = scanned(file, zipped(a_slash_data__pkl=held, a_slash_data_slash_0=bytes(8)))
    assert (report.format, report.problems) == ("torch", ())
    assert report.findings[0].reached == ("GLOBAL", "PERSID")
    plain = scanned(file, held)
    assert "persistent id" in plain.problems[0]


def test_several_pickles(file: Path) -> None:
    """Pickles behind the first are read and told, and are a problem: pickle.load ignores them."""
    report = scanned(file, pickle.dumps(OrderedDict()) + pickle.dumps(1) + EVIL)
    assert report.verdict is Verdict.MALFORMED
    (finding,) = (one for one in report.findings if one.verdict is Verdict.DANGEROUS)
    assert finding.members == ("pickle 3",)


def test_bytes_behind_a_pickle(file: Path) -> None:
    """Bytes that follow a pickle are a problem, whether the file is compressed or not."""
    whole = pickle.dumps(LogisticRegression())
    for content in (
        whole + b"junk",
        whole + b"\0",
        gzip.compress(whole + b"\n"),
        gzip.compress(whole) + b"junk",
        zlib.compress(whole) + b"junk",
    ):
        assert scanned(file, content).verdict is Verdict.MALFORMED
    several = gzip.compress(whole[:100]) + gzip.compress(whole[100:]) + bytes(512)
    assert scanned(file, several).verdict is Verdict.SAFE
