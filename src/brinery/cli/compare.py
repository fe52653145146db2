"""`brinery compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.actions.compare import CompareOptions
    from brinery.records.comparison import (
        Comparison,
        Contender,
        Disagreement,
        MetricDifference,
        Pairing,
        SubpopulationDifference,
    )

_GROUPS = 5
_ROWS = 8
_CERTAIN = 0.0001
_MEGABYTE = 1e6


@click.command("compare")
@click.argument("references", nargs=-1, required=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines with the target. Default: what the base was evaluated on, "
    "where that lies unchanged.",
)
@click.option("--target", help="The column with the truth. Default: the one of the import.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option("--metric", help="What the versions are ranked by. Default: by what they predict.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="An .html file: the comparison as one page, with the curves over each other.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@format_option
@click.pass_obj
def command(
    session: Session, /, *, references: tuple[str, ...], output: Path | None, **options: Any
) -> None:
    """Compare versions on the same rows: each of REFERENCES with the last one, the base.

    brinery compare bank@3 bank@champion asks both about every row, and tells for each metric how
    far they differ, how sure that is, where one is better, and where they disagree. Of a single
    version, the base is the champion of its model.
    """
    from brinery.actions.compare import CompareAsked, compare_steps
    from brinery.actions.report import page_path, write_comparison
    from brinery.actions.rooms import open_rooms

    asked = CompareAsked.of(references, cast("CompareOptions", options))
    if output is not None:
        page_path(output)
    found = follow(compare_steps(open_rooms(session.workspace), asked), session.format)
    if output is not None:
        write_comparison(found, output)
        note(f"the page is {output}")
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            board = found.leaderboard
            for standing in board.standings if board else ():
                print(standing.name)
        case _:
            _print(found)


def _print(found: Comparison) -> None:
    for pairing in found.pairs:
        _print_differences(found, pairing)
        if pairing.disagreement is not None:
            _print_disagreement(found, pairing, pairing.disagreement)
        _print_groups(pairing)
    for name, why in found.not_compared.items():
        note(f"! {name} is not compared: {why}")
    if len(found.pairs) > 1:
        _print_ranks(found)
    _print_costs(found.contenders)


def _print_differences(found: Comparison, pairing: Pairing) -> None:
    left_out = f", {found.rows_left_out:,} without a label left out" if found.rows_left_out else ""
    weighted = ", weighted" if found.weighted else ""
    rows = f"{found.rows:,} rows of {found.data}{left_out}{weighted}"
    print_table(
        ["metric", pairing.base, pairing.other, "difference", _interval_of(found), "p", ""],
        [_row(each) for each in pairing.differences],
        title=f"{pairing.other} compared with {pairing.base}, on {rows}",
    )
    for name, why in pairing.not_compared.items():
        note(f"! {name}: {why}")


def _interval_of(found: Comparison) -> str:
    return f"{found.level:.0%} interval".replace("%", " %")


def _row(each: MetricDifference) -> list[str]:
    interval = each.difference.interval
    return [
        each.metric,
        f"{each.base:.4g}",
        f"{each.other:.4g}",
        f"{each.difference.value:+.4g}",
        f"{interval.low:+.4g} to {interval.high:+.4g}" if interval else each.difference.reason,
        "" if each.p_value is None else _chance(each.p_value),
        each.verdict,
    ]


def _chance(p_value: float) -> str:
    return f"< {_CERTAIN}" if p_value < _CERTAIN else f"{p_value:.4f}"


def _print_disagreement(whole: Comparison, pairing: Pairing, found: Disagreement) -> None:
    agreement = found.agreement
    alike = f"; {found.agreement_of} {agreement.value:.3f}" if agreement else ""
    print(
        f"They disagree on {found.rows:,} rows ({found.share.value:.1%}): {found.meaning}{alike}."
    )
    if not found.rows:
        print()
        return
    right = "nearer" if whole.type == "regression" else "right"
    print(
        f"There {pairing.other} is {right} {found.other_right:,} times, "
        f"{pairing.base} {found.base_right:,} times, and neither {found.neither_right:,} times."
    )
    if found.rule is None:
        print(f"No rule: {found.no_rule}.")
    else:
        rule = found.rule
        print(
            f"Most where {' and '.join(rule.conditions)}: {rule.precision:.0%} of those rows "
            f"({rule.share_elsewhere:.0%} elsewhere), {rule.recall:.0%} of all such rows."
        )
    print()
    print_table(
        ["row", "actual", pairing.base, pairing.other],
        [
            [
                f"{each.row + 1:,}",
                _answer(each.actual, None),
                _answer(each.base, each.base_probability),
                _answer(each.other, each.other_probability),
            ]
            for each in found.examples[:_ROWS]
        ],
        title="The rows that they are farthest apart on",
    )


def _answer(said: object, probability: float | None) -> str:
    shown = f"{said:.6g}" if isinstance(said, float) else str(said)
    return shown if probability is None else f"{shown} ({probability:.3f})"


def _print_groups(pairing: Pairing) -> None:
    """Print the groups of rows that surely gain or lose, the surest first."""
    sure = [each for each in pairing.subpopulations if each.verdict in {"better", "worse"}]
    if not pairing.subpopulations:
        return
    if not sure:
        print("In no group of rows is one of them better beyond chance.\n")
        return
    shown = [
        each
        for verdict in ("worse", "better")
        for each in [one for one in sure if one.verdict == verdict][:_GROUPS]
    ]
    print_table(
        ["rows", "count", pairing.base, pairing.other, "gain", "p, corrected", ""],
        [_group_row(each) for each in shown],
        title=f"Where {pairing.other} is better or worse, by {pairing.loss}",
    )


def _group_row(each: SubpopulationDifference) -> list[str]:
    return [
        each.group.where,
        f"{each.rows:,}",
        f"{each.base:.4g}",
        f"{each.other:.4g}",
        f"{each.gain.value:+.4g}",
        "" if each.p_corrected is None else _chance(each.p_corrected),
        each.verdict,
    ]


def _print_ranks(found: Comparison) -> None:
    board = found.leaderboard
    if board is None:
        return
    rows = [
        [
            str(one.rank),
            one.name,
            f"{one.value.value:.4g}",
            f"{one.value.interval.low:.4g} to {one.value.interval.high:.4g}"
            if one.value.interval
            else "",
            "" if one.rank == 1 else beside_first(one.alike, one.reason),
        ]
        for one in board.standings
    ]
    headers = ["rank", "version", board.metric, _interval_of(found), "beside the first"]
    print_table(headers, rows, title="Ranked on the same rows")


def beside_first(alike: bool | None, reason: str) -> str:  # noqa: FBT001 - None is a third state
    """Return what is told of one that is not the first."""
    if alike is None:
        return reason
    return "not distinguishable" if alike else "worse"


def _print_costs(contenders: tuple[Contender, ...]) -> None:
    rows = [
        [
            one.name,
            one.footprint.answered_by,
            f"{one.footprint.latency_s * 1e3:.3g} ms",
            f"{one.footprint.rows_per_s:,.0f}",
            _size(one.footprint.size_bytes),
        ]
        for one in contenders
        if one.footprint is not None
    ]
    if rows:
        print_table(["version", "answered by", "one row", "rows in a second", "model file"], rows)


def _size(size_bytes: int) -> str:
    if size_bytes < _MEGABYTE:
        return f"{size_bytes / 1e3:.1f} kB"
    return f"{size_bytes / _MEGABYTE:.1f} MB"
