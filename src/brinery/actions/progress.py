"""The lines that an import says as it goes."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from brinery.pickles import attempts
from brinery.records.description import Description
from brinery.records.evaluation import Evaluation
from brinery.records.event import Event, Step
from brinery.records.fast_path import FastPath
from brinery.records.sandbox import Sandbox
from brinery.records.scan import ScanReport, Verdict
from brinery.records.signature import Signature
from brinery.records.trust import Trust
from brinery.records.version import Environment

_Result = TypeVar("_Result")

_FIGURES = 4
_LISTED = 6


@dataclass(frozen=True)
class Clock:
    """Makes the events, with the time since the work began."""

    began: float = field(default_factory=time.monotonic)

    def event(
        self, step: Step, message: str, *, warning: bool = False, progress: bool = False
    ) -> Event:
        """Return an event that happens now."""
        elapsed_s = time.monotonic() - self.began
        return Event(
            step=step, message=message, warning=warning, progress=progress, elapsed_s=elapsed_s
        )


def result_of(steps: Generator[Event, None, _Result]) -> _Result:
    """Return what long work returns, where nobody wants to know how far it is."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _Result = end.value
            return result


def scan_line(name: str, report: ScanReport) -> str:
    """Return what a file is, by its own word."""
    protocol = "" if report.protocol is None else f" protocol {report.protocol}"
    packed = f", {report.compression}" if report.compression else ""
    wrote = ", ".join(f"{who} {'/'.join(found)}" for who, found in report.versions.items())
    return f"{name}: {report.format}{protocol}{packed}, {report.size_bytes / 1e6:.1f} MB" + (
        f", written by {wrote}" if wrote else ""
    )


def trust_line(report: ScanReport, trust: Trust | None) -> str:
    """Return what the file asks for, and on whose word it is let in."""
    safe = len(report.asked(Verdict.SAFE))
    if trust is None:
        return f"{safe} names, all known safe" if report.findings else "it names no code"
    return f"{safe} names known safe; by your word: {', '.join(trust.granted)}"


def sandbox_line(sandbox: Sandbox) -> str:
    """Return what holds the model's process back, and what does not."""
    missing = [layer.name for layer in sandbox.layers if not layer.in_force]
    if not missing:
        return "confined: no files, network, programs or processes but its own"
    return f"not confined in {', '.join(missing)}: brinery doctor says why"


def fast_path_line(found: FastPath) -> str:
    """Return whether the model is scored without its library, and what that was compared on."""
    if not (found.used or found.partial):
        return f"scored by its library: {found.reason}"
    rows = ", ".join(f"{count:,} of {kind}" for kind, count in found.rows.items() if count)
    compiled = f"compiled but for {'; '.join(found.library)}" if found.partial else "compiled"
    return f"{compiled}: answers as its library on {sum(found.rows.values()):,} rows ({rows})"


def environment_line(environment: Environment) -> str:
    """Return what was built for the model."""
    return f"Python {environment.python} with {len(environment.lock)} packages, its own"


def attempt_line(attempt: str) -> str:
    """Return what the model tried and was kept from."""
    return f"the model {attempts.told(attempt)}"


def outputs_line(names: tuple[str, ...]) -> str:
    """Return that a model answers each row with several values, and what they are called."""
    more = ", …" if len(names) > _LISTED else ""
    return f"answers each row with {len(names):,} values: {', '.join(names[:_LISTED])}{more}"


def unscored_line(description: Description) -> str:
    """Return why a model cannot be asked for predictions."""
    reason = description.unscored.reason if description.unscored else "it was not asked"
    return f"it cannot be asked for predictions, because {reason}"


def check_line(takes: Signature) -> str:
    """Return how many of the data's columns the model reads."""
    read = sum(column.required for column in takes.columns)
    return f"the model reads {read} of the {len(takes.columns)} columns of the data"


def evaluation_line(evaluation: Evaluation | None, option: str = "") -> str:
    """Return the first figures.

    Args:
        evaluation: None where there is no target.
        option: of `brinery import`, with which there would be figures; empty where none is known.
    """
    if evaluation is None:
        return "not evaluated: no --target was given"
    if option:
        return (
            "not evaluated: whether its answers are labels or numbers is not told; "
            f"import it again with {option} --new-version"
        )
    if reason := evaluation.not_computed.get("metrics"):
        return f"not evaluated: {reason}"
    figures = list(evaluation.metrics.items())[:_FIGURES]
    if not figures:
        return f"no figure for {evaluation.type}"
    return ", ".join(f"{name} {value:.4g}" for name, value in figures)
