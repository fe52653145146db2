"""The compiled scorer answers: figures and arithmetic, without the model's library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brinery.package.runtime.engine import Refused
from brinery.package.runtime.facts import Facts
from brinery.records.scores import Scores
from brinery.scorers import bundle
from brinery.scorers.data import Declined
from brinery.scorers.scorer import Scorer


class ScorerEngine:
    """Answers by a scorer.

    Args:
        folder: that its file lies in.
        facts: of the package.

    Raises:
        BrineryError: its file is another than the one that was packaged.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        plan = bundle.read(folder / facts.engine_file, sha256=facts.engine_sha256)
        self._scorer = Scorer(plan)

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores:
        """Return the answers for some rows.

        Raises:
            Refused: the scorer leaves them to the library, which is not here.
        """
        del n_rows
        try:
            return self._scorer.score(columns).flat()
        except Declined as declined:
            raise Refused(
                f"{declined}; the model's own library, which might have an answer, is not part of "
                "this package"
            ) from None


Engine = ScorerEngine
