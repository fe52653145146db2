"""Jobs on a Ray cluster of two nodes, simulated on this machine, one of which is killed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is an extra: pip install ray"),
]

# Ray keeps threads and connections that outlive a test, so it has a process of its own.
CLUSTER = """
import sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
import ray
from brinery.actions.job import How
from brinery.actions.job_rooms import open_job_rooms
from brinery.records.job import Status
from brinery.records.job_event import Happening
from brinery.records.plan import Output, Plan, Produced, Step
from brinery.runners.ray import RayRunner
from brinery.actions.job import run_plan

folder = Path(sys.argv[1])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
second = cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False)

def drive(plan, **more):
    rooms = open_job_rooms(folder, environment="current")
    running = run_plan(rooms, plan, how=How(limit=8, runner="ray", make_runner=RayRunner, **more))
    events = []
    while True:
        try:
            events.append(next(running))
        except StopIteration as end:
            return end.value, events

long = "echo x >>%s/{0}; echo said {0}; sleep {1}; echo {0} >${{{{outputs.o}}}}/told" % folder
steps = [
    Step(name=f"s{at}", command=long.format(f"s{at}", 3), outputs={"o": Output()})
    for at in range(4)
]
gather = Step(
    name="gather",
    command="cat " + " ".join(f"${{{{inputs.i{at}}}}}/told" for at in range(4))
    + " >${{outputs.all}}/told",
    inputs={f"i{at}": Produced(step=f"s{at}", output="o") for at in range(4)},
    outputs={"all": Output()},
)
plan = Plan(name="", pipeline=True, steps=(*steps, gather))
def lose():
    while not all((folder / f"s{at}").exists() for at in range(2)):
        time.sleep(0.05)
    cluster.remove_node(second, allow_graceful=False)
threading.Thread(target=lose, daemon=True).start()
job, events = drive(plan, told=True)
assert job.status is Status.COMPLETED, job.error
told = Path({run.name: run for run in job.steps}["gather"].outputs["all"].path, "told")
assert told.read_text().split() == ["s0", "s1", "s2", "s3"]
runs = [len((folder / f"s{at}").read_text().split()) for at in range(4)]
assert sum(runs) == 5, runs
lines = [each.message for each in events if each.happening is Happening.LINE]
assert {*lines} == {f"said s{at}" for at in range(4)}, lines
again, _ = drive(plan)
assert all(run.reused for run in again.steps)

cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
bad = Plan(name="", pipeline=True, steps=(
    Step(name="bad", command="until [ -e %s/slow ]; do sleep 0.1; done; exit 3" % folder),
    Step(name="slow", command="touch %s/slow; sleep 600" % folder),
))
failed, _ = drive(bad)
by_name = {run.name: run for run in failed.steps}
assert by_name["bad"].exit_status == 3, failed.steps
assert by_name["slow"].status is Status.CANCELED, failed.steps
late = Plan(name="", pipeline=True, steps=(Step(name="late", command="sleep 60", timeout_s=1),))
ended, _ = drive(late)
assert "time limit" in ended.error, ended.error
ray.shutdown()
cluster.shutdown()
print("held")
"""


def test_two_nodes(tmp_path: Path) -> None:
    """Steps run on both nodes; what a lost one ran is run again elsewhere, and nothing else is."""
    (tmp_path / "brinery.toml").touch()
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.strip().endswith("held"), done.stdout + done.stderr
