"""Why a model answers as it does: every part of an `Explanation`, one after the other.

After each step there is the explanation as far as it got, so whoever stops keeps what is done. What
costs nothing comes first: the effects need no answer that is not there. How many rows the model
will be asked about is known before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa
from msgspec import Struct

from brinery.errors import UserError
from brinery.evaluate import (
    contributions,
    effects,
    explanations,
    importance,
    partial_dependence,
    sampling,
)
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.measures import Metric
from brinery.evaluate.observed import Observed, drawn
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import Response, response
from brinery.evaluate.sampling import BACKGROUND_ROWS, Sampler
from brinery.records.contributions import Contributions
from brinery.records.explanation import Explanation
from brinery.records.text_enum import TextEnum

_NO_ROWS: Final = "no row of the data counts"
_EXPLAINED_AT_ONCE: Final = 100
_LEAST_SHARE: Final = 0.1
_SMALLER: Final = 0.9
_FEWEST_BACKGROUND: Final = 20


class Stage(TextEnum):
    """A part of an explanation, in the order in which they are computed."""

    EFFECTS = "effects"
    IMPORTANCE = "importance"
    PARTIAL_DEPENDENCE = "partial_dependence"
    ROWS = "rows"
    CONTRIBUTIONS = "contributions"


class Options(Struct, frozen=True, kw_only=True):
    """How much is asked of a model.

    Attributes:
        seed: of all that is drawn.
        importance_rows: how many rows are shuffled at most.
        repeats: how often each column is.
        dependence_rows: over how many rows a partial dependence is at most.
        bins: how many values or bins a column has at most.
        lines: how many rows have a line of their own.
        explained_rows: how many rows have contributions at most.
        background_rows: how many rows each is compared with, by sampling.
        surprising_rows: how many rows of each kind of surprise are explained.
        listed_columns: how many columns the explanation of a row lists.
        log_odds: whether sampled contributions to a probability are in log-odds.
    """

    seed: int = 0
    importance_rows: int = 5_000
    repeats: int = importance.REPEATS
    dependence_rows: int = partial_dependence.MAX_ROWS
    bins: int = 20
    lines: int = partial_dependence.LINES
    explained_rows: int = 300
    background_rows: int = BACKGROUND_ROWS
    surprising_rows: int = explanations.EACH
    listed_columns: int = explanations.MOST_COLUMNS
    log_odds: bool = False


class Step(NamedTuple):
    """How far an explanation got.

    Attributes:
        stage: what was just computed.
        done: how many columns or rows of the stage.
        total: of how many.
        explanation: all that is known by now.
    """

    stage: Stage
    done: int
    total: int
    explanation: Explanation


def cost(observed: Observed, options: Options, *, sampled: bool = True) -> dict[Stage, int]:
    """Return how many rows each stage will at most have scored.

    Args:
        observed: the rows.
        options: of the run.
        sampled: whether the contributions are sampled; an exact explainer asks no model.
    """
    chosen = len(explanations.surprising(observed, each=options.surprising_rows))
    columns, background = len(observed.read), min(len(observed), options.background_rows)
    of_rows, of_many = (
        sampling.cost(rows, columns=columns, background_rows=background) if sampled else 0
        for rows in (chosen, min(len(observed), options.explained_rows))
    )
    return {
        Stage.EFFECTS: 0,
        Stage.IMPORTANCE: importance.cost(
            observed, repeats=options.repeats, max_rows=options.importance_rows
        ),
        Stage.PARTIAL_DEPENDENCE: partial_dependence.cost(
            observed, max_rows=options.dependence_rows, most=options.bins
        ),
        Stage.ROWS: of_rows,
        Stage.CONTRIBUTIONS: of_many,
    }


def within(observed: Observed, options: Options, *, budget: int, sampled: bool = True) -> Options:
    """Return options that ask about fewer rows, so that about so many are scored in all.

    No stage goes below a tenth of the options: so many rows are scored though they be more.

    Args:
        observed: the rows.
        options: unchanged where they are within the budget.
        budget: how many rows may be scored.
        sampled: whether the contributions are sampled.
    """
    made, share = options, 1.0
    while share > _LEAST_SHARE:
        needed = sum(cost(observed, made, sampled=sampled).values())
        if needed <= budget:
            break
        share = max(_LEAST_SHARE, min(share * budget / needed, share * _SMALLER))
        made = _share(observed, options, share, sampled=sampled)
    return made


def run(
    observed: Observed,
    predictor: Predictor,
    *,
    explainer: Explainer | None = None,
    metric: Metric | None = None,
    rows: Sequence[int] = (),
    options: Options | None = None,
) -> Iterator[Step]:
    """Yield the explanation of a model, each time with one column, or some rows, more.

    Args:
        observed: the rows, with answers.
        predictor: answers for the same rows with other values.
        explainer: of the same model; sampling where None.
        metric: of the importance; that which suits the model where None.
        rows: places of the rows that are explained by themselves; those that surprise most where
            there are none.
        options: the usual ones where None.
    """
    chosen = Options() if options is None else options
    known = Explanation()
    for step in _of_columns(observed, predictor, known, metric=metric, options=chosen):
        known = step.explanation
        yield step
    answers = response(observed) if observed.counted().size else _NO_ROWS
    if isinstance(answers, str):
        missing = {**known.not_computed, Stage.ROWS.value: answers}
        missing[Stage.CONTRIBUTIONS.value] = answers
        yield Step(Stage.CONTRIBUTIONS, 0, 0, msgspec.structs.replace(known, not_computed=missing))
        return
    if explainer is None:
        explainer = sampler(observed, predictor, answers=answers, options=chosen)
    asked = explanations.asked(rows)
    choices = asked or explanations.surprising(observed, each=chosen.surprising_rows)
    yield from _of_rows(observed, explainer, known, choices=choices, options=chosen)


def sampler(
    observed: Observed, predictor: Predictor, *, answers: Response, options: Options
) -> Sampler:
    """Return what explains a model by asking it, with a background drawn from the rows."""
    rows = drawn(observed.counted(), options.background_rows, seed=options.seed + 1)
    return Sampler(
        predictor=predictor,
        background=observed.table.take(pa.array(rows)),
        response=answers.in_log_odds() if options.log_odds else answers,
        seed=options.seed,
        unread=observed.unread,
    )


def _share(observed: Observed, options: Options, share: float, *, sampled: bool) -> Options:
    """Return options that ask about a share of the rows that they would ask about."""
    everything, labelled = len(observed), observed.labelled().size

    def fewer(rows: int, there: int) -> int:
        return max(1, int(min(rows, there) * share))

    # Few rows to compare with would cost more precision than they save.
    background = max(fewer(options.background_rows, everything), _FEWEST_BACKGROUND)
    return msgspec.structs.replace(
        options,
        importance_rows=fewer(options.importance_rows, labelled),
        dependence_rows=fewer(options.dependence_rows, everything),
        explained_rows=fewer(options.explained_rows, everything),
        background_rows=min(background if sampled else everything, options.background_rows),
    )


def _of_columns(
    observed: Observed,
    predictor: Predictor,
    known: Explanation,
    *,
    metric: Metric | None,
    options: Options,
) -> Iterator[Step]:
    """Yield effects, importance and partial dependence, a column each time."""
    total = _width(observed)
    for effect in effects.run(observed, most=options.bins):
        known = msgspec.structs.replace(known, effects=(*known.effects, effect))
        yield Step(Stage.EFFECTS, len(known.effects), total, known)
    for found in importance.run(
        observed,
        predictor,
        metric=metric,
        repeats=options.repeats,
        max_rows=options.importance_rows,
        seed=options.seed,
    ):
        known = msgspec.structs.replace(known, importance=found)
        if found.reason:
            missing = {**known.not_computed, Stage.IMPORTANCE.value: found.reason}
            known = msgspec.structs.replace(known, not_computed=missing)
        yield Step(Stage.IMPORTANCE, len(found.columns), total, known)
    for one in partial_dependence.run(
        observed,
        predictor,
        max_rows=options.dependence_rows,
        most=options.bins,
        lines=options.lines,
        seed=options.seed,
    ):
        all_of = (*known.partial_dependence, one)
        known = msgspec.structs.replace(known, partial_dependence=all_of)
        yield Step(Stage.PARTIAL_DEPENDENCE, len(all_of), total, known)


def _of_rows(
    observed: Observed,
    explainer: Explainer,
    known: Explanation,
    *,
    choices: explanations.Choices,
    options: Options,
) -> Iterator[Step]:
    """Yield the explanations of single rows, then what the contributions of many rows say."""
    stage = Stage.ROWS
    try:
        rows = explanations.explain(
            observed, explainer, choices=choices, most=options.listed_columns
        )
        known = msgspec.structs.replace(known, rows=rows)
        yield Step(stage, len(rows), len(choices), known)
        stage = Stage.CONTRIBUTIONS
        yield from _of_many(observed, explainer, known, options=options)
    except UserError as refused:
        missing = {**known.not_computed, stage.value: refused.message}
        yield Step(stage, 0, 0, msgspec.structs.replace(known, not_computed=missing))


def _of_many(
    observed: Observed, explainer: Explainer, known: Explanation, *, options: Options
) -> Iterator[Step]:
    places = drawn(observed.counted(), options.explained_rows, seed=options.seed)
    used = observed.take(places)
    parts: list[Contributions] = []
    for start in range(0, len(used), _EXPLAINED_AT_ONCE):
        parts.append(explainer(used.table.slice(start, _EXPLAINED_AT_ONCE)))
        done = contributions.joined(parts)
        rows = len(done)
        weights = None if used.weights is None else used.weights[:rows]
        known = msgspec.structs.replace(
            known,
            mean_contributions=contributions.means(done, weights=weights),
            dependence=contributions.dependences(
                done, used.table.slice(0, rows), places=places, seed=options.seed
            ),
        )
        yield Step(Stage.CONTRIBUTIONS, rows, len(used), known)


def _width(observed: Observed) -> int:
    return len(observed.table.column_names)
