from __future__ import annotations

import importlib
import importlib.util
import inspect
import io
import json
import multiprocessing.process
import pickle
import re
import socket
import subprocess
import sys
import threading
import types
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.conftest import ROOT
from tests.pickles.malicious import BUILD, EMPTY_DICT, NONE, call, many, stacked, whole

from brinery.pickles import policy
from brinery.pickles.danger import why_dangerous
from brinery.pickles.inert import Inert
from brinery.pickles.policy import CALLED, CARRIES_CODE, UNKNOWN, classify, judge_state, listed
from brinery.pickles.scanner import scan
from brinery.records.scan import Global, Verdict

NAMES = tuple(name for file in policy.lists() for name in policy.names(file))

# What a listed class may be no kind of: making one, or calling it, does something.
HARMFUL = (
    io.IOBase,
    subprocess.Popen,
    threading.Thread,
    multiprocessing.process.BaseProcess,
    socket.socket,
    types.ModuleType,
    types.FunctionType,
    types.CodeType,
    pickle.Pickler,
    pickle.Unpickler,
    pickle._Unpickler,
    np.memmap,
    importlib.abc.Loader,
    type,
)

# What Python calls by itself on an object that a pickle makes or fills.
HOOKS = (
    *("__setstate__", "__new__", "__setattr__", "__getattr__", "__getattribute__"),
    *("__setitem__", "append", "extend", "add", "__del__", "__hash__", "__eq__"),
)
HARM = re.compile(
    r"(?<![\w.])(exec|eval|compile|open|__import__|import_module|system|popen|Popen|loads?)\s*\("
    r"|get_matrices\(|dmatrices\(|_attach_methods\(\)"
)
# Those that do, and whose states are judged: see `judge_state`.
JUDGED = {
    "scipy.stats._distn_infrastructure.rv_generic.__setstate__",
    "statsmodels.base.data.ModelData.__setstate__",
}


