"""The local runner: bash's status, logs, what stays in the background, time limits, and our end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from brinery.records.job import Usage
from brinery.runners import local
from brinery.runners.interface import Attempt, Ended, Line
from brinery.runners.local import LocalRunner

WAIT_S = 240.0


class Yard:
    """A runner, and the folder that its attempts run in."""

    def __init__(self, runner: LocalRunner, folder: Path) -> None:
        self.runner = runner
        self.folder = folder

    def start(self, name: str, command: str, **more: object) -> None:
        """Begin an attempt."""
        variables = {"PATH": os.defpath, "WORD": "salt"}
        log = str(self.folder / f"{name}.log")
        asked = {"name": name, "command": command, "folder": str(self.folder), "log": log}
        self.runner.start(Attempt(**asked, variables=variables, **more))  # type: ignore[arg-type]

    def ends(self, count: int = 1) -> tuple[dict[str, Ended], list[str]]:
        """Return so many ends by name, and the lines that came before them."""
        found: dict[str, Ended] = {}
        lines: list[str] = []
        end = time.monotonic() + WAIT_S
        while len(found) < count and time.monotonic() < end:
            for each in self.runner.wait(1.0):
                if isinstance(each, Line):
                    lines.append(each.text)
                else:
                    found[each.name] = each
        return found, lines

    def run(self, name: str, command: str, **more: object) -> Ended:
        """Return the end of an attempt."""
        self.start(name, command, **more)
        return self.ends()[0][name]

    def log(self, name: str) -> list[str]:
        """Return the lines of an attempt's log, without their times."""
        lines = (self.folder / f"{name}.log").read_text().splitlines()
        return [line.partition(" ")[2] for line in lines]


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that no attempt may write to."""
    folder = tmp_path_factory.mktemp("protected")
    (folder / "kept").write_text("kept")
    return folder


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory, protected: Path) -> Iterator[Yard]:
    """Return a runner that all tests here use."""
    runner = LocalRunner([str(protected)])
    yield Yard(runner, tmp_path_factory.mktemp("yard"))
    runner.close()


def test_bash_and_its_log(yard: Yard) -> None:
    """A command is one text for bash; its lines are told, and kept behind the time they came."""
    yard.start("two", "echo one; echo $WORD >&2\nprintf three; exit 4", told=True)
    ends, lines = yard.ends()
    assert ends["two"].exit_status == 4
    assert sorted(lines) == ["one", "salt", "three"]
    stamped = (yard.folder / "two.log").read_text().splitlines()
    assert all(len(line.split(" ")[0]) == len("2026-11-22T06:43:03.123Z") for line in stamped)
    assert yard.log("two") == ["one", "salt", "three"]


def test_long_command(yard: Yard) -> None:
    """A command that is too long for an argument of a program is run like any other."""
    assert yard.run("long", f": {'x' * 200_000}; echo $WORD; exit 6").exit_status == 6
    assert yard.log("long") == ["salt"]


def test_background(yard: Yard) -> None:
    """What a command leaves in the background is waited for; the status is still bash's."""
    end = yard.run("left", "(sleep 0.4; echo late) & echo early; exit 3")
    assert end.exit_status == 3
    assert yard.log("left") == ["early", "late"]
    assert end.usage.wall_s > 0.3


def test_usage(yard: Yard) -> None:
    """The processor time and the memory of all that a command started are counted."""
    script = "x = bytearray(60 << 20); sum(range(3_000_000))"
    end = yard.run("used", f"{sys.executable} -S -c '{script}' & wait")
    assert end.usage.cpu_s > 0.02
    assert end.usage.peak_bytes > 60 << 20


def test_time_limit(yard: Yard) -> None:
    """A command that takes too long ends with everything it started, also what left its group."""
    pids = yard.folder / "pids"
    command = f"setsid sleep 300 & echo $! > {pids}; sleep 300 & echo $! >> {pids}; wait"
    for limit_s in (0.4, 10, 100):  # both have begun by then, unless the machine has other work
        pids.unlink(missing_ok=True)
        end = yard.run("late", command, timeout_s=limit_s)
        assert end.late
        if pids.exists() and len(pids.read_text().split()) == 2:
            break
    assert end.exit_status == 143
    assert "time limit" in yard.log("late")[-1]
    _await_ends(pids.read_text().split())


def test_stop(yard: Yard) -> None:
    """An attempt that is stopped says so, and one that ignores the request is killed."""
    yard.start("stop", "sleep 300")
    yard.runner.stop("stop")
    assert yard.ends()[0]["stop"].stopped


