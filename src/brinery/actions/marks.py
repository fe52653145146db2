"""What changed: a mark for each subject that pages show, another one after each change."""

from __future__ import annotations

from brinery.actions.rooms import Rooms
from brinery.store import marks

STORE = "store"
JOBS = "jobs"
IMPORTS = "imports"
SUBJECTS = (STORE, JOBS, IMPORTS)


def marks_in(rooms: Rooms) -> dict[str, str]:
    """Return a mark of the models, records and runs, one of the jobs, one of the imports."""
    places = rooms.places
    uris = dict.fromkeys((places.database_uri, places.tracking_uri))
    return {
        STORE: " ".join(marks.of_database(uri) for uri in uris),
        JOBS: marks.of_journals(rooms.workspace.jobs),
        IMPORTS: marks.of_journals(rooms.workspace.imports),
    }