def reviewed() -> Any:
    """What was decided by hand."""
    spec = importlib.util.spec_from_file_location("reviewed", ROOT / "policy" / "reviewed.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def looked_up(name: Global) -> Any:
    """What a name stands for here; None where this environment has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found: Any = importlib.import_module(name.module)
            for part in name.name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            return None
    return found


def listed_classes() -> Iterator[tuple[Global, type]]:
    """The listed classes that are here."""
    for name in NAMES:
        found = looked_up(name)
        if inspect.isclass(found):
            yield name, found


def test_lists_are_long_enough_to_be_tested() -> None:
    """Every distribution has a list, and most of what is listed can be looked at here."""
    assert all(policy.names(file) for file in policy.lists())
    assert len(NAMES) > 2000
    assert sum(1 for _ in listed_classes()) > 1000


def test_nothing_listed_is_dangerous() -> None:
    """No name is on a list and known to do harm."""
    assert [str(name) for name in NAMES if why_dangerous(name)] == []


def test_nothing_listed_is_unreviewed() -> None:
    """What is listed is a class, or was let through by hand; so is all that may be called."""
    by_hand = reviewed()
    functions = {
        (module, name) for module, names in by_hand.FUNCTIONS.items() for name in names.split()
    }
    ufuncs = {module for module, names in by_hand.FUNCTIONS.items() if names == by_hand.UFUNCS}
    torch = {(module, name) for module, names in by_hand.TORCH.items() for name in names.split()}
    called = {
        (module, name) for module, (_, names) in by_hand.CALLED.items() for name in names.split()
    } | {by_hand.JOBLIB}
    over = []
    for name in NAMES:
        key = (name.module, name.name)
        entry = listed(name)
        assert entry is not None
        may_be_called = (
            key in called | torch
            or name.name.startswith("__pyx_unpickle_")
            or name.module.startswith(by_hand.CALLED_STARTS)
        )
        found = looked_up(name)
        may_be_named = (
            found is None
            or inspect.isclass(found)
            or key in functions | torch
            or (name.module in ufuncs and isinstance(found, np.ufunc))
        )
        if not may_be_called and (entry.called or not may_be_named):
            over.append(str(name))
    assert over == []


def test_no_listed_class_is_of_a_harmful_kind() -> None:
    """No listed class opens, starts, loads or imports by being made."""
    assert [str(name) for name, found in listed_classes() if issubclass(found, HARMFUL)] == []


def test_no_listed_class_runs_what_it_is_given() -> None:
    """What Python calls by itself on a listed class runs no text, but where states are judged."""
    over = set()
    for _, found in listed_classes():
        for hook in HOOKS:
            owner = next((base for base in found.__mro__ if hook in vars(base)), object)
            held: Any = vars(owner).get(hook) or object
            function: Any = inspect.unwrap(getattr(held, "__func__", held))
            if not inspect.isfunction(function) or function.__code__.co_filename[0] == "<":
                continue  # of C, or written by the interpreter itself: a named tuple's
            body = re.sub(r'""".*?"""|#[^\n]*', "", inspect.getsource(function), flags=re.DOTALL)
            if HARM.search(body):
                over.add(f"{owner.__module__}.{owner.__qualname__}.{hook}")
    assert over <= JUDGED


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "posix.system", "nt.system", "subprocess.Popen", "builtins.eval"),
        *("builtins.exec", "builtins.compile", "builtins.getattr", "builtins.setattr"),
        *("builtins.__import__", "builtins.open", "__builtin__.eval", "__builtin__.file"),
        *("importlib.import_module", "importlib._bootstrap._gcd_import", "runpy.run_path"),
        *("pty.spawn", "socket.socket", "shutil.rmtree", "ctypes.CDLL", "code.InteractiveConsole"),
        *("pickle.loads", "_pickle.Unpickler", "cPickle.loads", "marshal.loads", "dill.loads"),
        *("cloudpickle.loads", "cloudpickle.cloudpickle.loads", "joblib.load", "torch.load"),
        *("operator.attrgetter", "operator.methodcaller", "operator.call", "functools.reduce"),
        *("site.addsitedir", "pip.main", "ensurepip.bootstrap", "distutils.spawn.spawn"),
        *("io.open", "_io.FileIO", "pkgutil.resolve_name", "pydoc.locate", "sys.modules"),
        *("numpy.load", "numpy.fromfile", "numpy.memmap", "numpy.savetxt", "numpy.ctypeslib.x"),
        *("numpy.f2py.crackfortran.myeval", "numpy.testing._private.utils.runstring"),
        *("numpy.distutils.exec_command.exec_command", "numpy.core._ufunc_reconstruct"),
        *("pandas.eval", "pandas.read_pickle", "pandas.io.pickle.read_pickle"),
        *("joblib.numpy_pickle_compat.NDArrayWrapper", "joblib.memory.Memory"),
        *("sklearn.datasets._base.load_files", "scipy._lib._bunch._make_tuple_bunch"),
        *("commands.getoutput", "webbrowser.open", "timeit.timeit", "pdb.run", "bdb.Bdb.run"),
        *("asyncio.unix_events._UnixSubprocessTransport", "multiprocessing.util.spawnv_passfds"),
        *("_interpreters.run_string", "logging.config.dictConfig", "gc.get_objects"),
        *("numpy.os.system", "sklearn.utils.os.system", "random._os.system", "six.moves.builtins"),
        *("sklearn.base.BaseEstimator.__class__", "builtins.object.__subclasses__"),
    ],
)
def test_dangerous(name: str) -> None:
    """What does harm is dangerous, by whichever name, and the reason is in words."""
    module, _, attribute = name.rpartition(".")
    verdict, reason = classify(Global(module, attribute))
    assert verdict is Verdict.DANGEROUS
    assert len(reason.split()) >= 2
    if "_os" not in name:
        first, _, rest = name.partition(".")
        assert classify(Global(first, rest))[0] is not Verdict.SAFE


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (Global("my_package", "Clipper"), UNKNOWN),
        (Global("sklearn.ensemble", "NoSuchForest"), UNKNOWN),
        (Global("sklearn", "ensemble._forest.RandomForestClassifier"), UNKNOWN),
        (Global("__main__", "Clipper"), policy.OF_THE_SCRIPT),
        (Global("cloudpickle.cloudpickle", "_make_function"), CARRIES_CODE),
        (Global("cloudpickle.cloudpickle", "_builtin_type"), CARRIES_CODE),
        (Global("types", "CodeType"), CARRIES_CODE),
        (Global("builtins", "type"), UNKNOWN),
    ],
)
def test_unknown_needs_trust(name: Global, reason: str) -> None:
    """What is on no list needs the user's word, and is named."""
    assert classify(name) == (Verdict.NEEDS_TRUST, reason)


@given(st.sampled_from(NAMES), st.sampled_from(["x", "_", ".x", " ", ".__class__", "\u0435"]))
def test_names_are_exact(name: Global, more: str) -> None:
    """A name that goes on where a listed one ends is not safe, unless it is listed itself."""
    others = {
        Global(name.module, name.name + more),
        Global(name.module + more, name.name),
        Global(name.module, more.strip() + "." + name.name),
    }
    for other in others.difference(NAMES):  # numpy has both `round` and `round_`
        assert listed(other) is None
        assert classify(other)[0] is not Verdict.SAFE


def test_calls() -> None:
    """A class may be made and not called, but where its list says so."""
    booster = Global("xgboost.core", "Booster")
    assert classify(booster) == (Verdict.SAFE, "")
    assert classify(booster, {"STACK_GLOBAL", "NEWOBJ", "BUILD"}) == (Verdict.SAFE, "")
    for opcode in ("REDUCE", "INST", "OBJ"):
        assert classify(booster, {opcode}) == (Verdict.NEEDS_TRUST, CALLED)
    tree = Global("sklearn.tree._tree", "Tree")
    assert classify(tree, {"REDUCE"}) == (Verdict.SAFE, "")


def test_versions_are_told() -> None:
    """A list says in which versions a name was seen."""
    found = listed(Global("sklearn.ensemble._gb_losses", "BinomialDeviance"))
    assert found is not None
    assert (found.distribution, found.since, found.until) == ("scikit-learn", "0.22", "1.3")


def test_nothing_is_imported() -> None:
    """Judging every listed name imports none of what they are names of."""
    code = (
        "import sys\nfrom brinery.pickles import policy\n"
        "[policy.classify(n) for f in policy.lists() for n in policy.names(f)]\n"
        "print({'numpy', 'pandas', 'sklearn', 'joblib'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    "distribution", [*stats._continuous_distns._distn_names, *stats._discrete_distns._distn_names]
)
def test_distributions_as_scipy_writes_them(distribution: str) -> None:
    """The state of every distribution of scipy is let through as it is."""
    found = getattr(stats, distribution)
    assert (
        judge_state(Global(type(found).__module__, type(found).__name__), found.__getstate__())
        is None
    )


UNIFORM = Global("scipy.stats._continuous_distns", "uniform_gen")
TEMPLATE = stats.uniform.__getstate__()["_parse_arg_template"]


@given(
    st.integers(0, len(TEMPLATE)),
    st.sampled_from(["x()", "\n", "(", "f(1)", ";", "@", "__import__('os')"]),
)
def test_distributions_with_other_text(place: int, more: str) -> None:
    """No call can be put into the text that a distribution runs."""
    changed = TEMPLATE[:place] + more + TEMPLATE[place:]
    found = judge_state(UNIFORM, {"_parse_arg_template": changed})
    assert found is not None
    assert found[0] is Verdict.DANGEROUS


@pytest.mark.parametrize(
    "state",
    [
        [("_parse_arg_template", "x()")],
        (("_parse_arg_template", "x()"), ("a", 1)),
        ({"_parse_arg_template": 1, "x()": 2}, {"a": 1, "b": 2}),
        {"_parse_arg_template": b"x()"},
        {"_parse_arg_template": object()},
        {("a key that was not read", 1): "x()"},
        object(),
        "x()",
    ],
)
def test_distributions_with_other_states(state: Any) -> None:
    """A state that could hold text to run in another way is dangerous too."""
    found = judge_state(UNIFORM, state)
    assert found is not None
    assert found[0] is Verdict.DANGEROUS


def test_distributions_of_old_scipy() -> None:
    """Before scipy 1.6 the state was a pair, of which nothing is run."""
    assert judge_state(UNIFORM, ({"a": 0.0, "b": 1.0, "name": "uniform"}, None)) is None


@pytest.mark.parametrize("key", ["formula", "design_info", "model_spec", "restore_design_info"])
def test_formulas(key: str) -> None:
    """A formula is text that is evaluated: it needs the user's word."""
    data = Global("statsmodels.base.data", "PandasData")
    found = judge_state(data, {key: "y ~ x", "const_idx": None})
    assert found is not None
    assert found[0] is Verdict.NEEDS_TRUST
    assert key in found[1]
    assert judge_state(data, {"const_idx": None}) is None
    assert judge_state(data, [(key, "y ~ x")]) is not None


def test_partials(tmp_path: Path) -> None:
    """What calling a partial calls is what it keeps, unless its state puts another in its place."""
    block = stacked("pandas.core.internals.blocks", "new_block")
    booster = stacked("xgboost.core", "Booster")
    kept = call(stacked("functools", "partial"), block)
    other = many(booster, many(NONE), EMPTY_DICT, NONE) + BUILD
    file = tmp_path / "model.pkl"
    file.write_bytes(whole(call(kept)))
    assert scan(file).verdict is Verdict.SAFE
    file.write_bytes(whole(call(kept + other)))
    assert scan(file).verdict is Verdict.NEEDS_TRUST
    file.write_bytes(whole(call(call(stacked("functools", "partial"), booster))))
    assert scan(file).verdict is Verdict.NEEDS_TRUST


BUNCH = Global("statsmodels.tools.tools", "Bunch")


def bunch(*keys: Any, origin: Global = BUNCH) -> Inert:
    """A stand-in for a dictionary of a class of its own, as a pickle fills it."""
    made = Inert(origin)
    made.extend([(key, 1) for key in keys])
    made.build(made)
    return made


def test_bunches() -> None:
    """A dictionary that is its own attributes is safe as its own state, unless a formula is in it.

    What its names are must have been read, and it is no state of anything else.
    """
    assert judge_state(BUNCH, bunch("ar_lags", "ma_lags")) is None
    assert judge_state(BUNCH, bunch()) is None
    data = Global("statsmodels.base.data", "PandasData")
    for state in (
        bunch("ar_lags", "design_info"),
        bunch(("a key that was not read", 1)),
        bunch("ar_lags", origin=Global("collections", "OrderedDict")),
    ):
        found = judge_state(BUNCH, state)
        assert found is not None
        assert found[0] is Verdict.NEEDS_TRUST
    assert judge_state(data, bunch("ar_lags")) is not None


def partial(function: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A node of skops for a partial of what a node stands for."""
    content = {"func": function, "args": node("TupleNode", "builtins", "tuple", content=[])}
    return {**node("PartialNode", "functools", "partial", content=content), **more}


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    """A node of skops."""
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


CHECK_ARRAY = node("FunctionNode", "sklearn.utils.validation", "check_array", __id__=1)


def skops(file: Path, schema: Any) -> Verdict:
    """What is said of partial functions in a skops file."""
    whole = node("ListNode", "builtins", "list", content=schema, _skops_version="0.16.0")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(whole))
    report = scan(file)
    assert report.format == "skops"
    (found,) = (one for one in report.findings if one.name.module == "functools")
    return found.verdict


def test_partials_of_skops(tmp_path: Path) -> None:
    """A partial of a listed function, asked for by its name, is what it is in a pickle: safe."""
    file = tmp_path / "model.skops"
    assert skops(file, [partial(CHECK_ARRAY)]) is Verdict.SAFE
    assert skops(file, [CHECK_ARRAY, partial(CHECK_ARRAY)]) is Verdict.SAFE


PIPELINE = ("sklearn.pipeline", "Pipeline")


@pytest.mark.parametrize(
    "schema",
    [
        [partial(node("FunctionNode", "posix", "system"))],
        [partial(node("FunctionNode", "my_package", "clip"))],
        [partial(node("OperatorFuncNode", "operator", "methodcaller"))],
        [partial(node("MethodNode", *PIPELINE, content={"func": "fit", "obj": {}}))],
        [partial(node("ObjectNode", *PIPELINE))],
        [partial(partial(CHECK_ARRAY))],
        [partial(CHECK_ARRAY, __class__="partialmethod")],
        [partial(CHECK_ARRAY, content={})],
        [partial(CHECK_ARRAY, content=[CHECK_ARRAY])],
        [partial(CHECK_ARRAY, content=node("ListNode", "builtins", "list", content=[]))],
        # Another name beside it, and an object from before in its place.
        [partial({**CHECK_ARRAY, "content": {"module_path": "posix", "function": "system"}})],
        [node("ObjectNode", *PIPELINE, __id__=1), partial(CHECK_ARRAY)],
        [node("MethodNode", *PIPELINE, __id__=1, content={"func": "fit"}), partial(CHECK_ARRAY)],
    ],
)
def test_other_partials_of_skops(tmp_path: Path, schema: Any) -> None:
    """A partial of anything else stays dangerous."""
    assert skops(tmp_path / "model.skops", schema) is Verdict.DANGEROUS
