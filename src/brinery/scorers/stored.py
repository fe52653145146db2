"""A version's scorer, from its file: used by whoever answers, within a server or outside of one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from brinery.flavors import naming
from brinery.records.artifact import Artifact
from brinery.records.contributions import Contributions
from brinery.records.fast_path import FastPath
from brinery.records.scores import Scores
from brinery.scorers import arrow, bundle, shapley
from brinery.scorers.scorer import Scorer


class StoredScorer:
    """Answers tables as its version does, by the names of its classes or outputs.

    It holds no state, and may be used by several threads.

    Args:
        path: of its file.
        record: what was recorded when it was compared.
        artifact: of the version, with the names that the model does not tell.

    Raises:
        ModelFileChanged: the file is another than the one that was compared.
        CorruptModel: it is damaged.
    """

    def __init__(self, path: Path, *, record: FastPath, artifact: Artifact) -> None:
        self.scorer = Scorer(bundle.read(path, sha256=record.sha256))
        self._artifact = artifact

    def score(self, table: pa.Table) -> Scores:
        """Return the answers for a table: a null is a missing value.

        Args:
            table: (n_rows, ≥ n_inputs), which has a column for each input.

        Raises:
            Declined: the library must be asked, which might answer otherwise, or refuse.
        """
        return self.named(self.scorer.score(arrow.columns(table, self.scorer.plan.inputs)))

    def explain(self, table: pa.Table, *, background: pa.Table) -> Contributions | shapley.Inexact:
        """Return what each input column added to each answer, exactly; or why that is not known.

        Args:
            table: (n_rows, ≥ n_inputs) rows to explain, as `score` takes them.
            background: likewise, rows that they are compared with, at least one.
        """
        inputs = self.scorer.plan.inputs
        return shapley.explain(
            self.scorer,
            arrow.columns(table, inputs),
            background=arrow.columns(background, inputs),
        )

    def against(self, background: pa.Table) -> shapley.Against:
        """Return what explains answers against one background again and again.

        Args:
            background: (n_background, ≥ n_inputs) rows as `score` takes them, at least one.

        Raises:
            Declined: there is no exact way.
        """
        return shapley.Against(self.scorer, arrow.columns(background, self.scorer.plan.inputs))

    def explained(
        self, table: pa.Table, against: shapley.Against
    ) -> Contributions | shapley.Inexact:
        """Return what each input column added to each answer, exactly; or why that is not known.

        Args:
            table: (n_rows, ≥ n_inputs) rows to explain, as `score` takes them.
            against: the background that they are compared with.
        """
        return against.explain(arrow.columns(table, self.scorer.plan.inputs))

    def named(self, scores: Scores) -> Scores:
        """Return the scorer's own answers with the names of the classes, or outputs."""
        return naming.given(scores.flat(), self._artifact)
