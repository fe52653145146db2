"""`brinery job create`, `resume` and `explain`, as they are typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import BRINERY, ROOT

PAGE = ROOT / "docs" / "how-to" / "job-runs.md"


def brinery(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Return how a command ended in a folder."""
    return subprocess.run(
        [str(BRINERY), *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which all that the how-to page shows was typed."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "brinery.toml").touch()
    text = PAGE.read_text(encoding="utf-8")
    for name in ("pipeline.yml", "code/scale.py"):
        (found,) = re.findall(rf"```\w+\n# {name}\n(.*?)```", text, re.DOTALL)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(found)
    (commands,) = re.findall(r"```shell\n(.*?)```", text, re.DOTALL)
    program = f'set -e; PATH="{BRINERY.parent}:$PATH"\n{commands}'
    subprocess.run(["bash", "-c", program], cwd=folder, check=True, capture_output=True)
    return folder


def test_the_page_shows_what_runs(shown: Path) -> None:
    """Its jobs complete, and its sentences are what `explain` says."""
    text = PAGE.read_text(encoding="utf-8")
    said = {name: brinery(shown, "job", "explain", name).stdout for name in ("second", "third")}
    sentences = re.findall(r"`((?:nothing changed )?since [^`]+)`", text)
    assert len(sentences) == 3
    assert sentences[0] in said["second"]
    assert all(each in said["third"] for each in sentences[1:])
    total = shown / ".brinery/jobs/third/named-outputs/total/sum"
    assert total.read_text() == "3.0+6.0\n"


def test_forms(shown: Path) -> None:
    """The form json is the whole job, quiet its name; both say nothing else on standard output."""
    whole = json.loads(brinery(shown, "job", "create", "-f", "pipeline.yml", "-o", "json").stdout)
    assert whole["status"] == "Completed"
    quiet = brinery(shown, "job", "create", "-f", "pipeline.yml", "--format", "quiet")
    assert quiet.stderr == ""
    assert (shown / ".brinery/jobs" / quiet.stdout.strip()).is_dir()
    told = json.loads(brinery(shown, "job", "explain", "--format", "json").stdout)
    assert [each[0] for each in told] == ["scale", "add"]


def test_a_failed_job_says_what_to_type(shown: Path) -> None:
    """A failed job prints its last lines, once, and the command that goes on with it."""
    (shown / "fails.yml").write_text(
        "command: echo all is well; echo so far; exit 7\nenvironment: {image: python}\n"
    )
    done = brinery(shown, "job", "create", "-f", "fails.yml", "-n", "streams", "--stream")
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["all is well", "so far"]
    assert "so far" not in done.stderr
    done = brinery(shown, "job", "create", "-f", "fails.yml", "-n", "fails")
    assert (done.returncode, done.stdout) == (1, "")
    assert "] so far" in done.stderr
    assert "its command ended with status 7" in done.stderr
    assert done.stderr.splitlines()[-1].strip() == "hint: brinery job resume fails"
    again = brinery(shown, "job", "create", "-f", "fails.yml", "-n", "fails")
    assert (again.returncode, "there is a job fails" in again.stderr) == (2, True)
    nothing = brinery(shown, "job", "resume", "third")
    assert "third Completed" in nothing.stdout
    assert brinery(shown, "job", "resume", "thrid").returncode == 2


def test_what_is_for_us_is_not_for_steps(shown: Path) -> None:
    """A step is not told what we tell our own libraries while a file is read."""
    (shown / "told.yml").write_text(
        "command: env | grep -c PYDANTIC || true\nenvironment: {image: python}\n"
    )
    done = brinery(shown, "job", "create", "-f", "told.yml", "--stream")
    assert done.stdout.splitlines()[0] == "0"


def test_nothing_heavy_is_imported(shown: Path) -> None:
    """A job in which nothing changed imports neither MLflow, pandas, numpy, SQLAlchemy nor rich."""
    program = (
        "import sys\n"
        "from brinery.cli.main import main\n"
        "try: main(['job', 'create', '-f', 'pipeline.yml', '--set', 'inputs.factor=3'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'mlflow', 'pandas', 'numpy', 'sqlalchemy', 'rich', 'asyncio', 'filelock'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=shown, capture_output=True, text=True, check=True
    )
    assert "2 of 2 steps reused" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


LEAVING = """\
import atexit, os, sys, threading, time
from brinery.cli.main import main
class Held:
    def __del__(self, write=os.write): write(1, b"taken down\\n")
sys.held = Held()
threading.Thread(target=lambda: (time.sleep(0.2), print("the thread ended"))).start()
sys.stdout.write("begun\\n")
try: main()
finally: atexit.register(print, "told of the end")
"""


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("job", "create", "-f", "pipeline.yml"), 0),
        (("job", "create", "-f", "leaves.yml"), 1),
        (("job", "create", "-f", "leaves.yml", "-n", "unnamed", "--runner", "loca"), 2),
    ],
)
def test_a_job_that_ended_is_not_taken_down(
    shown: Path, words: tuple[str, ...], status: int
) -> None:
    """Its process waits for threads and for what asked to be called, says all, and is gone."""
    (shown / "leaves.yml").write_text("command: exit 3\nenvironment: {image: python}\n")
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, *words],
        cwd=shown,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (status, "begun")
    assert {"the thread ended", "told of the end"} < set(lines)
    # What a job did not leave whole is taken down as in any program.
    assert ("taken down" in lines) is (status == 2)


def ended(shown: Path, program: str, *, closed: bool = False) -> subprocess.CompletedProcess[str]:
    """Return how a program ended that runs a job, its standard output closed if told."""
    command = [sys.executable, "-c", program, "job", "create", "-f", "pipeline.yml"]
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"] if closed else []
    return subprocess.run(
        [*shell, *command], cwd=shown, capture_output=True, text=True, check=False
    )


def test_a_program_that_runs_a_job_ends_as_it_says(shown: Path) -> None:
    """Its own status counts, and what it had registered before is called."""
    program = (
        "import sys\nfrom brinery.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit as end: sys.exit(3 if not end.code else 4)\n"
    )
    assert ended(shown, program).returncode == 3
    traced = (
        "import atexit\natexit.register(print, 'the tracer wrote')\n"
        "from brinery.cli.main import main\nmain()\n"
    )
    assert "the tracer wrote" in ended(shown, traced).stdout


def test_a_job_without_a_standard_output_ends_in_silence(shown: Path) -> None:
    """Who closed it wants to hear nothing of it."""
    done = ended(shown, "from brinery.cli.main import main\nmain()\n", closed=True)
    assert done.returncode == 0
    assert "Exception" not in done.stderr


def test_a_job_whose_parent_ignores_children_ends_well(shown: Path) -> None:
    """Where children are ignored, as some services have it, there is none to wait for."""
    program = (
        "import os, signal, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from brinery.cli.main import main\nmain()\n"
    )
    done = ended(shown, program)
    assert (done.returncode, "Completed" in done.stdout) == (0, True)


def test_what_a_job_begins_with_is_made_in_no_time() -> None:
    """On the way of every job no class is a dataclass, each of which is compiled as it is made."""
    program = (
        "import sys, brinery.actions.job, brinery.cli.job_create, brinery.pipeline.planning\n"
        "rooms = [each for name, each in sys.modules.items() if name.startswith('brinery.')]\n"
        "all = [one for room in rooms for one in vars(room).values() if isinstance(one, type)]\n"
        "made = [one for one in all if hasattr(one, '__dataclass_fields__')]\n"
        "print(*(f'{one.__module__}.{one.__name__}' for one in made))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
