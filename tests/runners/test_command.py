"""Commands: run to their end, held to their time, and ended with everything they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.there import alive

from brinery.runners import command
from brinery.runners.interface import Ended


def run(folder: Path, *words: str, timeout_s: float = 240.0) -> Ended:
    """Return how a command ended."""
    return command.run(
        words,
        folder=folder,
        variables={"BRINERY_TURN": "7"},
        log=folder / "log",
        timeout_s=timeout_s,
    )


def lines(log: Path) -> list[str]:
    """Return the lines of a log, without their times."""
    return [line.partition(" ")[2] for line in log.read_text().splitlines()]


def ends(pid: int) -> bool:
    """Return whether a process is gone soon."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_what_it_writes_is_kept(tmp_path: Path) -> None:
    """Both streams are in the log, in the folder and with the variables that were given."""
    ended = run(tmp_path, "sh", "-c", "pwd; echo turn $BRINERY_TURN >&2; exit 3")
    assert (ended.exit_status, ended.late, ended.stopped) == (3, False, False)
    assert lines(tmp_path / "log") == [str(tmp_path), "turn 7"]
    assert command.tail(tmp_path / "log") == "turn 7"


def test_words_are_words(tmp_path: Path) -> None:
    """No shell takes an argument for more than it is."""
    run(tmp_path, "printf", "%s", "a  b; echo $HOME 'c'")
    assert command.tail(tmp_path / "log") == "a  b; echo $HOME 'c'"


def test_python_is_ours(tmp_path: Path) -> None:
    """`python` is the one that runs Brinery."""
    run(tmp_path, "python", "-c", "import sys; print(sys.prefix)")
    assert command.tail(tmp_path / "log") == sys.prefix


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A program that nobody has ends as in a shell, and the log says so."""
    assert run(tmp_path, "no-such-program").exit_status == 127
    assert command.tail(tmp_path / "log").endswith("no-such-program: not found")


def test_time_that_is_over_ends_everything(tmp_path: Path) -> None:
    """A command that takes too long is ended, with the processes that it started."""
    script = "sleep 300 & echo $!; wait"
    for limit_s in (0.5, 10, 100):  # it has begun by then, unless the machine has other work
        assert run(tmp_path, "sh", "-c", script, timeout_s=limit_s).late
        if lines(tmp_path / "log"):
            break
    assert ends(int(lines(tmp_path / "log")[0]))


def test_what_it_leaves_running_ends_with_it(tmp_path: Path) -> None:
    """A command is over when it ends, whatever it has left in the background."""
    ended = run(tmp_path, "sh", "-c", "sleep 300 & echo $!")
    assert (ended.exit_status, ended.late) == (0, False)
    assert ends(int(lines(tmp_path / "log")[0]))


def test_it_is_stopped(tmp_path: Path) -> None:
    """A command that is told to stop is ended."""
    stop = threading.Event()
    stop.set()
    ended = command.run(
        ["sleep", "300"],
        folder=tmp_path,
        variables={},
        log=tmp_path / "log",
        timeout_s=240,
        stop=stop,
    )
    assert ended.stopped


def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    """When the process that asked for a command is killed, the command ends, too."""
    program = (
        "from pathlib import Path\n"
        "from brinery.runners import command\n"
        "command.run(['sh', '-c', 'sleep 300 & echo $!; wait'], folder=Path('.'), variables={},\n"
        "            log=Path('log'), timeout_s=300)\n"
    )
    asked = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    end = time.monotonic() + 240
    while not command.tail(tmp_path / "log") and time.monotonic() < end:
        time.sleep(0.05)
    pid = int(command.tail(tmp_path / "log"))
    assert alive(pid)
    os.kill(asked.pid, signal.SIGKILL)
    asked.wait()
    assert ends(pid)
