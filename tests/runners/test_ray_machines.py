"""Jobs on two machines that share nothing but a bucket: what steps need goes there and back."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests import buckets, machines
from tests.conftest import BRINERY
from tests.machines import Machines

from brinery.records.job import JobRun, Status
from brinery.store.jobs import log_lines, log_of, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ray,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.skipif(not machines.can(), reason="no second machine can be made here"),
]

PIPELINE = """\
type: pipeline
inputs:
  data: {type: uri_folder, path: ./data}
jobs:
  there:
    command: >-
      python step.py ${{inputs.data}} ${{outputs.o}};
      echo x > ${{inputs.data}}/a || echo refused;
      ls -A WORKSPACE | wc -l; echo kept > outputs/kept; hostname -I; echo $HOME
    code: ./code
    environment: {image: python}
    resources: {properties: {ray: {resources: {other: 0.01}}}}
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {o: }
  both:
    command: >-
      cat ${{inputs.i}}/text; echo; python -S -E meet.py; touch ${{outputs.o}}/rank-$RANK
    code: ./code
    environment: {image: python}
    resources: {instance_count: 2}
    distribution: {type: pytorch}
    inputs: {i: "${{parent.jobs.there.outputs.o}}"}
    outputs: {o: }
  logs:
    command: ls ${{inputs.i}}; python -S -E log.py; exit ${{inputs.status}}
    code: ./code
    environment: {image: python}
    resources: {properties: {ray: {resources: {other: 0.01}}}}
    inputs: {i: "${{parent.jobs.both.outputs.o}}", status: 0}
"""
FILES = {
    "code/step.py": (
        "import pathlib, sys\n"
        "source, target = map(pathlib.Path, sys.argv[1:])\n"
        "text = ''.join(each.read_text() for each in sorted(source.iterdir()))\n"
        "(target / 'text').write_text(text)\n"
        "print('read', len(text))\n"
    ),
    "code/meet.py": (
        "import os, socket, time\n"
        "address = os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT'])\n"
        "if os.environ['RANK'] == '0':\n"
        "    with socket.create_server(address) as server:\n"
        "        other = server.accept()[1]\n"
        "    print('met', *sorted([address[0], other[0]]), flush=True)\n"
        "else:\n"
        "    for _ in range(600):\n"
        "        try:\n"
        "            socket.create_connection(address, 5).close()\n"
        "            break\n"
        "        except OSError:\n"
        "            time.sleep(0.05)\n"
    ),
    "code/log.py": (
        "import json, os, time, urllib.request\n"
        "told = {'run_id': os.environ['MLFLOW_RUN_ID'], 'key': 'loss', 'value': 0.5,\n"
        "        'timestamp': int(time.time() * 1000), 'step': 0}\n"
        "url = os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric'\n"
        "head = {'Content-Type': 'application/json',\n"
        "        'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN']}\n"
        "asked = urllib.request.Request(url, json.dumps(told).encode(), head)\n"
        "urllib.request.urlopen(asked, timeout=300).close()\n"
        "print(url)\n"
    ),
    "data/a": "salt ",
    "data/b": "water",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace that only the first machine sees."""
    folder = tmp_path_factory.mktemp("apart") / "workspace"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "pipeline.yml").write_text(PIPELINE.replace("WORKSPACE", str(folder)))
    return folder


@pytest.fixture(scope="module")
def two(workspace: Path) -> Iterator[Machines]:
    """Return two machines."""
    with machines.running(workspace) as found:
        yield found


