"""Work that a page began, after a new start of the server: done, or cut off, and begun again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest
from tests.store.test_tasks import BEGUN, working
from tests.web.conftest import lines
from tests.web.pages.conftest import Visitor

from brinery.errors import NotFound
from brinery.records.event import Event, Step
from brinery.records.package import Engine, Package, Target
from brinery.store.tasks import TaskJournals
from brinery.web.pages.tasks import Tasks

_WAIT_S = 240
PACKAGE = Package(
    version="m@1",
    target=Target.GCF,
    folder="f",
    archive="f.zip",
    digest="d",
    files=("main.py",),
    archive_bytes=10,
    unpacked_bytes=20,
    engine=Engine.SCORER,
    reason="",
    python="3.11",
    requirements=(),
)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + _WAIT_S
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.05)


def test_what_became_of_work_is_known_to_the_next_process(tmp_path: Path) -> None:
    """The result, or why there is none, with what was said on the way."""

    def made() -> Generator[Event, None, Package]:
        yield Event(step=Step.PACKAGE, message="written", elapsed_s=1)
        return PACKAGE

    def failed() -> Generator[Event, None, Package]:
        yield Event(step=Step.PACKAGE, message="begun", elapsed_s=1)
        raise NotFound("there is no such version", hint="brinery model list")

    tasks = Tasks(TaskJournals(tmp_path))
    one = tasks.begin("one", made(), command="brinery package m@1 --to gcf")
    two = tasks.begin("two", failed(), command="brinery package m@9 --to gcf")
    until(lambda: not any(now is None or now.runs for now in map(tasks.find, (one.id, two.id))))
    after = Tasks(TaskJournals(tmp_path))
    found = after.find(one.id)
    assert found is not None
    assert (found.result, found.runs, found.message) == (PACKAGE, False, "")
    assert [event.message for event in found.events] == ["written"]
    other = after.latest("two")
    assert other is not None
    assert (other.result, other.message, other.hint) == (
        None,
        "there is no such version",
        "brinery model list",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one version."""
    return lines(tmp_path_factory.mktemp("tasks"), versions=1)


def test_work_that_was_cut_off_is_begun_again_from_its_page(place: Path) -> None:
    """The page says that it was, with the command; one button does the same, to its end."""
    process = working(place / ".brinery" / "tasks", BEGUN)
    path = f"{BEGUN.path}?task={BEGUN.id}"
    assert "Working…" in Visitor(place).get(path).text
    process.kill()
    process.communicate()
    visitor = Visitor(place)
    page = visitor.get(path).text
    assert "The server ended before this was done" in page
    assert BEGUN.command in page
    assert "files gathered" in page
    assert 'every 1s"' not in page
    (form,) = re.findall(r'<form method="post" action="([^"]+)" class="actions">', page)
    answer = visitor.send(form, BEGUN.fields, page=path)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    where = answer.headers["location"]
    until(lambda: 'every 1s"' not in visitor.get(where).text)
    assert "Download" in visitor.get(where).text
    assert "Download" in Visitor(place).get(where).text, "the next process knows it, too"
