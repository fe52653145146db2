"""Records that several threads read at once, before anybody else has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TIMES = 12
# One thread finds out what a record is made of, and the others read one meanwhile.
PROGRAM = """
import sys, threading
from pathlib import Path
import msgspec
from brinery.records.ready import decoded, make_ready
from brinery.registry.passports import Passport, Passports

file, passports = Path(sys.argv[1]), Passports()
{before}
start = threading.Barrier(8)

def read():
    start.wait()
    try:
        {read}
    except msgspec.MsgspecError:
        pass

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("read")
"""


@pytest.mark.parametrize(
    ("before", "read"),
    [
        ("", "passports.read(file)"),
        ("", "decoded(file.read_bytes(), Passport)"),
        ("make_ready()", "msgspec.json.decode(file.read_bytes(), type=Passport)"),
    ],
    ids=["passport", "decoded", "ready"],
)
def test_threads_that_read_a_record_first(tmp_path: Path, before: str, read: str) -> None:
    """None of them finds half of what it is made of, which would end the process."""
    file = tmp_path / "passport.json"
    file.write_text('{"candidate": {"source": {"path": "x"}, "signature": {}}, "parity": {}}')
    program = [sys.executable, "-c", PROGRAM.format(before=before, read=read), str(file)]
    running = [subprocess.Popen(program, stdout=subprocess.PIPE) for _ in range(TIMES)]
    assert [each.communicate()[0] for each in running] == [b"read\n"] * TIMES
