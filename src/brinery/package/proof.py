"""A package is run: unpacked where it was never written, asked rows, its answers compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brinery.errors import NotProven
from brinery.package.runtime import engine, verify
from brinery.records.scores import Scores

HINT = "--engine library packages the model with its own library; brinery model show --parity"


def expected(
    rows: Sequence[Mapping[str, Any]], scores: Scores, *, words: str, kept: int = 0
) -> dict[str, Any]:
    """Return rows with the registered model's answers, as `verify.py` reads them.

    Args:
        rows: as clients write them.
        scores: (n_rows,) the answers.
        words: what the rows are.
        kept: how many of them are of the evaluation data.
    """
    answers = engine.plain(scores)
    return {
        "rows": list(rows),
        "predictions": answers.predictions,
        "probabilities": answers.probabilities,
        "words": words,
        "kept": kept,
    }


def joined(proofs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows of several kinds as one proof; at least one."""
    chances = [one["probabilities"] for one in proofs]
    return {
        "rows": [row for one in proofs for row in one["rows"]],
        "predictions": [answer for one in proofs for answer in one["predictions"]],
        "probabilities": None if None in chances else [each for one in chances for each in one],
    }


def run(folder: Path, python: Path, *, proof: Mapping[str, Any]) -> verify.Outcome:
    """Return what came of asking the package in a folder.

    Args:
        folder: of the package.
        python: of a fresh environment of its requirements.
        proof: as `expected` returns it.

    Raises:
        NotProven: it does not start, answers otherwise, or takes what is bad.
    """
    try:
        return verify.replay(folder, python, proof=proof)
    except verify.NotProven as error:
        raise NotProven(f"the package was run and is not right: {error}", hint=HINT) from None


def check_bytes(folder: Path, *, name: str) -> str:
    """Return the digest of a package whose files are as they were made.

    Args:
        folder: of the package.
        name: of what was given, for the messages.

    Raises:
        NotProven: they are not.
    """
    try:
        return verify.sound(folder)
    except verify.NotProven as error:
        raise NotProven(
            f"{name} is not the package that was made: {error}",
            hint="make it again: brinery package NAME@VERSION --to TARGET",
        ) from None
