"""The journals of what pages began: what is known after the process is gone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from brinery.records.event import Event, Step
from brinery.records.task import TaskBegun, TaskEnded
from brinery.store.tasks import MOST, TaskJournals

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BEGUN = TaskBegun(
    id="0123456789abcdef",
    key="package m@1 gcf",
    began=AT,
    command="brinery package m@1 --to gcf --no-verify",
    path="/models/m/versions/1/package",
    fields={"to": "gcf"},
)
# A process that begins the work, says one thing, and waits to be killed.
WORKER = """
import sys, time
from pathlib import Path
import msgspec
from brinery.records.event import Event, Step
from brinery.records.task import TaskBegun
from brinery.store.tasks import TaskJournals
begun = msgspec.json.decode(sys.argv[2], type=TaskBegun)
journal = TaskJournals(Path(sys.argv[1])).begin(begun)
journal.tell(Event(step=Step.PACKAGE, message="files gathered", elapsed_s=0.5))
print("told", flush=True)
time.sleep(600)
"""


def working(folder: Path, begun: TaskBegun) -> subprocess.Popen[bytes]:
    """Return a process that does some work, and has said one thing of it."""
    words = [sys.executable, "-c", WORKER, str(folder), msgspec.json.encode(begun).decode()]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"told\n"
    return process


def test_work_that_was_cut_off_is_known_to_be(tmp_path: Path) -> None:
    """While its process lives it goes on; killed, it has no end, and what it said is there."""
    journals = TaskJournals(tmp_path / "tasks")
    process = working(tmp_path / "tasks", BEGUN)
    going = journals.read(BEGUN.id)
    assert going is not None
    assert going.goes_on
    process.kill()
    process.communicate()
    with (tmp_path / "tasks" / f"{BEGUN.id}.jsonl").open("ab") as stream:
        stream.write(b'{"event":{"st')  # half a line
    left = journals.read(BEGUN.id)
    assert left is not None
    assert (left.goes_on, left.ended, left.begun) == (False, None, BEGUN)
    assert [one.message for one in left.events] == ["files gathered"]


def test_work_that_ended_is_kept_with_what_it_returned(tmp_path: Path) -> None:
    """How far a step is is not kept; the result and the last word are."""
    journals = TaskJournals(tmp_path)
    journal = journals.begin(BEGUN)
    journal.tell(Event(step=Step.PROOF, message="10 %", progress=True, elapsed_s=1))
    journal.tell(Event(step=Step.PROOF, message="proven", elapsed_s=2))
    ended = TaskEnded(at=AT, kind="Package", result=msgspec.Raw(b'{"a":1}'))
    journal.end(ended)
    journal.close()
    found = TaskJournals(tmp_path).latest(BEGUN.key)
    assert found is not None
    assert not found.goes_on
    assert [one.message for one in found.events] == ["proven"]
    assert found.ended is not None
    assert (found.ended.kind, bytes(found.ended.result)) == ("Package", b'{"a":1}')
    assert journals.latest("another") is None


def test_the_oldest_go(tmp_path: Path) -> None:
    """So many are kept; one that goes on stays."""
    journals = TaskJournals(tmp_path)
    first = journals.begin(BEGUN)
    for number in range(MOST + 5):
        one = msgspec.structs.replace(BEGUN, id=f"{number:016x}", key=f"k{number}")
        journals.begin(one).close()
    assert len(list(tmp_path.iterdir())) == MOST + 1
    assert journals.read(BEGUN.id) is not None
    first.close()


def test_no_other_file_is_a_journal(tmp_path: Path) -> None:
    """An id is letters of ours; what is no journal is none."""
    journals = TaskJournals(tmp_path / "tasks")
    assert journals.read("0" * 16) is None
    (tmp_path / "secret.jsonl").write_text("{}\n")
    assert journals.read("../secret") is None
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / f"{BEGUN.id}.jsonl").write_text("no journal\n")
    assert journals.read(BEGUN.id) is None
