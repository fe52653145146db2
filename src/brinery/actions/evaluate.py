"""Evaluate: everything there is to find out about a version on some data, kept with its report."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import pandas as pd
import pyarrow as pa

from brinery.actions.answering import Answering
from brinery.actions.appraising import Appraising, Question
from brinery.actions.evaluation_data import EvaluationData, check_weights, data_line, read_data
from brinery.actions.kept_appraisals import keep, newest, share
from brinery.actions.progress import Clock, result_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.charts.summary import summarise
from brinery.errors import BrineryError, ColumnMissing, MetricUnknown, RowMissing
from brinery.evaluate.assertions import refuse_unfit
from brinery.evaluate.options import Options
from brinery.records.appraisal import Appraisal
from brinery.records.event import Event, Step
from brinery.records.summary import Summary
from brinery.records.threshold import Aim, Gains
from brinery.records.version import Version
from brinery.registry.interface import askable, resolve
from brinery.specs import assertions as declarations
from brinery.specs.names import nearest
from brinery.specs.reference import Reference
from brinery.store import tables
from brinery.store.appraisals import Appraisals
from brinery.store.frames import Data, given

Steps = Generator[Event, None, Appraisal]


class EvaluateOptions(TypedDict, total=False):
    """What `brinery.evaluate_model` takes beside the version and the data; all optional.

    Attributes:
        target: the column with the truth; the one of the import when absent.
        sep: of a csv file; found in its first lines when absent.
        weights: a column that says how much each row counts.
        aim: the figure that the threshold of a binary model is chosen for; F1 when absent.
        beta: of F-beta: how many times more recall counts than precision; 2 when absent.
        gains: what a true positive, a false positive, a false negative and a true negative are
            worth; a cost is negative.
        train: what the model was fitted on, to look for rows that are in both.
        assertions: a YAML file of what must hold.
        pairs: of columns whose groups are crossed.
        rows: of the data, from 1, to explain; the most surprising ones when absent.
        budget: rows that each kind of explanation may have scored; the setting when absent.
        seed: of everything random; 0 when absent.
        workspace: its folder; the nearest upwards when absent.
    """

    target: str | None
    sep: str | None
    weights: str | None
    aim: Aim | str | None
    beta: float
    gains: Sequence[float] | None
    train: Data | None
    assertions: Folder | None
    pairs: Sequence[tuple[str, str]]
    rows: Sequence[int]
    budget: int | None
    seed: int
    workspace: Folder | None


@dataclass(frozen=True, kw_only=True)
class EvaluateAsked:
    """What the user asked to evaluate; see `EvaluateOptions` for what is not said here.

    Attributes:
        explain: whether it is found out why the model answers so, which takes longest.
    """

    reference: str
    data: Path | pd.DataFrame
    target: str | None = None
    separator: str | None = None
    weights: str = ""
    aim: Aim = Aim.F1
    beta: float = 2.0
    gains: Gains | None = None
    train: Path | pd.DataFrame | None = None
    assertions: Path | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    rows: tuple[int, ...] = ()
    budget: int | None = None
    seed: int = 0
    explain: bool = True

    @classmethod
    def of(cls, reference: str, *, data: Data, options: EvaluateOptions) -> EvaluateAsked:
        """Return what the arguments of `evaluate_model` ask for."""
        gains, declared = options.get("gains"), options.get("assertions")
        return cls(
            reference=reference,
            data=given(data),
            target=options.get("target"),
            separator=options.get("sep"),
            weights=options.get("weights") or "",
            aim=_aim(options.get("aim") or (Aim.GAIN if gains else Aim.F1)),
            beta=options.get("beta", 2.0),
            gains=_gains(gains) if gains else None,
            train=None if (train := options.get("train")) is None else given(train),
            assertions=None if declared is None else Path(declared),
            pairs=tuple(options.get("pairs", ())),
            rows=tuple(options.get("rows", ())),
            budget=options.get("budget"),
            seed=options.get("seed", 0),
        )


def evaluate_model(reference: str, *, data: Data, **options: Unpack[EvaluateOptions]) -> Appraisal:
    """Return everything that was found out about a version on some data; it is kept, with a report.

    Args:
        reference: which version.
        data: (n_rows, ≥ n_features) a csv, Parquet or JSON lines file, or a data frame.
        options: as `brinery evaluate` has them.

    Raises:
        UserError: the subclass says what is wrong with the version, the data or an option.
    """
    asked = EvaluateAsked.of(reference, data=data, options=options)
    return result_of(evaluate_steps(open_rooms(options.get("workspace")), asked))


def evaluate_steps(rooms: Rooms, asked: EvaluateAsked) -> Steps:
    """Yield an event as each stage is done; return what was found.

    Raises:
        UserError: the subclass says what is wrong with the version, the data or an option.
        KeyboardInterrupt: somebody interrupted; what was done by then is kept.
    """
    clock = Clock()
    version = resolve(rooms.registry, Reference.parse(asked.reference))
    candidate = askable(version)
    target = asked.target or (None if candidate.data is None else candidate.data.target)
    data = read_data(asked.data, target=target, separator=asked.separator)
    yield clock.event(Step.DATA, data_line(data))
    question = _question(rooms, asked, data=data)
    refuse_unfit(
        question.assertions,
        tables.to_arrow(data.inputs.head(0)).schema,
        type=candidate.description.type,
        classes=candidate.description.classes,
    )
    with Answering(rooms, version) as answering:
        return (
            yield from appraised(
                rooms, version, answering=answering, question=question, clock=clock
            )
        )


def appraised(
    rooms: Rooms, version: Version, *, answering: Answering, question: Question, clock: Clock
) -> Steps:
    """Yield an event as each stage is done; return what was found, which is kept with its report.

    Raises:
        KeyboardInterrupt: somebody interrupted; what was done by then is kept.
    """
    work = Appraising(version.reference, answering=answering, question=question, clock=clock)
    try:
        found = yield from work.steps()
    except (GeneratorExit, KeyboardInterrupt):
        if work.found.evaluation is not None and not _known_whole(rooms, version, work.found):
            keep(rooms, version, appraisal=work.found)
        raise
    if work.stopped and (lost := _not_kept(rooms, version, found)):
        yield clock.event(Step.EVALUATE, f"stopped by Ctrl-C: {lost}", warning=True)
        raise KeyboardInterrupt
    path = keep(rooms, version, appraisal=found)
    if not work.stopped and (alone := share(rooms, version, appraisal=found)):
        yield clock.event(Step.REPORT, alone, warning=True)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    yield clock.event(Step.REPORT, str(shown))
    if work.stopped:
        missing = ", ".join(found.not_done)
        told = f"stopped by Ctrl-C: kept without {missing}; the same command again does all"
        yield clock.event(Step.EVALUATE, told, warning=True)
        raise KeyboardInterrupt
    return found


def _not_kept(rooms: Rooms, version: Version, found: Appraisal) -> str:
    """Return why what an interruption left is not kept; empty where it is."""
    if found.evaluation is None:
        return "there is no figure yet, and nothing is kept"
    if _known_whole(rooms, version, found):
        return "the whole evaluation of the same data, made before, stays"
    return ""


def _known_whole(rooms: Rooms, version: Version, found: Appraisal) -> bool:
    """Return whether a whole evaluation of the same data is kept already."""
    kept = Appraisals(rooms.workspace.evaluations)
    known = kept.like(found, name=version.name, number=version.number)
    return known is not None and not known.not_done


def evaluated_whole(
    rooms: Rooms, version: Version, *, data: EvaluationData, clock: Clock
) -> Generator[Event, None, None]:
    """Yield what an import finds out of a version beside its figures, unless it is known already.

    Whatever goes wrong is said, and costs the import nothing: the version is registered.
    """
    if version.candidate is None or version.candidate.description.unscored is not None:
        return
    known = newest(rooms, version)
    if known is not None and known.data == data.fingerprint and not known.not_done:
        return
    question = Question(data=data, budget=rooms.settings.evaluate.budget)
    try:
        with Answering(rooms, version) as answering:
            yield from appraised(
                rooms, version, answering=answering, question=question, clock=clock
            )
    except BrineryError as error:
        yield clock.event(
            Step.EVALUATE, f"{version.reference} was not evaluated: {error.message}", warning=True
        )


def summary_of(version: Version, *, workspace: Folder | None = None) -> Summary | None:
    """Return the first screen of a version's newest evaluation; None where there is none."""
    found = newest(open_rooms(workspace), version)
    return None if found is None else summarise(found)


