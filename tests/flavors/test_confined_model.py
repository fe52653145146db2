from __future__ import annotations

import os
import pickle
import select
import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pyarrow as pa
import pytest
import xgboost
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.conftest import artifact_of

from brinery.errors import (
    BrineryError,
    Fault,
    ModelConfined,
    ModelProcessDied,
    ModelProcessTimeout,
    NotTrusted,
    SandboxUnavailable,
)
from brinery.flavors.model_process import ModelProcess, start_process
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Kernel, Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")

TIMEOUT_S = 240.0

# A model that a user vouched for: it runs the program in the first cell of its table, or the one
# in its pickle, and swallows what that raises where it is told to.
HOSTILE = """
import numpy as np


def at_load(program):
    exec(program, {})
    return Hostile()


class Hostile:
    feature_names_in_ = np.array(["do"], dtype=object)

    def predict(self, frame):
        names = {"rows": len(frame), "answer": np.zeros(len(frame))}
        exec(frame["do"].iloc[0], names)
        return names["answer"]


class Loading:
    def __init__(self, program):
        self.program = program

    def __reduce__(self):
        return at_load, (self.program,)
"""

Load = Callable[..., ModelProcess]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the hostile model, with a program to run while it is loaded, and limits."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "hostile_model.py").write_text(HOSTILE)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    file = tmp_path / "hostile.pkl"
    started: list[ModelProcess] = []

    def load(
        program: str = "", limits: Limits | None = None, timeout_s: float = TIMEOUT_S
    ) -> ModelProcess:
        file.write_bytes(b"chostile_model\nat_load\n(X" + _text(program) + b"tR.")
        process = ModelProcess(file, artifact=artifact_of(file), limits=limits, timeout_s=timeout_s)
        started.append(process)
        return process

    yield load
    for process in started:
        process.close()


