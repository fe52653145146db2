"""Report: what was found out about a version, as a page or as a model card."""

from __future__ import annotations

from pathlib import Path

from brinery.actions.kept_appraisals import newest
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.charts import card, comparison
from brinery.charts import report as page
from brinery.errors import NotEvaluated, OutputUnwritable
from brinery.records.appraisal import Appraisal
from brinery.records.comparison import Comparison
from brinery.records.version import Version
from brinery.registry.interface import askable, resolve
from brinery.specs.reference import Reference
from brinery.store.appraisals import Appraisals
from brinery.store.documents import write

_WRITERS = {".html": page.render, ".htm": page.render, ".md": card.write}


def report(reference: str, *, output: Folder, workspace: Folder | None = None) -> Appraisal:
    """Return the newest evaluation of a version, once its report is written.

    Args:
        reference: which version.
        output: an `.html` file for the page, an `.md` file for the model card.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotEvaluated: nobody has evaluated it yet.
        OutputUnwritable: the ending is another, or the system refuses.
    """
    path = Path(output)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise OutputUnwritable(
            f"{path}: the ending does not say what to write",
            hint="end the name in .html for the page, in .md for the model card",
        )
    version, found = appraisal(reference, workspace=workspace)
    write(path, writer(found, version).encode())
    return found


def write_comparison(found: Comparison, output: Folder) -> None:
    """Write the page of a comparison.

    Args:
        found: what `compare` returned.
        output: an `.html` file.

    Raises:
        OutputUnwritable: the ending is another, or the system refuses.
    """
    path = page_path(output)
    write(path, comparison.render(found).encode())


def page_path(output: Folder) -> Path:
    """Return the path of a page.

    Raises:
        OutputUnwritable: the ending is not that of a page.
    """
    path = Path(output)
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputUnwritable(
            f"{path}: a comparison is written as a page", hint="end the name in .html"
        )
    return path


def appraisal(reference: str, *, workspace: Folder | None = None) -> tuple[Version, Appraisal]:
    """Return a version and its newest evaluation.

    Raises:
        NotFound: there is no such version.
        NotEvaluated: nobody has evaluated it yet.
    """
    rooms = open_rooms(workspace)
    version = resolve(rooms.registry, Reference.parse(reference))
    return version, _newest(rooms, version)


def kept_report(rooms: Rooms, version: Version) -> Path:
    """Return the file of the report of a version's newest evaluation, written where it is not yet.

    Raises:
        NotEvaluated: nobody has evaluated it yet.
        OutputUnwritable: the system refuses.
    """
    found = _newest(rooms, version)
    path = Appraisals(rooms.workspace.evaluations).report(
        found, name=version.name, number=version.number
    )
    if not path.is_file():
        write(path, page.render(found, version).encode())
    return path


def _newest(rooms: Rooms, version: Version) -> Appraisal:
    """Return the newest evaluation of a version.

    Raises:
        NotEvaluated: nobody has evaluated it yet.
    """
    askable(version)
    found = newest(rooms, version)
    if found is None:
        raise NotEvaluated(
            f"nobody has evaluated {version.reference} yet",
            hint=f"brinery evaluate {version.reference} --data FILE",
        )
    return found
