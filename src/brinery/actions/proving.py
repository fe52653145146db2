"""The rows that a package is asked, the model's answers to them, and what is kept of it."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from brinery.actions.packing import spoken_rows
from brinery.actions.rooms import Rooms
from brinery.actions.seat import process_of
from brinery.actions.stored_data import stored_data
from brinery.errors import BrineryError, NotProven, PredictionRefused
from brinery.flavors import sample, signature
from brinery.flavors.model_process import ModelProcess
from brinery.package import proof
from brinery.package.runtime import forms
from brinery.package.runtime.facts import Facts
from brinery.package.runtime.verify import Outcome
from brinery.records.package import Package, Proof
from brinery.records.ready import decoded
from brinery.records.version import Version
from brinery.registry.interface import SAMPLE_FILE, askable
from brinery.store import tables

LEAST_ROWS: Final = 200
_MOST_ROWS: Final = 1000
_TIME: Final = "%Y%m%dT%H%M%S%f"
_SHORT: Final = 12
_NAME: Final = re.compile(r"package-[a-z-]+-\d{8}T\d{12}-[0-9a-f]{12}\.json")


@dataclass(frozen=True)
class Rows:
    """Rows to ask, and what they are in words."""

    table: pa.Table
    words: str


def evaluation_rows(
    rooms: Rooms, version: Version, *, data: Path | pd.DataFrame | None, separator: str | None
) -> Rows:
    """Return rows that a version was evaluated on, spread evenly, 1,000 at most.

    They are those of the file that is named, else of the data that it was evaluated on, where that
    is still there, else the 100 that were kept with it.

    Args:
        rooms: of the workspace.
        version: which.
        data: rows that the user names; None for those of its evaluation.
        separator: of a csv file.

    Raises:
        NotProven: there are none.
    """
    candidate = askable(version)
    if data is not None:
        frame = (
            data if isinstance(data, pd.DataFrame) else tables.read_table(data, separator=separator)
        )
        words = "the data frame" if isinstance(data, pd.DataFrame) else data.name
        return _of_frame(version, frame, words=words)
    target = candidate.data.target if candidate.data else None
    found = stored_data(rooms, [version], target=target, separator=separator)
    if not isinstance(found, str):
        return _of_frame(version, found.inputs, words=found.fingerprint.name)
    kept = rooms.registry.kept_file(version, SAMPLE_FILE)
    if kept is None:
        raise NotProven(
            f"no rows are left to prove the package with: {found}",
            hint="name rows with --data FILE; or --no-verify, which the package then says",
        )
    table, _ = sample.read(kept)
    return Rows(table, f"kept with {version.reference}")


def _of_frame(version: Version, frame: pd.DataFrame, *, words: str) -> Rows:
    candidate = askable(version)
    places = np.unique(np.linspace(0, len(frame) - 1, _MOST_ROWS).astype(np.int64))
    chosen = frame.iloc[places[places >= 0]].reset_index(drop=True)
    fitting = signature.conform(candidate.signature, chosen)
    table = tables.to_arrow(signature.complete(candidate.description, fitting))
    return Rows(table, f"of {words}")


def answered(
    rooms: Rooms, version: Version, *, facts: Facts, rows: Sequence[Rows]
) -> list[dict[str, Any] | None]:
    """Return rows with the registered model's own answers, as a package is asked them.

    What the model refuses, or what a client may not send, is left out.

    Args:
        rooms: of the workspace.
        version: which.
        facts: of the package.
        rows: of several kinds; what it returns for each is None where none is left.
    """
    reader = forms.Reader(facts.signature, facts.aliases)
    made: list[dict[str, Any] | None] = []
    with process_of(rooms, version) as process:
        for each in rows:
            table = _takeable(reader, facts, table=each.table)
            table = table.take(pa.array(_answerable(process, table, 0), type=pa.int64()))
            if not table.num_rows:
                made.append(None)
                continue
            scores = process.score(table, library=True)
            spoken = spoken_rows(facts, table)
            made.append(proof.expected(spoken, scores, words=each.words))
    return made


def _takeable(reader: forms.Reader, facts: Facts, *, table: pa.Table) -> pa.Table:
    """Return the rows of a table that a client may send."""
    kept = []
    for place, row in enumerate(spoken_rows(facts, table)):
        try:
            reader.asked(json.dumps(row).encode())
        except forms.Problem:
            continue
        kept.append(place)
    return table.take(pa.array(kept, type=pa.int64()))


def _answerable(process: ModelProcess, table: pa.Table, start: int) -> list[int]:
    """Return the places, counted from a start, of the rows that the model does not refuse."""
    if not table.num_rows:
        return []
    try:
        process.score(table, library=True)
    except PredictionRefused:
        if table.num_rows == 1:
            return []
        middle = table.num_rows // 2
        before = _answerable(process, table.slice(0, middle), start)
        return before + _answerable(process, table.slice(middle), start + middle)
    return list(range(start, start + table.num_rows))


def record(package: Package, outcome: Outcome, *, made_up: int, words: str, ran: str) -> Proof:
    """Return what was proven of a package.

    Args:
        package: which.
        outcome: of asking it.
        made_up: how many of its rows were made up.
        words: what the rows were.
        ran: what ran, in words.
    """
    return Proof(
        version=package.version,
        target=package.target,
        digest=package.digest,
        at=datetime.now(UTC),
        rows=outcome.rows,
        made_up=made_up,
        words=words,
        requests=outcome.requests,
        refused=outcome.refused,
        max_difference=outcome.max_difference,
        python=package.python,
        requirements=package.requirements,
        ran=ran,
    )


def keep(rooms: Rooms, version: Version, *, proof: Proof) -> str:
    """Keep a proof with its version; return why it could not be kept, if it could not."""
    with tempfile.TemporaryDirectory() as folder:
        at = proof.at.strftime(_TIME)
        file = Path(folder, f"package-{proof.target}-{at}-{proof.digest[:_SHORT]}.json")
        file.write_bytes(msgspec.json.encode(proof))
        try:
            rooms.registry.put_beside(version, file)
        except (BrineryError, OSError) as error:
            return f"the proof could not be kept with {version.reference}: {error}"
    return ""


def kept(rooms: Rooms, version: Version) -> list[Proof]:
    """Return the proofs that were kept with a version, the newest first."""
    found = []
    for name in rooms.registry.beside(version):
        path = rooms.registry.file_beside(version, name) if _NAME.fullmatch(name) else None
        if path is not None:
            found.append(decoded(path.read_bytes(), Proof))
    return sorted(found, key=lambda one: one.at, reverse=True)