def test_several_processes(yard: Yard) -> None:
    """Processes of one attempt run at once; where one fails, the others are not waited for."""
    ranks = ({"RANK": "0"}, {"RANK": "1"})
    end = yard.run("ranks", "echo $RANK; exit 0", processes=ranks)
    assert end.exit_status == 0
    assert sorted(yard.log("ranks")) == ["0", "1"]
    end = yard.run("fails", "test $RANK = 0 && exit 5; sleep 300", processes=ranks)
    assert end.exit_status == 5


def test_protected(yard: Yard, protected: Path) -> None:
    """A protected file cannot be written to, not even by one who may change its permissions."""
    protected.joinpath("kept").chmod(0o444)
    end = yard.run("write", f"chmod u+w {protected}/kept && echo other > {protected}/kept")
    if os.geteuid() == 0 and end.exit_status == 0:
        pytest.skip("this system gives no mount namespace")
    if os.geteuid() == 0:
        assert protected.joinpath("kept").read_text() == "kept"


def test_not_to_be_run(yard: Yard) -> None:
    """An attempt whose folder is not there is lost, with the reason, and others go on."""
    variables = {"PATH": os.defpath}
    log = str(yard.folder / "nowhere.log")
    asked = Attempt(name="nowhere", command="true", folder="/no/such", log=log, variables=variables)
    yard.runner.start(asked)
    end = yard.ends()[0]["nowhere"]
    assert "No such file" in end.lost
    assert yard.run("after", "true").exit_status == 0


def test_killed_nursery(tmp_path: Path) -> None:
    """What a nursery started ends when it is killed; it is told as lost, the next one runs."""
    yard = Yard(LocalRunner(), tmp_path)
    pids = tmp_path / "pids"
    left = f"setsid sleep 300 & echo $! >> {pids}; sleep 300 & echo $! >> {pids}"
    yard.start("lost", f"echo $PPID > {pids}; {left}; wait")
    nursery, *started = _read_pids(pids, 3)
    os.kill(nursery, signal.SIGKILL)
    end = yard.ends()[0]["lost"]
    _await_ends(started)
    assert end.lost
    assert end.usage == Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)
    assert yard.run("next", "true").exit_status == 0
    yard.runner.close()


def test_killed_engine(tmp_path: Path) -> None:
    """When whoever started attempts is killed, everything they started is gone."""
    command = "setsid sleep 300 & echo $! > pids; sleep 300 & echo $! >> pids; wait"
    asked = f"name='a', command={command!r}, folder={str(tmp_path)!r}, variables={{}}"
    script = (
        "from brinery.runners.interface import Attempt\n"
        "from brinery.runners.local import LocalRunner\n"
        "runner = LocalRunner()\n"
        f"runner.start(Attempt({asked}, log={str(tmp_path / 'log')!r}))\n"
        "runner.wait(300)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    pids = _read_pids(tmp_path / "pids", 2)
    process.kill()
    process.wait()
    _await_ends(pids)


def _await_ends(pids: Iterable[int | str]) -> None:
    """Wait until processes are gone; one that was killed is there until it is waited for."""
    end = time.monotonic() + WAIT_S
    for pid in pids:
        while time.monotonic() < end and Path(f"/proc/{pid}").exists():
            time.sleep(0.02)
        assert not Path(f"/proc/{pid}").exists()


def _read_pids(file: Path, count: int) -> list[int]:
    """Return the numbers of so many processes, once they are written there."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end and not (file.exists() and file.read_text().count("\n") == count):
        time.sleep(0.02)
    return [int(pid) for pid in file.read_text().split()]


def test_what_the_nursery_needs_is_there_before_the_first_step(tmp_path: Path) -> None:
    """Nothing is imported when a step ends, and nothing that takes long when the process starts."""
    yard = Yard(LocalRunner(), tmp_path)
    maps = "cat /proc/$PPID/maps"
    assert yard.run("first", maps).exit_status == 0
    assert yard.run("second", maps).exit_status == 0
    yard.runner.close()
    first, second = (_libraries(tmp_path / f"{name}.log") for name in ("first", "second"))
    assert first == second != set()
    program = "import sys; sys.path.append(sys.argv[1]); import nursery; print(*sys.modules)"
    folder = str(Path(local.__file__).parent)
    asked = [sys.executable, "-I", "-S", "-c", program, folder]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert not {"typing", "inspect", "pathlib", "site", "socket", "subprocess"} & set(found)


def _libraries(log: Path) -> set[str]:
    """Return what a process had loaded that wrote its maps to a log."""
    return {line.split()[-1] for line in log.read_text().splitlines() if ".so" in line}