def _text(program: str) -> bytes:
    encoded = program.encode()
    return struct.pack("<I", len(encoded)) + encoded


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key in a home."""
    path = tmp_path / "home" / ".ssh" / "id_rsa"
    path.parent.mkdir(parents=True)
    path.write_text("secret")
    return path


def do(program: str, rows: int = 1) -> pa.Table:
    return pa.table({"do": [program] * rows})


# numpy's function, or one that is like it but for a word, with nothing in its cache.
NUMPYS_QUESTION = """
from types import FunctionType
from numpy.testing._private import utils
ask = utils.check_support_sve
answer[:] = FunctionType(ask.__code__.replace({}), utils.__dict__, argdefs=([],))()
"""


@pytest.mark.parametrize(
    ("changed", "attempts"),
    [
        ("", ()),
        ("co_name='another'", ("run a program",)),
        ("co_filename=ask.__code__.co_filename + 'x'", ("run a program",)),
        (
            "co_consts=tuple('id' if c == 'lscpu' else c for c in ask.__code__.co_consts)",
            ("run a program",),
        ),
    ],
    ids=["numpy's own", "another name", "another file", "another program"],
)
def test_numpys_question_for_the_processor_is_no_attempt(
    changed: str, attempts: tuple[str, ...], hostile: Load
) -> None:
    """That numpy asks `lscpu` while it is imported is refused and not told; nothing like it is."""
    with hostile() as process:
        assert process.score(do(NUMPYS_QUESTION.format(changed))).predictions.tolist() == [0.0]
        assert process.attempts == attempts


def test_garbage_is_looked_for_once_the_model_is_loaded(hostile: Load) -> None:
    """Not while its libraries are imported, and then not among what they made, which stays."""
    looks = "answer[:] = gc.isenabled() and len(gc.get_objects()) < gc.get_freeze_count() / 10"
    with hostile("import gc; assert not gc.isenabled()") as process:
        assert process.score(do(f"import gc; {looks}")).predictions.tolist() == [1.0]


ATTEMPTS = [
    ("open({key!r}).read()", "open {key}"),
    ("import os; os.listdir(os.path.dirname({key!r}))", "list {folder}"),
    ("open('/proc/%d/environ' % __import__('os').getppid())", "open /proc/{pid}/environ"),
    ("open('/proc/self/net/tcp')", "open /proc/self/net/tcp"),
    ("open({key!r}, 'w')", "write {key}"),
    ("import os; os.remove({key!r})", "remove {key}"),
    ("import os; os.mkdir('/tmp/brinery-was-here')", "make the folder /tmp/brinery-was-here"),
    ("import os; os.symlink({key!r}, 'link')", "link to {key}"),
    ("import socket; socket.socket()", "open a socket"),
    (
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "open a socket",
    ),
    ("import os; os.fork()", "start a process"),
    ("import subprocess; subprocess.run(['true'])", "run a program"),
    ("import os; os.execv('/bin/true', ['true'])", "run a program"),
    ("import os; os.kill(os.getppid(), 0)", "signal process {pid}"),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """The hostile model, for what it survives."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "hostile_model.py").write_text(HOSTILE)
    file = folder / "hostile.pkl"
    file.write_bytes(b"chostile_model\nHostile\n)R.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        process = ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S)
    with process:
        yield process


@pytest.mark.parametrize(("program", "attempt"), ATTEMPTS)
def test_attempt(loaded: ModelProcess, key: Path, program: str, attempt: str) -> None:
    """What a trusted model tries while it is asked is stopped, and said in words."""
    said = attempt.format(key=key, folder=key.parent, pid=os.getpid())
    with pytest.raises(ModelConfined) as caught:
        loaded.score(do(program.format(key=str(key))))
    assert caught.value.message.startswith("the model tried to ")
    assert said in caught.value.message
    assert key.read_text() == "secret"
    assert said in loaded.attempts


@pytest.mark.parametrize(("program", "attempt"), ATTEMPTS[::4])
def test_attempt_at_load(hostile: Load, key: Path, program: str, attempt: str) -> None:
    """What it tries while it is loaded is stopped too, and it is not loaded."""
    said = attempt.format(key=key, folder=key.parent, pid=os.getpid())
    with pytest.raises(ModelConfined) as caught:
        hostile(program.format(key=str(key)))
    assert caught.value.message.startswith("the model tried to ")
    assert said in caught.value.message
    assert key.read_text() == "secret"


@pytest.mark.parametrize("when", ["load", "predict"])
def test_attempt_that_is_hidden(hostile: Load, key: Path, when: str) -> None:
    """A model that swallows the refusal loads and answers, and what it tried is kept."""
    program = f"try:\n    open({str(key)!r})\nexcept OSError: pass"
    if when == "load":
        process = hostile(program)
    else:
        process = hostile()
        assert process.attempts == ()
        assert process.score(do(program)).predictions.tolist() == [0.0]
    assert process.attempts == (f"open {key}",)


def test_attempts_of_libraries(hostile: Load) -> None:
    """A file that a library looks for and that is not there is no attempt, nor is its scratch."""
    process = hostile()
    program = """
import os, tempfile
for path in ("/etc/no-such-config", os.path.expanduser("~/.config/nothing")):
    try:
        open(path)
    except OSError:
        pass
tempfile.TemporaryFile().write(b"a")
open(os.__file__).read()
"""
    process.score(do(program))
    assert process.attempts == ()


LOOKS = [
    ("import os; open(os.path.expanduser('~/.ssh/id_rsa'))", "open ~/.ssh/id_rsa"),
    (
        "import os; os.open(b'/home/nobody-here/.ssh/id_rsa', 0)",
        "open /home/nobody-here/.ssh/id_rsa",
    ),
    ("import os; os.listdir('~/.ssh')", "list ~/.ssh"),
    ("import os; os.scandir(os.path.expanduser('~/.aws'))", "list ~/.aws"),
    ("import pathlib; (pathlib.Path.home() / '.netrc').read_text()", "open ~/.netrc"),
    ("open('/home/nobody-here/.config/gcloud/a.db')", "open /home/nobody-here/.config/gcloud/a.db"),
    ("open('/etc/shadow')", "open /etc/shadow"),
    ("import os; os.chdir(os.path.expanduser('~/.gnupg'))", "enter ~/.gnupg"),
    ("import os; os.stat(os.path.expanduser('~/.kube/config'))", "look for ~/.kube/config"),
    ("import os; os.lstat(path='/home/nobody-here/.pypirc')", "look for /home/nobody-here/.pypirc"),
]


@pytest.mark.parametrize(("program", "attempt"), LOOKS)
def test_look_for_a_key_that_is_not_there(loaded: ModelProcess, program: str, attempt: str) -> None:
    """To look where keys lie is an attempt, though none is there: it is said, not the data's."""
    with pytest.raises(ModelConfined) as caught:
        loaded.score(do(program))
    assert caught.value.message == f"the model tried to {attempt}: its sandbox forbids it"
    assert caught.value.hint.startswith("a model reads what lies beside it")


@pytest.mark.parametrize(("program", "attempt"), [*LOOKS[:3], LOOKS[8]])
def test_look_for_a_key_at_load(hostile: Load, program: str, attempt: str) -> None:
    """While it is loaded it is said as well, though the model raises something else for it."""
    lines = f"try:\n    {program}\nexcept OSError as error:\n    raise ValueError('no') from error"
    with pytest.raises(ModelConfined, match="tried to") as caught:
        hostile(lines)
    assert attempt in caught.value.message


@pytest.mark.parametrize(
    ("program", "attempts"),
    [
        *((f"try:\n    {look}\nexcept OSError: pass", (said,)) for look, said in LOOKS),
        (
            "import os; os.path.exists(os.path.expanduser('~/.docker/config.json'))",
            ("look for ~/.docker/config.json",),
        ),
        (
            "import os; os.path.isdir('/home/nobody-here/.ssh')",
            ("look for /home/nobody-here/.ssh",),
        ),
        (
            "import os; os.access('/root/.git-credentials', os.R_OK)",
            ("look for /root/.git-credentials",),
        ),
    ],
)
def test_look_for_a_key_that_is_hidden(
    hostile: Load, program: str, attempts: tuple[str, ...]
) -> None:
    """A model that swallows what came of its look answers, and the look is kept."""
    process = hostile()
    assert process.score(do(program)).predictions.tolist() == [0.0]
    assert process.attempts == attempts


def test_what_is_heard_of_works_as_before(hostile: Load) -> None:
    """The functions of `os` that are heard of can what they could, and tell of nothing else."""
    program = """
import os, shutil, tempfile
assert {os.stat, os.open} <= os.supports_dir_fd and os.stat in os.supports_follow_symlinks
assert os.access in os.supports_effective_ids and os.stat.__name__ == "stat"
class Holder:
    ask = os.stat
folder = tempfile.mkdtemp()
assert Holder().ask(folder).st_ino == os.stat(folder, follow_symlinks=False).st_ino
os.makedirs(".ssh"); open(".ssh/own", "w").close(); open(".ssh/own").close(); os.listdir(".ssh")
os.path.realpath("/home/nobody-here/data.csv"); os.path.exists("/etc/ssl/no-such")
shutil.rmtree(folder); shutil.rmtree(".ssh")
assert not os.path.exists(folder)
"""
    process = hostile()
    assert process.score(do(program)).predictions.tolist() == [0.0]
    assert process.attempts == ()


def test_refusal_in_native_code(tmp_path: Path) -> None:
    """A file that a library's own code may not open is the sandbox's refusal, in one line."""
    file = tmp_path / "native.pkl"
    booster = FunctionTransformer(partial(xgboost.Booster, model_file="/etc/passwd"))
    file.write_bytes(pickle.dumps(make_pipeline(booster, DummyRegressor().fit([[0]], [0]))))
    with (
        ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process,
        pytest.raises(ModelConfined) as caught,
    ):
        process.score(pa.table({"x": [1.0]}))
    message = caught.value.message
    assert message.startswith("the model was refused by the system: XGBoostError: ")
    assert message.endswith("Permission denied: its sandbox forbids it")
    assert "Stack trace" not in message


def test_attempts_are_bounded(hostile: Load) -> None:
    """A model that tries without end, or says terminal escapes, fills neither memory nor screen."""
    process = hostile()
    program = (
        "import os\nfor n in range(5000):\n"
        "    try: os.mkdir('/tmp/\\x1b[2J' + 'x' * 1000 + str(n))\n    except OSError: pass"
    )
    for _ in range(10):
        process.score(do(program))
    assert len(process.attempts) <= 100
    assert all(len(said) <= 300 and said.isprintable() for said in process.attempts)


@pytest.mark.parametrize("when", ["load", "predict"])
def test_memory(hostile: Load, when: str) -> None:
    """A model that eats memory is refused more, and told which setting allows it."""
    program, limits = "held = bytearray(900_000_000)", Limits(memory_gb=0.5)
    at_load, at_predict = (program, "") if when == "load" else ("", program)
    with pytest.raises(ModelConfined, match=r"needs more than 0.5 GB of memory") as caught:
        hostile(at_load, limits).score(do(at_predict))
    assert caught.value.hint == "memory_gb in brinery.toml, [sandbox], allows it more"


def test_endless_loop(hostile: Load) -> None:
    """A model that never answers is ended when its time is over."""
    process = hostile()
    process._child.timeout_s = 1.0
    with pytest.raises(ModelProcessTimeout, match="within 1 seconds"):
        process.score(do("while True: pass"))
    assert not process.alive


def test_endless_load(hostile: Load) -> None:
    """A model that computes without end while it is loaded is ended by its processor time."""
    with pytest.raises(ModelConfined, match="seconds of processor time"):
        hostile("while True: pass", Limits(cpu_s=4))


FORGED = """
import gc, os, struct
import pyarrow as pa
from brinery.flavors import messages
from brinery.pickles.frames import Channel
gc.unfreeze()
channel = next(found for found in gc.get_objects() if type(found) is Channel)
"""

POISONED = [
    # No reply at all.
    "channel.send(b'')",
    "channel.send(b'\\xc1')",
    "channel.send(b'\\x93' * 100_000)",
    "import pickle; channel.send(pickle.dumps(os.getcwd))",
    "channel.send(b'\\xdd\\xff\\xff\\xff\\xff')",
    "channel.send(bytes(100))",
    # A reply to no question, or of another type.
    "channel.send(messages.encode(messages.Answer(0, messages.Scored())))",
    "channel.send(messages.encode(messages.Answer(-1, messages.Written())))",
    "channel.send(messages.encode(messages.Answer(2**63, messages.Columns(('a',)))))",
    # A frame that is none.
    "os.write(channel.writing, struct.pack('<QQ', 2**62, 2**62))",
    "os.write(channel.writing, struct.pack('<QQ', 10, 2**40) + bytes(10))",
]


@pytest.mark.parametrize("program", POISONED)
def test_poisoned_reply(hostile: Load, program: str) -> None:
    """What is no reply to the question ends the process, and is an error in one sentence."""
    process = hostile()
    with pytest.raises((Fault, ModelProcessDied), match=r"answered what is no|sent what is no"):
        process.score(do(FORGED + program))
    assert not process.alive
    with pytest.raises(ModelProcessDied, match="was closed"):
        process.score(do(""))


def test_reply_that_comes_early(hostile: Load) -> None:
    """A second reply is not taken for the answer to the next question."""
    process = hostile()
    early = FORGED + (
        "import threading\n"
        "def later():\n"
        "    import time; time.sleep(0.3)\n"
        "    channel.send(messages.encode(messages.Answer(1, messages.Scored())), b'')\n"
        "threading.Thread(target=later).start()"
    )
    process.score(do(early))
    there, _, _ = select.select([process._child._channel.reading], [], [], TIMEOUT_S)
    assert there
    with pytest.raises(Fault, match="the answer to another question"):
        process.score(do(""))


# Knows the number of the question, as code in the same process may, and forges its answer.
INSIDE = (
    FORGED
    + """
import sys
frame = sys._getframe()
while "question" not in frame.f_locals:
    frame = frame.f_back
number = frame.f_locals["question"].number
def send(reply, body=b"", attempts=()):
    channel.send(messages.encode(messages.Answer(number, reply, attempts)), body)
def stream(*columns, options=None, rows=1, told=None):
    sink = pa.BufferOutputStream()
    table = pa.table(dict(columns)).replace_schema_metadata(told)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytearray(sink.getvalue().to_pybytes())
"""
)

# Several values for one row, under names of the forger's choice.
SEVERAL = (
    "def several(names, *columns):\n"
    "    given = columns or [(f'prediction{place}', [1.0]) for place in range(len(names))]\n"
    "    told = {b'outputs': msgspec.json.encode(names)}\n"
    "    send(messages.Scored(), stream(*given, told=told))\n"
    "import msgspec\n"
)

FORGERIES = [
    ("send(messages.Scored(), b'')", "no schema"),
    ("send(messages.Scored(), b'not arrow')", "damaged"),
    ("send(messages.Scored(), stream(('prediction', [1.0]))[:-60])", "damaged|rows"),
    ("send(messages.Scored(), stream(('prediction', [1.0, 2.0])))", "2 rows, and 1 were"),
    ("send(messages.Scored(), stream(('prediction', pa.array([], pa.float64()))))", "0 rows"),
    ("send(messages.Scored(), stream(('another', [1.0])))", "columns are others"),
    (
        "send(messages.Scored(), stream(('prediction', [1.0]), ('p0', ['a'])))",
        "no float64",
    ),
    ("send(messages.Scored(), stream(('prediction', [1.0]), ('x', [1.0])))", "columns are others"),
    ("send(messages.Scored(), stream(('prediction', [[1.0]])))", "other types"),
    ("send(messages.Scored(), stream(('prediction', [b'bytes'])))", "other types"),
    (
        "send(messages.Scored(), stream(('prediction', pa.array(['a']).dictionary_encode())))",
        "other types",
    ),
    (
        "send(messages.Scored(), stream(('prediction', ['\\x1b[2J'])))",
        "control characters",
    ),
    (
        (
            "packed = pa.ipc.IpcWriteOptions(compression='zstd')\n"
            "send(messages.Scored(), stream(('prediction', ['a' * 100]), options=packed))"
        ),
        "packed in a way",
    ),
    # Offsets of a text column that lead out of its buffer.
    (
        (
            "send(messages.Scored(), stream(('prediction', ['abc']))"
            ".replace(bytes(4) + b'\\3\\0\\0\\0', bytes(4) + b'\\0\\0\\0\\x70'))"
        ),
        "damaged",
    ),
    # Text that is no text.
    (
        (
            "raw = pa.StringArray.from_buffers(1, pa.array([0, 2], pa.int32()).buffers()[1],"
            " pa.py_buffer(b'\\xff\\xfe')); send(messages.Scored(), stream(('prediction', raw)))"
        ),
        "damaged",
    ),
    (SEVERAL + "several(['a', 'a'])", "told twice"),
    (SEVERAL + "several(['a', 'b\\x1b[2J'])", "cannot be shown"),
    (SEVERAL + "several(['a', '\\u202eb'])", "cannot be shown"),
    (SEVERAL + "several(['a', ''])", "cannot be shown"),
    (SEVERAL + "several(['a', 'b' * 1000])", "too long"),
    (SEVERAL + "several([str(place) for place in range(10_001)])", "names 10001 values"),
    (SEVERAL + "several(['a'])", "names 1 values, and has 1"),
    (
        SEVERAL + "several(['a', 'b', 'c'], ('prediction0', [1.0]), ('prediction1', [1.0]))",
        "names 3 values, and has 2",
    ),
    (
        SEVERAL + "several(['a', 'b'], ('prediction0', [1.0]), ('prediction1', ['\\x1b[2J']))",
        "control characters",
    ),
    (
        SEVERAL + "several(['a', 'b'], ('prediction', [1.0]), ('p0', [1.0]))",
        "others than those of several values",
    ),
    (
        SEVERAL + "several(['a', 'b'], ('prediction0', [1.0]), ('prediction1', [b'b']))",
        "other types",
    ),
    (
        (
            "send(messages.Scored(), stream(('prediction0', [1.0]), ('prediction1', [1.0]),"
            " told={b'outputs': b'no json'}))"
        ),
        "names 0 values, and has 2",
    ),
    ("send(messages.Written())", "answered Written"),
    ("send(messages.Columns(('a',)))", "answered Columns"),
    ("send(messages.Columns(('a\\x1b[2J',)))", "control characters"),
    ("send(messages.Columns(()), bytes(10))", "answered Columns"),
]


@pytest.mark.parametrize(("program", "why"), FORGERIES)
def test_forged_answer(hostile: Load, program: str, why: str) -> None:
    """An answer whose arrays lie is refused whole, in one sentence, and the parent lives."""
    process = hostile()
    with pytest.raises(Fault, match=why):
        process.score(do(INSIDE + program))
    assert not process.alive


def test_every_byte_of_a_table(hostile: Load) -> None:
    """A table with any of its bytes changed is refused or read; nothing worse comes of it."""
    process = hostile()
    program = INSIDE + (
        "table = stream(('prediction', ['abc', 'de']), ('p0', [0.5, 0.5]), ('p1', [0.5, 0.5]))\n"
        "answer = ['%s' % bytes(table).hex()] * rows"
    )
    table = bytes.fromhex(str(process.score(do(program)).predictions[0]))
    from brinery.flavors import received, tables  # noqa: PLC0415 - only here

    refused = 0
    for place in range(len(table)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(table)
            changed[place] ^= flip
            try:
                found = received.check_scores(memoryview(changed), rows=2, classes=2)
            except received.Unfit:
                refused += 1
            else:
                assert len(tables.unpack_scores(found, ("a", "b"))) == 2
    received.check_scores(memoryview(table), rows=2, classes=2)
    assert refused > len(table) // 2


def test_escapes_in_errors(hostile: Load) -> None:
    """An error of the model's own cannot steer the terminal, nor fill it."""
    program = "raise ValueError('\\x1b]0;title\\x07\\x1b[2J\\u202e' + 'long ' * 10_000)"
    with pytest.raises(BrineryError) as caught:
        hostile(program)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 3000


def test_errors_of_its_choice(hostile: Load) -> None:
    """A reply may name any error of ours, and nothing else."""
    for name in ("SystemExit", "__builtins__", "annotations", "Any"):
        process = hostile()
        with pytest.raises(Fault, match="forged"):
            process.score(do(INSIDE + f"send(messages.Failed({name!r}, 'forged', ''))"))
        process.close()


def test_class_that_travels_with_its_pickle(tmp_path: Path, key: Path) -> None:
    """A class that cloudpickle carries is confined as any other, once its names are trusted."""

    class Carried:
        def predict(self, frame: object) -> object:
            del frame
            return key.read_text()

    file = tmp_path / "carried.pkl"
    file.write_bytes(cloudpickle.dumps(Carried()))
    with (
        ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process,
        pytest.raises(ModelConfined, match=r"tried to open .*id_rsa"),
    ):
        process.score(pa.table({"x": [1.0]}))


def test_names_that_were_not_accepted(hostile: Load, tmp_path: Path) -> None:
    """A name that the artifact does not list is not found, though it can be imported."""
    hostile().close()
    file = tmp_path / "hostile.pkl"
    from msgspec.structs import replace  # noqa: PLC0415 - only here

    artifact = replace(artifact_of(file), globals=("hostile_model.Hostile",))
    with pytest.raises(NotTrusted, match=r"asks for hostile_model\.at_load"):
        ModelProcess(file, artifact=artifact, timeout_s=TIMEOUT_S)


@pytest.mark.parametrize("workers", [1, 2, -1])
def test_benign_models(tmp_path: Path, workers: int) -> None:
    """A model with workers answers as it does outside, with threads, and warns of nothing."""
    data = np.random.default_rng(0).normal(size=(300, 4))
    model = RandomForestClassifier(20, random_state=0, n_jobs=workers).fit(data, data[:, 0] > 0)
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model))
    table = pa.table({str(number): data[:, number] for number in range(4)})
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        scores = process.score(table)
        assert scores.probabilities is not None
        assert np.array_equal(scores.probabilities, model.predict_proba(data))
        assert process.attempts == ()
        assert process.sandbox.complete


def test_boosting_with_threads(tmp_path: Path) -> None:
    """What asks a program for the number of processors, and OpenMP for threads, works as it is."""
    data = np.random.default_rng(0).normal(size=(300, 4))
    model = HistGradientBoostingRegressor(max_iter=5).fit(data, data[:, 0])
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model))
    table = pa.table({str(number): data[:, number] for number in range(4)})
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        assert np.array_equal(process.score(table).predictions, model.predict(data))
        assert process.attempts == ()


def test_required(tmp_path: Path) -> None:
    """A model is not loaded where the sandbox must be whole and is not."""
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(StandardScaler().fit([[1.0]])))
    child = ChildProcess(
        "brinery.flavors.host",
        timeout_s=TIMEOUT_S,
        limits=Limits(require=True),
        kernel=Kernel(landlock=False),
    )
    with pytest.raises(SandboxUnavailable, match=r"filesystem \(it is not used\)"):
        ModelProcess(file, artifact=artifact_of(file), started=child)
    assert not child.alive


def test_started_process_knows_its_sandbox() -> None:
    """A process that is started ahead says what holds it."""
    with start_process(timeout_s=TIMEOUT_S, limits=Limits(require=True)) as child:
        assert child.sandbox.complete