def first_screen(appraisal: Appraisal) -> Summary:
    """Return what somebody who answers for a model must know of an evaluation."""
    return summarise(appraisal)


def _question(rooms: Rooms, asked: EvaluateAsked, *, data: EvaluationData) -> Question:
    """Return what is to be found out.

    Raises:
        ColumnMissing: a column that an option names is not there.
        ColumnMismatch: the weights are no numbers from 0.
        MetricUnknown: a threshold is to be chosen for gain, and what that is is not said.
        RowMissing: a row that is to be explained is not there.
        InvalidAssertions: the assertions are not declared as they must be.
    """
    if asked.aim is Aim.GAIN and asked.gains is None:
        raise MetricUnknown(
            "--aim gain: what an outcome is worth is not said",
            hint="--gains TP FP FN TN, such as --gains 10 -1 -5 0",
        )
    names = list(data.inputs.columns)
    for option, name in (("--weights", asked.weights), *_paired(asked.pairs)):
        if name and name not in names:
            near = nearest(name, names)
            raise ColumnMissing(
                f"{option} {name}: the data has no column '{name}'",
                hint=f"did you mean {option} {near}?" if near else f"it has {', '.join(names)}",
            )
    if asked.weights:
        check_weights(data.frame[asked.weights], asked.weights)
    for row in asked.rows:
        if not 1 <= row <= len(data.frame):
            raise RowMissing(
                f"--row {row}: the data has {len(data.frame):,} rows",
                hint=f"rows are counted from 1: --row {max(1, min(row, len(data.frame)))}",
            )
    return Question(
        data=data,
        train=None if asked.train is None else _train(asked, data),
        options=Options(aim=asked.aim, beta=asked.beta, gains=asked.gains, seed=asked.seed),
        assertions=() if asked.assertions is None else declarations.read(asked.assertions),
        pairs=asked.pairs,
        rows=tuple(row - 1 for row in asked.rows),
        weights=asked.weights,
        budget=asked.budget or rooms.settings.evaluate.budget,
        explain=asked.explain,
    )


def _paired(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [("--pair", name) for pair in pairs for name in pair]


def _train(asked: EvaluateAsked, data: EvaluationData) -> pa.Table:
    """Return the columns of the training data that the evaluation data has, too."""
    given = asked.train
    if given is None:
        raise ValueError("there is no training data")
    read = read_data(given, target=None, separator=asked.separator)
    shared = [name for name in data.inputs.columns if name in read.frame.columns]
    return tables.to_arrow(read.frame[shared])


def _aim(named: str) -> Aim:
    """Return what a threshold is chosen for.

    Raises:
        MetricUnknown: there is no such aim.
    """
    names = [one.value for one in Aim]
    if named not in names:
        near = nearest(named, names)
        raise MetricUnknown(
            f"no threshold is chosen for '{named}'",
            hint=f"did you mean {near}?" if near else f"it is for one of {', '.join(names)}",
        )
    return Aim(named)


def _gains(worth: Sequence[float]) -> Gains:
    """Return what each outcome is worth.

    Raises:
        ValueError: there are not four numbers.
    """
    true_positive, false_positive, false_negative, true_negative = worth
    return Gains(
        true_positive=true_positive,
        false_positive=false_positive,
        false_negative=false_negative,
        true_negative=true_negative,
    )