def run(workspace: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return what a command for jobs came to."""
    return subprocess.run(
        [str(BRINERY), "--workspace", str(workspace), "job", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, **machines.TOKEN, **variables},  # noqa: TID251 - a user's
    )


def said(workspace: Path, name: str, step: str) -> list[str]:
    """Return what a step wrote."""
    return [text for _, text in log_lines(log_of(workspace / ".brinery/jobs" / name, step))]


def job(workspace: Path, name: str) -> JobRun:
    """Return a job as it is kept."""
    return read(workspace / ".brinery/jobs" / name)


def test_no_way_there(two: Machines, workspace: Path) -> None:
    """Without a bucket, the error names the machine, the folder, and what to do about it."""
    (workspace / "brinery.toml").write_text("")
    # What another test left over a bucket would stand for it.
    again = ("--set", "settings.force_rerun=true")
    asked = ("create", "-f", str(workspace / "pipeline.yml"), "-n", "no-way", *again)
    done = run(workspace, *asked, "--runner", "ray", "--address", two.address)
    assert done.returncode == 1
    error = job(workspace, "no-way").error
    said = f"the machine {two.other} does not see the folder {workspace}"
    assert said in error, done.stdout + done.stderr
    assert "set [store] artifacts to a bucket or a shared folder" in error
    assert "Traceback" not in done.stderr


def test_over_a_bucket(two: Machines, workspace: Path) -> None:
    """Code, inputs and outputs go over the bucket; ranks and MLflow meet over the network."""
    with buckets.running(host=two.head) as server:
        place = server.bucket()
        (workspace / "brinery.toml").write_text(f'[store]\nartifacts = "{place}"\n')
        asked = ("create", "-f", str(workspace / "pipeline.yml"))
        how = ("--runner", "ray", "--address", two.address)
        done = run(workspace, *asked, "-n", "first", *how, **server.environ)
        assert done.returncode == 0, done.stdout + done.stderr
        aside = ("Read-only", "waits for a machine")  # bash says so, and the runner, of a slow one
        told = said(workspace, "first", "there")
        there = [line for line in told if not any(one in line for one in aside)]
        assert there[:3] == ["read 10", "refused", "0"]
        assert two.other in there[3]
        assert there[4].endswith("/home")
        steps = {step.name: step for step in job(workspace, "first").steps}
        assert Path(steps["there"].outputs["o"].path, "text").read_text() == "salt water"
        kept = Path(steps["there"].outputs["artifacts"].path, "outputs/kept")
        assert kept.read_text() == "kept\n"
        both = said(workspace, "first", "both")
        assert f"met {two.head} {two.other}" in both
        assert said(workspace, "first", "logs")[:2] == ["rank-0", "rank-1"]
        assert said(workspace, "first", "logs")[2].startswith(f"http://{two.head}:")
        with closing(sqlite3.connect(workspace / ".brinery/mlflow.db")) as store:
            logged = "SELECT value FROM latest_metrics WHERE run_uuid = ?"
            assert store.execute(logged, (steps["logs"].run_id,)).fetchall() == [(0.5,)]
        fails = ("--set", "jobs.logs.inputs.status=7", "-n", "second")
        done = run(workspace, *asked, *fails, *how, **server.environ)
        assert done.returncode == 1
        second = {step.name: step for step in job(workspace, "second").steps}
        assert [second[name].reused for name in ("there", "both")] == ["first"] * 2
        assert (second["logs"].status, second["logs"].exit_status) == (Status.FAILED, 7)


PARALLEL = """\
type: pipeline
inputs:
  data: {type: uri_folder, path: ./data}
outputs:
  rows: {type: uri_file}
jobs:
  score:
    type: parallel
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {rows: "${{parent.outputs.rows}}", beside: }
    input_data: ${{inputs.data}}
    mini_batch_size: "1"
    max_concurrency_per_instance: 2
    resources: {properties: {ray: {resources: {other: 0.01}}}}
    task:
      type: run_function
      code: ./code
      entry_script: score.py
      program_arguments: --beside ${{outputs.beside}}
      environment: {image: python}
      append_row_to: ${{outputs.rows}}
"""
SCORE = """\
import os, pathlib, subprocess, sys
def init():
    global here
    here = subprocess.run(["hostname", "-I"], stdout=subprocess.PIPE).stdout.split()[0].decode()
def run(mini_batch):
    for each in map(pathlib.Path, mini_batch):
        (pathlib.Path(sys.argv[2]) / each.name).write_text(here)
    return [f"{os.path.basename(path)} {open(path).read().strip()}" for path in mini_batch]
"""


def test_a_parallel_step_apart(two: Machines, workspace: Path) -> None:
    """Workers on a machine that sees nothing of the step are given mini-batches to take along."""
    (workspace / "code" / "score.py").write_text(SCORE)
    (workspace / "parallel.yml").write_text(PARALLEL)
    with buckets.running(host=two.head) as server:
        (workspace / "brinery.toml").write_text(f'[store]\nartifacts = "{server.bucket()}"\n')
        asked = ("create", "-f", str(workspace / "parallel.yml"), "-n", "apart")
        how = ("--runner", "ray", "--address", two.address)
        done = run(workspace, *asked, *how, **server.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = workspace / ".brinery/jobs/apart/named-outputs/rows"
    assert rows.read_text() == "a salt\nb water\n"
    (step,) = job(workspace, "apart").steps
    beside = Path(step.outputs["beside"].path)
    assert {each.name: each.read_text() for each in beside.iterdir()} == {
        "a": two.other,
        "b": two.other,
    }


def test_from_outside(two: Machines, workspace: Path) -> None:
    """A job joins over `ray://`, as from a machine that is none of the cluster's."""
    file = workspace / "here.yml"
    file.write_text("command: echo from $RANK outside\nenvironment: {image: python}\n")
    address = f"ray://{two.head}:{two.client_port}"
    # Ray's server of such clients comes up later than the rest, where the machine is busy.
    for name in ("outside", "again", "at-last"):
        done = run(
            workspace,
            *("create", "-f", str(file), "-n", name, "--stream"),
            *("--runner", "ray", "--address", address),
        )
        if "no Ray cluster answers" not in done.stderr:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from outside" in done.stdout
    assert json.loads((workspace / f".brinery/jobs/{name}/plan.json").read_text())
