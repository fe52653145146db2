"""A compiled scorer whose classes or outputs were named by the data, and not by the model.

It is a module of its own: most models name their classes, and start sooner without what this takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brinery.errors import BrineryError
from brinery.flavors import naming
from brinery.package.runtime.engine import Refused
from brinery.package.runtime.facts import Facts
from brinery.package.runtime.scorer_engine import ScorerEngine
from brinery.records.artifact import Artifact
from brinery.records.scores import Scores


class NamedEngine:
    """Answers by a scorer, with the names that were told when the model was imported.

    Args:
        folder: that the scorer's file lies in.
        facts: of the package.

    Raises:
        BrineryError: its file is another than the one that was packaged.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self._scorer = ScorerEngine(folder, facts)
        self._artifact = facts.artifact

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores:
        """Return the answers for some rows.

        Raises:
            Refused: the scorer leaves them to the library, or an answer has no name.
        """
        found = self._scorer.scores(columns, n_rows=n_rows)
        try:
            return naming.given(found, self._artifact)
        except BrineryError as error:
            raise Refused(error.message) from None


def is_needed(artifact: Artifact) -> bool:
    """Return whether a model's answers are to be named."""
    return bool(artifact.classes or artifact.outputs)


Engine = NamedEngine
