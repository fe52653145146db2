"""Engines that are killed, and two at once: nothing that finished is lost, nothing is half-made."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.actions.job_plans import by_name, plan, reopened, run, shell, told, workspace
from tests.conftest import BRINERY
from tests.there import commands

from brinery.actions.job import recover, resume
from brinery.records.job import JobRun, Status
from brinery.records.plan import Output, Produced
from brinery.store.fingerprints import Fingerprints

STEPS = 12
ROUNDS = 8
# Each step counts its runs in a file outside, and leaves more than one write's worth.
YAML = """\
type: pipeline
jobs:
"""
STEP = """\
  s{number}:
    command: >-
      echo x >> {counts}/s{number};
      for i in 1 2 3 4; do
      head -c 100000 /dev/zero | tr '\\\\0' {number} >> ${{{{outputs.o}}}}/part; done;
      echo whole > ${{{{outputs.o}}}}/whole
    environment: {{image: python}}
{inputs}    outputs:
      o:
"""


def written(folder: Path) -> Path:
    """Return a job file of steps in three chains."""
    counts = folder / "counts"
    counts.mkdir()
    text = YAML
    for number in range(STEPS):
        before = f"${{{{parent.jobs.s{number - 3}.outputs.o}}}}"
        inputs = f'    inputs: {{i: "{before}"}}\n' if number > 2 else ""
        text += STEP.format(number=number, counts=counts, inputs=inputs)
    file = folder / "pipeline.yml"
    file.write_text(text)
    return file


def command(folder: Path, *words: str) -> list[str]:
    """Return the command line of a job's command in a workspace."""
    return [str(BRINERY), "--workspace", str(folder), "job", *words, "--environment", "current"]


def whole(folder: Path) -> Iterator[Path]:
    """Yield every output that is linked to in a workspace; each must be whole."""
    for link in folder.glob(".brinery/jobs/*/steps/*/outputs/o"):
        assert (link / "whole").read_text() == "whole\n"
        assert (link / "part").stat().st_size == 400_000
        yield link


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """However often its engine is killed, a job goes on, and what finished never runs again."""
    rooms = workspace(tmp_path)
    file = written(tmp_path)
    moments = random.Random(7)  # noqa: S311 - moments, no secrets
    words = ["create", "-f", str(file), "-n", "killed"]
    finished: dict[str, int] = {}
    for _ in range(ROUNDS):
        engine = subprocess.Popen(
            command(tmp_path, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.4, 1.2))
        engine.kill()
        engine.wait()
        if (tmp_path / ".brinery/jobs/killed/plan.json").exists():
            words = ["resume", "killed"]
            job = rooms.jobs.read("killed")
            for name, count in finished.items():
                assert len((tmp_path / "counts" / name).read_text().split()) == count
            for step in job.steps:
                if step.status is Status.COMPLETED:
                    finished.setdefault(
                        step.name, len((tmp_path / "counts" / step.name).read_text().split())
                    )
        assert list(whole(tmp_path)) or not finished
        assert not _left_over(str(tmp_path))
    subprocess.run(command(tmp_path, *words), check=True, capture_output=True)
    assert rooms.jobs.read("killed").status is Status.COMPLETED
    assert len(list(whole(tmp_path))) == STEPS
    for name, count in finished.items():
        assert len((tmp_path / "counts" / name).read_text().split()) == count
    again = subprocess.run(
        command(tmp_path, "create", "-f", str(file)), check=True, capture_output=True, text=True
    )
    assert f"{STEPS} of {STEPS} steps reused" in again.stdout


def _left_over(word: str) -> list[str]:
    """Return the processes that name something, other than this one; those that end are let."""
    found: list[str] = []
    for _ in range(2000):
        found = [
            said
            for process, said in commands()
            if word in said and "pytest" not in said and process != os.getpid()
        ]
        if not found:
            return []
        time.sleep(0.05)
    return found


@pytest.mark.slow
def test_two_engines(tmp_path: Path) -> None:
    """Two engines that run the same job file at once both complete, and the store is sound."""
    rooms = workspace(tmp_path)
    file = written(tmp_path)
    engines = [
        subprocess.Popen(command(tmp_path, "create", "-f", str(file)), stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [engine.wait() for engine in engines] == [0, 0]
    assert len(list(whole(tmp_path))) == 2 * STEPS
    for job in rooms.jobs.list():
        assert job.status is Status.COMPLETED
        for step in job.steps:
            made = step.outputs["o"]
            assert Fingerprints(None).of(made.path).content == made.content


def test_what_was_not_remembered_yet(tmp_path: Path) -> None:
    """A step that finished a moment before the kill is found by the next job all the same."""
    rooms = workspace(tmp_path)
    steps = plan(
        shell("a", "echo a > ${{outputs.o}}/a", outputs={"o": Output()}),
        shell("b", "false", inputs={"i": Produced(step="a", output="o")}),
        file="p.yml",
        name="first",
    )
    first = run(rooms, steps)
    key = by_name(first)["a"].key
    remembered = tmp_path / ".brinery/cache/steps" / f"{key}.json"
    remembered.unlink()
    (tmp_path / ".brinery/cache/running/first").touch()
    recover(reopened(tmp_path))
    assert remembered.exists()
    assert not (tmp_path / ".brinery/cache/running/first").exists()


def test_after_a_loss_of_power(tmp_path: Path) -> None:
    """After another boot outputs are read before they count: what was lost is made again."""
    rooms = workspace(tmp_path)
    first = run(
        rooms,
        plan(
            shell("a", "echo 12 > ${{outputs.o}}/a", outputs={"o": Output()}),
            shell("b", "echo 34 > ${{outputs.o}}/b", outputs={"o": Output()}),
            shell("c", "test -e /no/such"),
            name="first",
            continue_on_failure=True,
        ),
    )
    path = Path(by_name(first)["a"].outputs["o"].path, "a")
    times = path.stat()
    path.chmod(0o644)
    path.write_text("\0\0\0")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    for step in first.steps:
        (tmp_path / ".brinery/cache/steps" / f"{step.key}.json").unlink(missing_ok=True)
    journal = tmp_path / ".brinery/jobs/first/journal.jsonl"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    journal.write_text(journal.read_text().replace(boot, "another"))
    job = _resumed(tmp_path)
    assert [by_name(job)[name].attempts for name in "abc"] == [2, 1, 2]
    assert path.read_text() == "12\n"


def _resumed(folder: Path) -> JobRun:
    running = resume(reopened(folder), "first")
    while True:
        try:
            next(running)
        except StopIteration as end:
            job: JobRun = end.value
            return job


def test_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C cancels the job: what runs is ended, and the journal says so."""
    rooms = workspace(tmp_path)
    file = tmp_path / "job.yml"
    file.write_text("command: echo began; sleep 300\nenvironment: {image: python}\n")
    engine = subprocess.Popen(
        command(tmp_path, "create", "-f", str(file), "-n", "cut", "--stream"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert engine.stdout is not None
    assert "began" in engine.stdout.readline()
    engine.send_signal(signal.SIGINT)
    engine.communicate()
    assert engine.returncode == 1
    assert rooms.jobs.read("cut").status is Status.CANCELED


def test_told(tmp_path: Path) -> None:
    """What a job tells ends with what became of each step."""
    _, events = told(workspace(tmp_path), plan(shell("a", "true"), name="x"))
    assert [str(event.happening) for event in events] == [
        "job-started",
        "step-started",
        "step-completed",
    ]
