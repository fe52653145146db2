"""What if: what a version answers to a row that somebody makes up, and which columns made it so.

Only scorers answer here, which are data and run in this process; a model's own library never is
loaded for it. Scorers that were asked last are held, so that an answer takes milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from brinery.actions.answering import Answering
from brinery.actions.explaining import NotExact, exact
from brinery.actions.rooms import Rooms
from brinery.errors import NotServable
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.observed import Observed
from brinery.flavors import sample
from brinery.records.contributions import Unit
from brinery.records.signature import Scalar
from brinery.records.version import Version
from brinery.registry.interface import SAMPLE_FILE, askable
from brinery.scorers.data import Declined

_HELD: Final = 8


class Share(Struct, frozen=True, kw_only=True):
    """What one column added to the answer.

    Attributes:
        column: its name.
        amount: with its sign, in the unit of the answer that is explained.
    """

    column: str
    amount: float


class Supposed(Struct, frozen=True, kw_only=True):
    """What a version answers to a row.

    Attributes:
        prediction: of the row.
        probabilities: class, as text, to its probability; empty where the version gives none.
        explained: the class whose answer is explained, as text; None for a regression.
        base: the answer before anything is known of the row; None where nothing is explained.
        answer: the answer that is explained; likewise.
        unit: of both and of the contributions; likewise.
        contributions: of each column, the largest first.
        unexplained: why there are none; empty where there are.
    """

    prediction: Scalar
    probabilities: dict[str, float] = {}
    explained: str | None = None
    base: float | None = None
    answer: float | None = None
    unit: Unit | None = None
    contributions: tuple[Share, ...] = ()
    unexplained: str = ""


@dataclass(frozen=True)
class _Held:
    """A version that is asked.

    Attributes:
        answering: for it.
        explainer: of its answers; None where nothing explains them exactly.
    """

    answering: Answering
    explainer: Explainer | None


class WhatIf:
    """Answers for the versions of a workspace, from several threads.

    Args:
        rooms: of the workspace.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._lock = Lock()

    @staticmethod
    def possible(version: Version) -> bool:
        """Return whether a version has a scorer that answers here."""
        return version.fast_path is not None and version.fast_path.used

    def ask(self, version: Version, table: pa.Table) -> Supposed:
        """Return what a version answers to a row, and why.

        Args:
            version: one for which it is `possible`.
            table: (1,) the columns of the signature.

        Raises:
            NotServable: its scorer does not answer here, or not to this row.
            ColumnMissing, ColumnMismatch: the row does not fit the signature.
        """
        held = self._of(version)
        scorer = held.answering.scorer
        if scorer is None:
            raise _no_scorer(version)
        fitting = held.answering.fit(table)
        try:
            scores = scorer.score(fitting)
        except Declined as declined:
            raise NotServable(
                f"the scorer of {version.reference} leaves this row to its library: {declined}",
                hint=f"brinery predict {version.reference} --data FILE",
            ) from None
        chances = scores.probabilities
        answered = Supposed(
            prediction=scores.flat().predictions[:1].tolist()[0],
            probabilities={}
            if chances is None
            else dict(zip(map(str, scores.classes), chances[0].tolist(), strict=False)),
        )
        return _explained(held.explainer, fitting, answered=answered)

    def _of(self, version: Version) -> _Held:
        with self._lock:
            found = self._held.get(version.reference)
            if found is not None:
                self._held.move_to_end(version.reference)
                return found
            made = self._made(version)
            self._held[version.reference] = made
            while len(self._held) > _HELD:
                self._held.popitem(last=False)[1].answering.close()
            return made

    def _made(self, version: Version) -> _Held:
        if not self.possible(version):
            raise _no_scorer(version)
        answering = Answering(self._rooms, version)
        kept = self._rooms.registry.kept_file(version, SAMPLE_FILE)
        if kept is None:
            return _Held(answering, None)
        table, scores = sample.read(kept)
        description = askable(version).description
        observed = Observed(
            table=table, scores=scores, type=description.type, classes=description.classes
        )
        return _Held(answering, exact(answering, observed, seed=0))


def _explained(explainer: Explainer | None, table: pa.Table, *, answered: Supposed) -> Supposed:
    """Return an answer with what each column added to it, where that is known exactly."""
    if explainer is None:
        why = "there is no exact way to the contributions of this kind of model"
        return replace(answered, unexplained=why)
    try:
        found = explainer(table)
    except NotExact as reason:
        return replace(answered, unexplained=str(reason))
    # Of several classes, the one that is answered.
    names = [str(one) for one in found.classes]
    said = str(answered.prediction)
    output = names.index(said) if len(names) > 1 and said in names else 0
    amounts = found.values[0, :, output].tolist()
    shares = [
        Share(column=column, amount=amount)
        for column, amount in zip(found.columns, amounts, strict=True)
    ]
    return replace(
        answered,
        explained=names[output] if names else None,
        base=float(found.base[output]),
        answer=float(found.answers[0, output]),
        unit=found.unit,
        contributions=tuple(sorted(shares, key=lambda one: -abs(one.amount))),
    )


def _no_scorer(version: Version) -> NotServable:
    why = version.fast_path.reason if version.fast_path else ""
    return NotServable(
        f"{version.reference} has no scorer: its own library answers"
        + (f", because {why}" if why else ""),
        hint=f"brinery predict {version.reference} --data FILE",
    )
