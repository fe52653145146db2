"""Compare: versions answer the same rows, each is set beside the base, and what they cost is timed.

Every version is asked anew, by its scorer or its library, so that they are compared on the same
rows whatever they were evaluated on. What one version cannot answer is a reason in the comparison.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from msgspec.structs import replace

from brinery.actions.answering import Answering
from brinery.actions.evaluation_data import EvaluationData, check_weights, data_line, read_data
from brinery.actions.progress import Clock, result_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.stored_data import stored_data
from brinery.errors import (
    BrineryError,
    ColumnMissing,
    MetricUnknown,
    NotComparable,
    TargetMissing,
)
from brinery.evaluate import contender
from brinery.evaluate.comparison import ComparisonOptions
from brinery.evaluate.comparison import compare as compared
from brinery.records.comparison import Comparison, Footprint
from brinery.records.event import Event, Step
from brinery.records.scores import Scores
from brinery.records.version import Alias, Candidate, Version
from brinery.registry.interface import askable, resolve
from brinery.specs.names import nearest
from brinery.specs.reference import Reference
from brinery.store import tables
from brinery.store.frames import Data, given

Steps = Generator[Event, None, Comparison]

_TWO: Final = 2
_TIMED_ROWS: Final = 50
_TIMED_S: Final = 1.0
_OTHER_KIND: Final = "it predicts {own}, and the base {base}"


class CompareOptions(TypedDict, total=False):
    """What `brinery.compare` takes beside the versions; all optional.

    Attributes:
        data: a csv, Parquet or JSON lines file, or a data frame. When absent, the file that the
            base was evaluated on, where that lies unchanged.
        target: the column with the truth; the one of the base's import when absent.
        sep: of a csv file; found in its first lines when absent.
        weights: a column that says how much each row counts.
        metric: that the versions are ranked by; the headline of what they predict when absent.
        seed: of everything random; 0 when absent.
        workspace: its folder; the nearest upwards when absent.
    """

    data: Data | None
    target: str | None
    sep: str | None
    weights: str | None
    metric: str | None
    seed: int
    workspace: Folder | None


@dataclass(frozen=True, kw_only=True)
class CompareAsked:
    """What the user asked to compare; see `CompareOptions` for what is not said here."""

    references: tuple[str, ...]
    data: Path | pd.DataFrame | None = None
    target: str | None = None
    separator: str | None = None
    weights: str = ""
    metric: str | None = None
    seed: int = 0

    @classmethod
    def of(cls, references: Sequence[str], options: CompareOptions) -> CompareAsked:
        """Return what the arguments of `compare` ask for."""
        data = options.get("data")
        return cls(
            references=tuple(references),
            data=None if data is None else given(data),
            target=options.get("target"),
            separator=options.get("sep"),
            weights=options.get("weights") or "",
            metric=options.get("metric"),
            seed=options.get("seed", 0),
        )


def compare(references: Sequence[str], **options: Unpack[CompareOptions]) -> Comparison:
    """Return how versions differ on the same rows; each is compared with the last one.

    Args:
        references: two versions or more, such as `bank@3` and `bank@champion`; of a single one,
            the other is the champion of its model.
        options: as `brinery compare` has them.

    Raises:
        UserError: the subclass says what is wrong with the versions, the data or an option.
    """
    asked = CompareAsked.of(references, options)
    return result_of(compare_steps(open_rooms(options.get("workspace")), asked))


def compare_steps(rooms: Rooms, asked: CompareAsked) -> Steps:
    """Yield an event as each version has answered; return the comparison.

    Raises:
        NotComparable: no version can be compared with the base.
        UserError: the subclass says what is wrong with the versions, the data or an option.
    """
    clock = Clock()
    versions = _versions(rooms, asked)
    base = versions[0]
    known = askable(base)
    _check_metric(asked.metric, known)
    data = _data(rooms, asked, versions=versions, known=known)
    yield clock.event(Step.DATA, data_line(data))
    scores: dict[str, Scores] = {}
    refused: dict[str, str] = {}
    costs: dict[str, Footprint] = {}
    for version in versions:
        name = version.reference
        try:
            scores[name], costs[name] = _answered(rooms, version, base=known, inputs=data.inputs)
        except BrineryError as error:
            if version is base:
                raise
            refused[name] = error.message
            yield clock.event(Step.COMPARE, f"{name}: {error.message}", warning=True)
            continue
        cost = costs[name]
        said = f"{name}: {len(scores[name]):,} rows answered by its {cost.answered_by}"
        yield clock.event(Step.COMPARE, said)
    if len(scores) < _TWO:
        raise _nothing_left(base, refused)
    found = _compared(asked, known, data=data, scores=scores, versions=versions)
    yield clock.event(Step.COMPARE, f"{len(found.pairs)} compared with {base.reference}")
    return replace(
        found,
        contenders=tuple(replace(one, footprint=costs.get(one.name)) for one in found.contenders),
        not_compared={**refused, **found.not_compared},
    )


def _nothing_left(base: Version, refused: dict[str, str]) -> NotComparable:
    """Return the error of a comparison that no version is left for, beside the base."""
    told = "; ".join(f"{name}: {why}" for name, why in refused.items())
    return NotComparable(
        f"nothing is left to compare with {base.reference}: {told}",
        hint=f"brinery model show {base.name} lists the versions of the model",
    )


def _versions(rooms: Rooms, asked: CompareAsked) -> list[Version]:
    """Return the versions, each once, the base first: the last one named.

    Raises:
        NotComparable: they are fewer than two.
        NotFound: there is no such version.
    """
    references = [Reference.parse(text) for text in asked.references]
    if len(references) == 1:
        references.append(Reference(references[0].name, alias=Alias.CHAMPION.value))
    found = [resolve(rooms.registry, each) for each in references]
    versions = list({each.reference: each for each in (found[-1], *found[:-1])}.values())
    if len(versions) < _TWO:
        name = versions[0].name
        held = [each.reference for each in rooms.registry.versions(name)]
        others = [each for each in held if each != versions[0].reference]
        raise NotComparable(
            f"{' and '.join(map(str, references))} are the same version, {versions[0].reference}",
            hint=f"brinery compare {others[0]} {versions[0].reference}"
            if others
            else f"{name} has no other version: brinery import MODEL --name {name} --data FILE",
        )
    return versions


def _check_metric(metric: str | None, known: Candidate) -> None:
    """Return only where versions can be ranked by a metric.

    Raises:
        MetricUnknown: they cannot.
    """
    names = contender.metrics(known.description.type)
    if metric is not None and metric not in names:
        near = nearest(metric, names)
        raise MetricUnknown(
            f"--metric {metric}: there is no such metric of a {known.description.type} model",
            hint=f"did you mean --metric {near}?" if near else f"there are {', '.join(names)}",
        )


def _data(
    rooms: Rooms, asked: CompareAsked, *, versions: Sequence[Version], known: Candidate
) -> EvaluationData:
    """Return the rows that all are asked about.

    Raises:
        NotComparable: no data is named, and what the base was evaluated on is not here.
        DataError: it cannot be read, or lacks the target or a column of an option.
    """
    target = asked.target or (None if known.data is None else known.data.target)
    lay = "" if asked.data is not None else _lay(rooms, versions[0], asked, target=target)
    if isinstance(lay, EvaluationData):
        data = lay
    else:
        given = asked.data if asked.data is not None else _at_hand(asked, versions, known)
        data = read_data(given, target=target, separator=asked.separator)
    if target is None:
        raise TargetMissing(
            f"{versions[0].reference} was imported without a target, so that nobody knows what is "
            "right",
            hint=f"name the column with the truth: --target {data.frame.columns[-1]}",
        )
    if data.frame.empty:
        raise NotComparable(
            f"{data.fingerprint.name} has no rows", hint="give data with at least one row"
        )
    if asked.weights:
        _check_column(asked.weights, data)
        check_weights(data.frame[asked.weights], asked.weights)
    return data


def _lay(
    rooms: Rooms, base: Version, asked: CompareAsked, *, target: str | None
) -> EvaluationData | str:
    """Return what the base was evaluated on, where it lay then; or why it is not there."""
    if target is None or base.candidate is None or base.candidate.data is None:
        return "nothing is known of it"
    return stored_data(rooms, [base], target=target, separator=asked.separator)


def _at_hand(asked: CompareAsked, versions: Sequence[Version], known: Candidate) -> Path:
    """Return the file that the base was evaluated on, where it lies in the current folder.

    Raises:
        NotComparable: it does not, or it has changed.
    """
    command = f"brinery compare {' '.join(asked.references)} --data"
    if known.data is None:
        raise NotComparable(
            f"{versions[0].reference} was never evaluated, and no data is named",
            hint=f"{command} FILE",
        )
    path = Path(known.data.name)
    if not path.is_file():
        raise NotComparable(
            f"{versions[0].reference} was evaluated on {known.data.name}, which is not kept and "
            "not in this folder",
            hint=f"say where it is, or name other rows with the target: {command} FILE",
        )
    read = read_data(path, target=None, separator=asked.separator)
    if read.fingerprint.sha256 != known.data.sha256:
        raise NotComparable(
            f"{path} is not what {versions[0].reference} was evaluated on: it has changed since",
            hint=f"to compare on it as it is now: {command} {path}",
        )
    return path


def _check_column(name: str, data: EvaluationData) -> None:
    names = list(data.inputs.columns)
    if name not in names:
        near = nearest(name, names)
        raise ColumnMissing(
            f"--weights {name}: the data has no column '{name}'",
            hint=f"did you mean --weights {near}?" if near else f"it has {', '.join(names[:20])}",
        )


def _answered(
    rooms: Rooms, version: Version, *, base: Candidate, inputs: pd.DataFrame
) -> tuple[Scores, Footprint]:
    """Return what a version says to the rows, and what that costs.

    Raises:
        NotComparable: it predicts something else than the base.
        UserError: it cannot be asked, or not about these rows.
    """
    candidate = askable(version)
    own, wanted = candidate.description.type, base.description.type
    if own is not wanted:
        raise NotComparable(_OTHER_KIND.format(own=own, base=wanted))
    with Answering(rooms, version) as answering:
        table = answering.fit(inputs)
        began = time.perf_counter()
        scores = answering.score(table)
        seconds = time.perf_counter() - began
        by_library = answering.library_rows
        latency_s, timed = _latency(answering, table)
    rows = table.num_rows
    return scores, Footprint(
        size_bytes=candidate.origin.size_bytes,
        answered_by="library" if by_library == rows else "scorer",
        latency_s=latency_s,
        latency_rows=timed,
        rows_per_s=rows / seconds if seconds else 0.0,
    )


def _latency(answering: Answering, table: pa.Table) -> tuple[float, int]:
    """Return the median seconds that one row takes, and how many rows were timed.

    Rows from all over the table; no more than a second of them, and the first is not counted.
    """
    places = np.linspace(0, table.num_rows - 1, _TIMED_ROWS + 1).astype(int).tolist()
    took: list[float] = []
    for place in places:
        row = table.slice(place, 1)
        began = time.perf_counter()
        answering.score(row)
        took.append(time.perf_counter() - began)
        if len(took) > 1 and sum(took) > _TIMED_S:
            break
    counted = took[1:] or took
    return statistics.median(counted), len(counted)


def _compared(
    asked: CompareAsked,
    known: Candidate,
    *,
    data: EvaluationData,
    scores: dict[str, Scores],
    versions: Sequence[Version],
) -> Comparison:
    """Return the comparison of the versions that answered."""
    weights = data.frame[asked.weights].to_numpy(np.float64) if asked.weights else None
    inputs = data.inputs.drop(columns=asked.weights) if asked.weights else data.inputs
    return compared(
        data.frame[str(data.fingerprint.target)].to_numpy(),
        scores,
        type=known.description.type,
        classes={each.reference: _classes(each) for each in versions},
        inputs=tables.to_arrow(inputs),
        weights=weights,
        options=ComparisonOptions(seed=asked.seed, metric=asked.metric, data=data.fingerprint.name),
    )


def _classes(version: Version) -> tuple[str | int | float | bool, ...]:
    return () if version.candidate is None else version.candidate.description.classes
