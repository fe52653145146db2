"""How a decision is printed: every rule with its figures, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brinery.cli.output import print_table

if TYPE_CHECKING:
    from brinery.records.decision import Decision, RuleResult
    from brinery.records.estimate import Estimate

_CERTAIN = 0.0001


def print_decision(decision: Decision) -> None:
    """Print a decision as a table, then how worn its rows are, and the verdict."""
    data = decision.data
    on = f", on {data.rows:,} rows of {data.name}" if data else ""
    against = f" against {decision.champion}" if decision.champion else ", no champion yet"
    print_table(
        ["rule", decision.champion or "champion", decision.reference, "difference", "p", "", "why"],
        [_row(one) for one in decision.rules],
        title=f"{decision.reference}{against}: gate {decision.gate}{on}",
    )
    if decision.wear:
        print(f"{decision.wear}\n")


def _row(result: RuleResult) -> list[str]:
    return [
        result.rule,
        _figure(result.champion),
        _figure(result.candidate),
        _difference(result.difference),
        "" if result.p_value is None else _chance(result.p_value),
        result.outcome,
        result.why,
    ]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _difference(found: Estimate | None) -> str:
    if found is None:
        return ""
    interval = found.interval
    told = f" ({interval.low:+.4g} to {interval.high:+.4g})" if interval else ""
    return f"{found.value:+.4g}{told}"


def _chance(p_value: float) -> str:
    return f"< {_CERTAIN}" if p_value < _CERTAIN else f"{p_value:.4f}"
