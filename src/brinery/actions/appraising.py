"""The stages of a whole evaluation: each is tried, timed and told of, and none costs another.

What a stage could not do is a reason in the record. What is done when somebody interrupts is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
from msgspec.structs import replace

from brinery.actions import explaining
from brinery.actions.answering import Answering
from brinery.actions.evaluation_data import EvaluationData
from brinery.actions.progress import Clock
from brinery.actions.scored_data import ScoredData
from brinery.charts import words
from brinery.errors import BrineryError
from brinery.evaluate import (
    assertions,
    diagnostics,
    run,
    subpopulations,
    why,
)
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.observed import Observed
from brinery.evaluate.options import Options
from brinery.records.appraisal import Appraisal, Stage
from brinery.records.assertion import Outcome
from brinery.records.event import Event, Step
from brinery.records.explanation import Explanation
from brinery.records.finding import Severity
from brinery.records.scores import Scores
from brinery.specs.assertions import Assertion
from brinery.store import tables

_log = logging.getLogger("brinery")

# A stage that takes longer says how far it is, as often.
_TELL_S = 1.0
_STOPPED = "stopped by Ctrl-C"
_NOT_ASKED = "it was not asked for"
_NO_TARGET = "no target was named"
# A model without a scorer answers about so many times more slowly.
_SLOWER = 10


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be found out.

    Attributes:
        data: on which data.
        train: what the model was fitted on, to look for rows that are in both; None where unknown.
        options: of the figures.
        assertions: what the user declares.
        pairs: of columns whose groups are crossed.
        rows: places of the rows to explain, from 0; the most surprising ones where empty.
        weights: the column with the rows' weights; empty for none.
        budget: how many rows each kind of explanation may have scored.
        explain: whether it is found out why the model answers so.
    """

    data: EvaluationData
    train: pa.Table | None = None
    options: Options = field(default_factory=Options)
    assertions: tuple[Assertion, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    rows: tuple[int, ...] = ()
    weights: str = ""
    budget: int
    explain: bool = True


class Appraising:
    """A whole evaluation under way.

    Args:
        reference: of the version.
        answering: answers for it.
        question: what is to be found out.
        clock: of the events.

    Attributes:
        found: what is known so far.
        stopped: whether somebody interrupted it.
    """

    def __init__(
        self, reference: str, *, answering: Answering, question: Question, clock: Clock
    ) -> None:
        self.found = Appraisal(
            reference=reference,
            created=datetime.now(UTC),
            data=question.data.fingerprint,
            weights=question.weights,
            scored_by="scorer" if answering.fast else "library",
            seed=question.options.seed,
        )
        self.stopped = False
        self._answering = answering
        self._question = question
        self._clock = clock
        self._scored: ScoredData | None = None
        self._finished: Stage | None = None

    def steps(self) -> Generator[Event, None, Appraisal]:
        """Yield what each stage found, and return the whole.

        Raises:
            UserError: the data does not fit the model, or the model refuses it.
        """
        began = time.monotonic()
        question = self._question
        self._scored = ScoredData.of(self._answering, question.data, weights_name=question.weights)
        self._timed(Stage.SCORES, began)
        rows = words.counted(len(self._rows.scores), "row")
        yield self._told(f"{rows} answered by the {self.found.scored_by}")
        stages = self._stages()
        for place, (stage, work) in enumerate(stages):
            try:
                yield from self._stage(stage, work)
            except KeyboardInterrupt:
                self.stopped = True
                for left, _ in stages[place:]:
                    if left is not self._finished:
                        self._missing(left, _STOPPED)
                break
        return self.found

    def _stages(self) -> tuple[tuple[Stage, Callable[[], Iterator[str]]], ...]:
        return (
            (Stage.FIGURES, self._figures),
            (Stage.DIAGNOSTICS, self._diagnostics),
            (Stage.SUBPOPULATIONS, self._subpopulations),
            (Stage.ASSERTIONS, self._assertions),
            (Stage.EXPLANATION, self._explanation),
        )

    def _stage(self, stage: Stage, work: Callable[[], Iterator[str]]) -> Iterator[Event]:
        """Do a stage; the last that it says is what it found."""
        began = told = time.monotonic()
        said = ""
        try:
            for said in work():
                if time.monotonic() - told > _TELL_S:
                    told = time.monotonic()
                    yield self._clock.event(Step.EVALUATE, said, progress=True)
        except BrineryError as error:
            self._missing(stage, error.message)
        except Exception as error:  # noqa: BLE001 - a fault of ours costs one stage
            _log.exception("the stage %s of %s", stage, self.found.reference)
            self._missing(stage, f"a fault of Brinery: {error}")
        finally:
            self._timed(stage, began)
        self._finished = stage
        if stage in self.found.not_done:
            yield self._told(f"{stage}: {self.found.not_done[stage]}", warning=True)
        elif said:
            yield self._told(said)

    def _figures(self) -> Iterator[str]:
        rows, actual = self._rows, self._rows.actual
        if actual is None:
            self._missing(Stage.FIGURES, _NO_TARGET)
            return
        evaluation, drawn = run.complete(
            rows.description.type,
            actual,
            scores=rows.scores,
            classes=rows.description.classes,
            weights=rows.weights,
            options=self._question.options,
        )
        self.found = replace(self.found, evaluation=evaluation, curves=drawn)
        known = len(evaluation.metrics)
        yield f"{known} figures, {len(evaluation.intervals)} with an interval"

    def _diagnostics(self) -> Iterator[str]:
        rows, evaluation = self._rows, self.found.evaluation
        actual = rows.actual
        if actual is None or evaluation is None:
            return
        found = diagnostics.diagnose(
            rows.table,
            actual,
            scores=rows.scores,
            evaluation=evaluation,
            training=self._question.train,
        )
        self.found = replace(self.found, diagnostics=found)
        warnings = sum(one.severity is Severity.WARNING for one in found.findings)
        yield (
            f"{words.counted(warnings, 'warning')} and "
            f"{words.counted(len(found.findings) - warnings, 'note')} on the data and the figures"
        )

    def _subpopulations(self) -> Iterator[str]:
        rows, actual = self._rows, self._rows.actual
        if actual is None:
            return
        found = subpopulations.subpopulations(
            rows.table,
            actual,
            type=rows.description.type,
            scores=rows.scores,
            classes=rows.description.classes,
            weights=rows.weights,
            slices=subpopulations.Slices(pairs=self._question.pairs),
        )
        self.found = replace(self.found, subpopulations=found)
        n_groups = sum(len(one.subpopulations) for one in found.slicings)
        yield f"{n_groups} groups of rows, {len(found.notable())} differ"

    def _assertions(self) -> Iterator[str]:
        declared = self._question.assertions
        if not declared:
            return
        rows = self._rows
        results = assertions.judge(
            declared,
            tables.to_arrow(self._question.data.inputs),
            scores=rows.scores,
            classes=rows.description.classes,
        )
        self.found = replace(self.found, assertions=results)
        held = sum(one.outcome is Outcome.PASS for one in results)
        yield f"{held} of {len(results)} assertions hold"

    def _explanation(self) -> Iterator[str]:
        if not self._question.explain:
            self._missing(Stage.EXPLANATION, _NOT_ASKED)
            return
        observed, seed = self._rows.observed, self._question.options.seed
        exact = explaining.exact(self._answering, observed, seed=seed)
        try:
            yield from self._explained(observed, exact)
        except explaining.NotExact:
            yield from self._explained(observed, None)
        yield _how(self.found.explanation)

    def _explained(self, observed: Observed, explainer: Explainer | None) -> Iterator[str]:
        """Explain by an exact explainer, or by sampling where there is none."""
        budget = self._question.budget // (1 if self._answering.fast else _SLOWER)
        options = why.within(
            observed,
            why.Options(seed=self._question.options.seed),
            budget=budget,
            sampled=explainer is None,
        )
        steps = why.run(
            observed,
            self._predict,
            explainer=explainer,
            rows=self._question.rows,
            options=options,
        )
        for step in steps:
            self.found = replace(self.found, explanation=step.explanation)
            stage = step.stage.value.replace("_", " ")
            yield f"{stage}: {step.done:,} of {step.total:,}"

    @property
    def _rows(self) -> ScoredData:
        if self._scored is None:
            raise RuntimeError("nothing was scored yet")
        return self._scored

    def _predict(self, table: pa.Table) -> Scores:
        return self._answering.score(self._answering.fit(table))

    def _missing(self, stage: Stage, reason: str) -> None:
        self.found = replace(self.found, not_done={**self.found.not_done, stage.value: reason})

    def _timed(self, stage: Stage, began: float) -> None:
        took = {**self.found.times_s, stage.value: round(time.monotonic() - began, 3)}
        self.found = replace(self.found, times_s=took)

    def _told(self, said: str, *, warning: bool = False) -> Event:
        return self._clock.event(Step.EVALUATE, said, warning=warning)


def _how(found: Explanation | None) -> str:
    """Return how the contributions were found."""
    means = None if found is None else found.mean_contributions
    if means is None:
        return "explained as far as that can be"
    how = "exact" if means.exact else "estimated"
    return f"SHAP values of {words.counted(means.rows, 'row')} ({how}, {means.method})"
