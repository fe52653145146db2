"""Claims: one process at a time, others are told at once, and a death frees them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brinery.store.claims import claimed

HOLDS = """\
import sys, time
from pathlib import Path
from brinery.store.claims import claimed
with claimed("a", file=Path(sys.argv[1]), database=sys.argv[2]) as ours:
    print(ours, flush=True)
    time.sleep(300)
"""


@pytest.fixture(params=["", pytest.param("postgres", marks=pytest.mark.slow)], ids=["file", None])
def database(request: pytest.FixtureRequest) -> str:
    """No database, or one that machines share."""
    if not request.param:
        return ""
    return str(request.getfixturevalue("postgres").database())


def test_a_claim_is_one_process_at_a_time(tmp_path: Path, database: str) -> None:
    """While another process has it, it is refused at once; when that is killed, it is free.

    With a database it is refused on another machine too, which has a file of its own.
    """
    file = tmp_path / "one" / "a.lock"
    command = [sys.executable, "-c", HOLDS, str(file), database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        files = [file, tmp_path / "two" / "a.lock"] if database else [file]
        for each in files:
            with claimed("a", file=each, database=database) as ours:
                assert not ours
        with claimed("b", file=tmp_path / "b.lock", database=database) as ours:
            assert ours
        holder.send_signal(signal.SIGKILL)
    assert all(free(each, database) for each in files)


def free(file: Path, database: str) -> bool:
    """Whether a claim can be had; a server may take a moment to see that a connection ended."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        with claimed("a", file=file, database=database) as ours:
            if ours:
                return True
        time.sleep(0.05)
    return False
