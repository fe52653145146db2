"""What a job may rely on, wherever its steps run: on this machine, or on a Ray cluster of two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests import clusters
from tests.actions.job_plans import by_name, chained, plan, reopened, shell, told, workspace
from tests.clusters import Cluster
from tests.conftest import BRINERY
from tests.there import commands

from brinery.actions.job import How
from brinery.actions.job_rooms import JobRooms
from brinery.records.job import JobRun, Status
from brinery.records.job_event import Happening, JobEvent
from brinery.records.plan import (
    Data,
    Dimension,
    Needs,
    Output,
    Parallel,
    Plan,
    Produced,
    Spread,
    Step,
    StepKind,
    Stopping,
    Sweep,
)
from brinery.records.trials import Trials
from brinery.store.jobs import log_lines, log_of

WAIT_S = 240.0
TRIES = 3


@dataclass(frozen=True)
class Place:
    """Where steps run.

    Attributes:
        name: of the runner.
        cluster: None for this machine.
    """

    name: str
    cluster: Cluster | None = None

    @property
    def words(self) -> list[str]:
        """Return the options of a command."""
        address = ["--address", self.cluster.address] if self.cluster is not None else []
        return ["--runner", self.name, *address]

    def told(self, rooms: JobRooms, made: Plan, **more: object) -> tuple[JobRun, list[JobEvent]]:
        """Return a job that was run here, and what it told."""
        address = self.cluster.address if self.cluster is not None else ""
        asked = {"limit": 4, "told": True, "runner": self.name, "address": address, **more}
        return told(rooms, made, How(**asked))  # type: ignore[arg-type]

    def run(self, rooms: JobRooms, made: Plan) -> JobRun:
        """Return a job that was run here."""
        return self.told(rooms, made)[0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster that this process has joined, as a program that runs several jobs does."""
    import ray

    with clusters.running() as found:
        ray.init(address=found.address, log_to_driver=False)
        yield found
        ray.shutdown()


@pytest.fixture(
    scope="module",
    params=[
        "local",
        pytest.param(
            "ray",
            marks=[
                pytest.mark.slow,
                pytest.mark.ray,
                pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
            ],
        ),
    ],
)
def place(request: pytest.FixtureRequest) -> Place:
    """Return each place that steps run at."""
    if request.param == "local":
        return Place("local")
    return Place("ray", request.getfixturevalue("cluster"))


def said(rooms: JobRooms, job: JobRun, step: str) -> list[str]:
    """Return what a step of a job wrote."""
    return [text for _, text in log_lines(log_of(rooms.jobs.path(job.name), step))]


def until(there: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def test_steps_and_what_they_leave(place: Place, tmp_path: Path) -> None:
    """Steps run at once, later ones after those that feed them, and inputs are read-only."""
    rooms = workspace(tmp_path)
    meet = (
        f"touch {tmp_path}/$AZUREML_RUN_ID.{{0}}; "
        f"until [ -e {tmp_path}/$(echo $AZUREML_RUN_ID | sed s/{{0}}/{{1}}/).{{1}} ]; "
        "do sleep 0.05; done; echo {0} > ${{{{outputs.o}}}}/word; sleep 0.2"
    )
    job, events = place.told(
        rooms,
        plan(
            shell("aa", meet.format("aa", "bb"), outputs={"o": Output()}),
            shell("bb", meet.format("bb", "aa"), outputs={"o": Output()}),
            shell(
                "both",
                "cat ${{inputs.a}}/word ${{inputs.b}}/word; echo x > ${{inputs.a}}/word || "
                "echo refused; (sleep 0.3; echo late) & echo early; "
                "python -S -c 'x = bytearray(60 << 20); sum(range(2_000_000))'; exit 0",
                inputs={
                    "a": Produced(step="aa", output="o"),
                    "b": Produced(step="bb", output="o"),
                },
            ),
        ),
    )
    assert job.status is Status.COMPLETED, job.error
    assert job.runner == place.name
    lines = said(rooms, job, "both")
    assert lines[:2] == ["aa", "bb"]
    assert {"refused", "early"} < {*lines}
    assert lines[-1] == "late"
    heard = [e.message for e in events if e.happening is Happening.LINE and e.step == "both"]
    assert heard == lines
    usage = by_name(job)["both"].usage
    assert usage is not None
    assert usage.wall_s > 0.3
    assert usage.cpu_s > 0.01
    assert usage.peak_bytes > 60 << 20


def test_reuse(place: Place, tmp_path: Path) -> None:
    """What did not change does not run again; equal outputs cut off what follows."""
    rooms = workspace(tmp_path)
    words = ("one ", "two ")
    first = place.run(rooms, chained(tmp_path, words))
    assert first.status is Status.COMPLETED, first.error
    again = place.run(reopened(tmp_path), chained(tmp_path, words))
    assert [step.reused for step in again.steps] == [first.name] * 2
    script = tmp_path / "code" / "step.py"
    script.write_text(script.read_text() + "# the end\n")
    cut = place.run(reopened(tmp_path), chained(tmp_path, words))
    assert [bool(step.reused) for step in cut.steps] == [False, False]
    (tmp_path / "data" / "more").touch()
    cut = place.run(reopened(tmp_path), chained(tmp_path, words))
    assert [bool(step.reused) for step in cut.steps] == [False, True]


def test_how_steps_end(place: Place, tmp_path: Path) -> None:
    """The status is bash's; a time limit ends all that a step started, and so does a failure."""
    rooms = workspace(tmp_path)
    stray = f"setsid sleep 300 & echo $! >> {tmp_path}/pids; touch {tmp_path}/begun; sleep 300"
    for limit_s in (0.5, 10.5, 100.5):  # it has begun by then, unless the machine has other work
        (tmp_path / "pids").unlink(missing_ok=True)
        late = place.run(rooms, plan(shell("late", stray, timeout_s=limit_s)))
        assert late.error == f"the step late failed: ended after {limit_s} s, its time limit"
        rooms = reopened(tmp_path)
        if (tmp_path / "begun").exists():
            break
    (tmp_path / "begun").unlink()
    wait = f"until [ -e {tmp_path}/begun ]; do sleep 0.05; done; exit 3"
    job = place.run(reopened(tmp_path), plan(shell("bad", wait), shell("slow", stray)))
    assert job.error == "the step bad failed: its command ended with status 3"
    assert by_name(job)["slow"].status is Status.CANCELED
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_cancel(place: Place, tmp_path: Path) -> None:
    """A job that is cancelled asks its steps to end, and lets them."""
    rooms = workspace(tmp_path)
    polite = (
        f"trap 'echo ended > {tmp_path}/ended; exit 1' TERM; touch {tmp_path}/begun; "
        "while :; do sleep 0.05; done"
    )

    def ask() -> None:
        until((tmp_path / "begun").exists)
        rooms.jobs.cancel("asked")

    asking = threading.Thread(target=ask)
    asking.start()
    job = place.run(reopened(tmp_path), plan(shell("a", polite), name="asked"))
    asking.join()
    assert (job.status, job.steps[0].status) == (Status.CANCELED, Status.CANCELED)
    assert (tmp_path / "ended").exists()


def test_lost_processes(place: Place, tmp_path: Path) -> None:
    """A step whose process is lost is tried again, a few times, and what finished is not."""
    rooms = workspace(tmp_path)
    count = f"echo x >> {tmp_path}/{{0}}; "
    kill = "kill -9 $PPID; sleep 3"
    once = f"[ $(wc -l < {tmp_path}/once) = 2 ] || {{ {kill}; }}; cat ${{{{inputs.i}}}}/word"
    kept = shell(
        "good", count.format("good") + "echo kept > ${{outputs.o}}/word", outputs={"o": Output()}
    )
    feeds = {"i": Produced(step="good", output="o")}
    job = place.run(rooms, plan(kept, shell("once", count.format("once") + once, inputs=feeds)))
    assert job.status is Status.COMPLETED, job.error
    assert said(rooms, job, "once")[-1] == "kept"
    assert [(tmp_path / name).read_text() for name in ("good", "once")] == ["x\n", "x\nx\n"]
    job = place.run(reopened(tmp_path), plan(shell("always", count.format("always") + kill)))
    assert job.status is Status.FAILED
    assert len((tmp_path / "always").read_text().split()) == TRIES


def test_several_processes(place: Place, tmp_path: Path) -> None:
    """The processes of a step find each other, and one that fails ends the others."""
    rooms = workspace(tmp_path)
    (tmp_path / "code" / "meet.py").write_text(
        "import os, socket, time\n"
        "rank, world = os.environ['RANK'], os.environ['WORLD_SIZE']\n"
        "assert os.environ['NODE_RANK'] == rank and os.environ['LOCAL_RANK'] == '0'\n"
        "address = os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT'])\n"
        "if rank == '0':\n"
        "    with socket.create_server(address) as server:\n"
        "        with server.accept()[0] as other:\n"
        "            print('met', other.recv(9).decode(), 'of', world, flush=True)\n"
        "else:\n"
        "    for _ in range(600):\n"
        "        try:\n"
        "            socket.create_connection(address).sendall(rank.encode())\n"
        "            break\n"
        "        except OSError:\n"
        "            time.sleep(0.05)\n"
    )
    two = Spread(instances=2, distribution="pytorch")
    servers = Spread(instances=2, distribution="tensorflow", workers=2, parameter_servers=1)
    serve = (
        f'echo $TF_CONFIG; case $TF_CONFIG in *\'"type":"ps"\'*) touch {tmp_path}/serves; '
        f"sleep 300;; esac; until [ -e {tmp_path}/serves ]; do sleep 0.05; done; "
        "echo worker $AZUREML_PROCESS_NAME"
    )
    job = place.run(
        rooms,
        plan(
            shell("meet", "python -S -E meet.py", code=str(tmp_path / "code"), spread=two),
            shell("fails", "[ $RANK = 0 ] || exit 5; sleep 300", spread=two),
            shell("serve", serve, spread=servers),
            continue_on_failure=True,
        ),
    )
    assert by_name(job)["meet"].status is Status.COMPLETED, by_name(job)["meet"]
    assert said(rooms, job, "meet") == ["met 1 of 2"]
    assert by_name(job)["fails"].exit_status == 5
    assert by_name(job)["serve"].status is Status.COMPLETED, by_name(job)["serve"]
    lines = said(rooms, job, "serve")
    assert sorted(line for line in lines if "{" not in line) == ["worker rank_0", "worker rank_1"]
    assert sum('"type":"ps"' in line for line in lines) == 1


def test_one_program_for_all(place: Place, tmp_path: Path) -> None:
    """MPI's processes are begun by `mpirun`, and where there is none that is the error."""
    rooms = workspace(tmp_path)
    programs = Path(sys.executable).parent  # the tests' own MPI is MPICH
    step = shell(
        "all",
        'echo "it\'s" $WORD $PMI_RANK of $PMI_SIZE',
        spread=Spread(instances=2, processes=2, distribution="mpi"),
        variables={"WORD": "salt", "PATH": f"{programs}:/usr/bin:/bin"},
    )
    job = place.run(rooms, plan(step))
    assert job.status is Status.COMPLETED, job.error
    assert sorted(said(rooms, job, "all")) == [f"it's salt {rank} of 4" for rank in range(4)]
    without = replace(step, variables={"PATH": str(tmp_path)})
    job = place.run(reopened(tmp_path), plan(without))
    assert "the step all failed: it needs mpirun, which is not on its PATH" in job.error


def test_a_cluster_of_the_step(place: Place, tmp_path: Path) -> None:
    """A step that is spread by Ray itself is one process, and is told of the cluster."""
    rooms = workspace(tmp_path)
    step = shell("one", "echo at $RAY_ADDRESS", spread=Spread(instances=2, distribution="ray"))
    job = place.run(rooms, plan(step))
    known = place.cluster.address if place.cluster is not None else ""
    assert said(rooms, job, "one") == [f"at {known}".strip()]


def test_sweep(place: Place, tmp_path: Path) -> None:
    """A trial that is lost with its process is tried again, one that does badly is ended early."""
    rooms = workspace(tmp_path)
    (tmp_path / "code" / "trial.py").write_text(
        "import json, os, sys, time, urllib.request\n"
        "x, folder, target = sys.argv[1:]\n"
        "flag = os.path.join(folder, 'lost-' + x)\n"
        "if x == '2' and not os.path.exists(flag):\n"
        "    open(flag, 'w').close()\n"
        "    os.kill(int(os.environ['NURSERY']), 9)\n"
        "    time.sleep(60)\n"
        "told = {'run_id': os.environ['MLFLOW_RUN_ID'], 'key': 'loss', 'value': float(x),\n"
        "        'timestamp': int(time.time() * 1000), 'step': 0}\n"
        "url = os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric'\n"
        "token = os.environ.get('MLFLOW_TRACKING_TOKEN', '')\n"
        "head = {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + token}\n"
        "asked = urllib.request.Request(url, json.dumps(told).encode(), head)\n"
        "urllib.request.urlopen(asked).close()\n"
        "if x == '5':\n"
        "    time.sleep(60)\n"
        "    open(os.path.join(folder, 'late'), 'w').close()\n"
        "open(os.path.join(target, 'x'), 'w').write(x)\n"
    )
    step = Step(
        name="tune",
        kind=StepKind.SWEEP,
        command=(
            "NURSERY=$PPID python -S -E trial.py ${{search_space.x}} "
            f"{tmp_path} ${{{{outputs.o}}}}"
        ),
        code=str(tmp_path / "code"),
        outputs={"o": Output()},
        sweep=Sweep(
            space={"x": Dimension(kind="choice", values=("3", "2", "5"))},
            sampling="grid",
            goal="minimize",
            metric="loss",
            trials=3,
            concurrent=2,
            stopping=Stopping(kind="bandit", slack_amount=1.0),
        ),
    )
    job = place.run(rooms, plan(step))
    assert job.status is Status.COMPLETED, job.error
    assert Path(job.steps[0].outputs["o"].path, "x").read_text() == "2"
    assert (tmp_path / "lost-2").exists()
    kept = rooms.jobs.path(job.name) / "steps" / "tune" / "trials.json"
    found = msgspec.json.decode(kept.read_bytes(), type=Trials)
    assert {trial.values["x"]: trial.early for trial in found.trials} == {
        "3": False,
        "2": False,
        "5": True,
    }
    assert not (tmp_path / "late").exists()


def test_mini_batches(place: Place, tmp_path: Path) -> None:
    """Workers share the mini-batches; what a lost one worked on is done by another."""
    rooms = workspace(tmp_path)
    files = tmp_path / "files"
    files.mkdir()
    for number in range(6):
        (files / f"{number}").write_text(f"{number}")
    (tmp_path / "code" / "entry.py").write_text(
        "import os, pathlib\n"
        f"FLAG = pathlib.Path({str(tmp_path / 'flag')!r})\n"
        "def run(paths):\n"
        "    if paths[0].endswith('4') and not FLAG.exists():\n"
        "        FLAG.touch()\n"
        "        os.kill(os.getpid(), 9)\n"
        "    if paths[0].endswith('5'):\n"
        "        raise ValueError('no fives')\n"
        "    return [pathlib.Path(each).read_text() * 2 for each in paths]\n"
    )
    step = Step(
        name="score",
        kind=StepKind.PARALLEL,
        code=str(tmp_path / "code"),
        inputs={"files": Data(uri=str(files))},
        outputs={"rows": Output()},
        parallel=Parallel(
            data="files",
            entry="entry.py",
            append_to="rows",
            batch_size=1,
            retries=1,
            batch_errors=1,
        ),
        spread=Spread(instances=2),
    )
    job = place.run(rooms, plan(step))
    assert job.status is Status.COMPLETED, job.error
    rows = Path(job.steps[0].outputs["rows"].path, "parallel_run_step.txt").read_text().split()
    assert rows == ["00", "11", "22", "33", "44"]


YAML = """\
type: pipeline
jobs:
  first:
    command: echo x >> {folder}/first; echo kept > ${{{{outputs.o}}}}/word
    environment: {{image: python}}
    outputs: {{o: }}
  second:
    command: >-
      echo $$ >> {folder}/second; cat ${{{{inputs.i}}}}/word;
      [ -e {folder}/go ] || sleep 300
    environment: {{image: python}}
    inputs: {{i: "${{{{parent.jobs.first.outputs.o}}}}"}}
"""


@pytest.mark.slow
def test_killed_engine(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is killed takes its steps along; the job goes on where it was.

    On a cluster it goes on by `--address auto`, which is the one that Ray itself is told of.
    """
    rooms = workspace(tmp_path)
    file = tmp_path / "pipeline.yml"
    file.write_text(YAML.format(folder=tmp_path))
    brinery = [str(BRINERY), "--workspace", str(tmp_path), "job"]
    more = ["--environment", "current", *place.words]
    engine = subprocess.Popen(
        [*brinery, "create", "-f", str(file), "-n", "killed", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: (tmp_path / "second").exists() and bool((tmp_path / "second").read_text()))
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    pid = (tmp_path / "second").read_text().strip()
    until(lambda: not Path(f"/proc/{pid}").exists())
    (tmp_path / "go").touch()
    if place.cluster is not None:
        more[-1] = "auto"
        monkeypatch.setenv("RAY_ADDRESS", place.cluster.address)
    done = subprocess.run(
        [*brinery, "resume", "killed", *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "first").read_text() == "x\n"
    assert said(rooms, rooms.jobs.read("killed"), "second")[-1] == "kept"


@pytest.mark.slow
@pytest.mark.ray
def test_lost_worker(cluster: Cluster, tmp_path: Path) -> None:
    """When Ray's process of a step is killed, all of the step is, and it is tried again."""
    rooms = workspace(tmp_path)
    step = f"echo $$ >> {tmp_path}/pids; [ $(wc -l < {tmp_path}/pids) = 2 ] || sleep 300"

    def kill() -> None:
        until(lambda: (tmp_path / "pids").exists() and bool((tmp_path / "pids").read_text()))
        (worker,) = [
            number for number, said in commands() if said.startswith("ray::a-step-that-is-lost")
        ]
        os.kill(worker, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    job = Place("ray", cluster).run(rooms, plan(shell("a-step-that-is-lost", step)))
    killing.join()
    assert job.status is Status.COMPLETED, job.error
    first, _ = (tmp_path / "pids").read_text().split()
    until(lambda: not Path(f"/proc/{first}").exists())


@pytest.mark.slow
@pytest.mark.ray
def test_lost_node(cluster: Cluster, tmp_path: Path) -> None:
    """What a lost node ran is run again on the other, and what had finished there is not."""
    place = Place("ray", cluster)
    rooms = workspace(tmp_path)
    count = f"echo x >> {tmp_path}/{{0}}; "
    there = Needs(others={"second": 0.001})
    made = plan(
        shell(
            "done",
            count.format("done") + "echo kept > ${{outputs.o}}/word",
            outputs={"o": Output()},
            needs=there,
        ),
        *(
            shell(
                f"s{at}",
                f"echo $$ >> {tmp_path}/s{at}; until [ -e {tmp_path}/go ]; do sleep 0.05; done; "
                "cat ${{inputs.i}}/word",
                inputs={"i": Produced(step="done", output="o")},
            )
            for at in range(2)
        ),
    )

    def lose() -> None:
        files = [tmp_path / f"s{at}" for at in range(2)]
        until(lambda: all(each.exists() and each.read_text() for each in files))
        pids = [each.read_text().split()[0] for each in files]
        cluster.lose_node()
        until(lambda: not all(Path(f"/proc/{pid}").exists() for pid in pids))
        (tmp_path / "go").touch()

    losing = threading.Thread(target=lose)
    losing.start()
    job = place.run(rooms, made)
    losing.join()
    cluster.add_node()
    assert job.status is Status.COMPLETED, job.error
    assert (tmp_path / "done").read_text() == "x\n"
    runs = [len((tmp_path / f"s{at}").read_text().split()) for at in range(2)]
    assert sorted(runs) == [1, 2]
    assert [said(rooms, job, f"s{at}")[-1] for at in range(2)] == ["kept"] * 2
