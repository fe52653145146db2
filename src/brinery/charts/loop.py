"""The page of a loop: its turns as a table and a chart of the figures they were judged by."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from brinery.charts import drawing, words
from brinery.charts import page as pages
from brinery.charts.page import Note, Page, Section
from brinery.charts.tables import Table
from brinery.records.decision import RuleResult
from brinery.records.figure import Figure
from brinery.records.summary import Tile
from brinery.records.turn import Ending, Turn

_RULES: Final = 6
_TICKS: Final = 15
_ENDINGS: Final = {
    Ending.PROMOTED: "@brine",
    Ending.KEPT: "@quiet",
    Ending.FAILED: "@clay",
    Ending.NOTHING_NEW: "@straw",
}


def render(turns: list[Turn]) -> str:
    """Return the page of a loop's turns, oldest first; there is one at least."""
    return pages.render(story(turns))


def story(turns: list[Turn]) -> Page:
    """Return what there is to tell of a loop's turns, oldest first; there is one at least."""
    last = turns[-1]
    return Page(
        title=last.loop,
        badges=(f"model {last.model}", words.counted(len(turns), "turn")),
        lead=_lead(turns),
        tiles=_tiles(turns),
        points=(),
        doubts=tuple(_doubts(turns)),
        sections=(
            Section(
                name="figures",
                title="What the turns were judged by",
                lead="At each turn: the new version, and the champion it was held against.",
                figures=tuple(_figures(turns)),
            ),
            Section(
                name="champion",
                title="Who was champion",
                figures=tuple(_reigns(turns)),
            ),
            Section(
                name="turns",
                title="Every turn",
                notes=tuple(_failures(turns)),
                tables=(_table(turns),),
            ),
            Section(name="lineage", title="Where the last one comes from", facts=_facts(last)),
        ),
        record=turns,
    )


def _lead(turns: list[Turn]) -> str:
    """Return the story in a sentence or two."""
    first, last = turns[0], turns[-1]
    counts = _counts(turns)
    told = ", ".join(f"{count} {ending}" for ending, count in counts.items())
    champion = f"{last.model}@{last.champion} is the champion" if last.champion else "no champion"
    return (
        f"{words.counted(len(turns), 'turn')} from {_day(first.started)} to {_day(last.started)}: "
        f"{told}. After the last one: {champion}."
    )


def _counts(turns: list[Turn]) -> dict[str, int]:
    counts = Counter(str(turn.ending or "going on") for turn in turns)
    return {ending: counts[ending] for ending in [*Ending, "going on"] if counts[ending]}


def _tiles(turns: list[Turn]) -> tuple[Tile, ...]:
    return tuple(
        Tile(metric=ending.replace(" ", "_"), label=ending, value=str(count))
        for ending, count in _counts(turns).items()
    )


def _doubts(turns: list[Turn]) -> list[str]:
    last = turns[-1]
    found = [f"{last.name} failed: {last.error}"] if last.ending is Ending.FAILED else []
    worn = next((turn.decision for turn in reversed(turns) if turn.decision), None)
    return [*found, worn.wear] if worn is not None and worn.looks > 1 and worn.wear else found


def _failures(turns: list[Turn]) -> list[Note]:
    return [
        Note(kind="warning", text=f"turn {turn.number}: {turn.error}")
        for turn in turns
        if turn.error
    ]


def _figures(turns: list[Turn]) -> list[Figure]:
    """Return a chart for each rule that has figures of the version or the champion."""
    named: dict[str, list[tuple[Turn, RuleResult]]] = {}
    for turn in turns:
        for rule in turn.decision.rules if turn.decision else ():
            if rule.candidate is not None:
                named.setdefault(rule.rule, []).append((turn, rule))
    return [
        _figure(rule, found, place)
        for place, (rule, found) in enumerate(list(named.items())[:_RULES])
    ]


def _figure(rule: str, found: list[tuple[Turn, RuleResult]], place: int) -> Figure:
    held = [(turn.number, one.champion) for turn, one in found if one.champion is not None]
    traces: list[dict[str, Any]] = []
    if held:
        traces.append(
            drawing.line(
                [number for number, _ in held],
                [value for _, value in held],
                name="champion",
                shade="@slate",
                dash="dot",
            )
        )
    for ending, shade in _ENDINGS.items():
        those = [(turn, one) for turn, one in found if turn.ending is ending]
        if those:
            traces.append(
                drawing.points(
                    [turn.number for turn, _ in those],
                    [one.candidate for _, one in those],
                    name=f"{ending}",
                    shade=shade,
                    size=9,
                    opacity=0.9,
                    texts=[f"{turn.reference}: {one.why}" for turn, one in those],
                )
            )
    return Figure(
        name=f"rule-{place}",
        title=rule,
        caption="Dots are the versions that the turns made; the line is the champion before them, "
        "on the same rows.",
        data=tuple(traces),
        layout=drawing.layout(_turns_axis(len(found)), drawing.axis("")),
    )


def _reigns(turns: list[Turn]) -> list[Figure]:
    known = [(turn.number, turn.champion) for turn in turns if turn.champion is not None]
    if len({champion for _, champion in known}) < 2:  # noqa: PLR2004 - one champion is no story
        return []
    return [
        Figure(
            name="champions",
            title="The champion after each turn",
            caption="The number of the version that is served.",
            data=(
                drawing.line(
                    [number for number, _ in known],
                    [champion for _, champion in known],
                    shape="hv",
                ),
            ),
            layout=drawing.layout(_turns_axis(len(known)), drawing.axis("version", tickformat="d")),
        )
    ]


def _turns_axis(count: int) -> drawing.Axis:
    """Return the axis of turns; a tick each, where they are few."""
    return drawing.axis("turn", dtick=1 if count <= _TICKS else None)


def _table(turns: list[Turn]) -> Table:
    return Table(
        headers=("turn", "begun", "by", "new files", "version", "ended", "champion", "why"),
        rows=tuple(
            (
                str(turn.number),
                f"{turn.started:%Y-%m-%d %H:%M}",
                turn.trigger.value,
                str(len(turn.lineage.new_files)) if turn.lineage.new_files else "",
                str(turn.version or ""),
                str(turn.ending or "going on"),
                str(turn.champion or ""),
                why(turn),
            )
            for turn in reversed(turns)
        ),
        remarks=1,
    )


def why(turn: Turn) -> str:
    """Return why a turn ended as it did, in a sentence."""
    if turn.error:
        return turn.error
    if turn.decision is not None:
        return turn.decision.verdict
    return next((stage.note for stage in reversed(turn.stages) if stage.note), "")


def _facts(turn: Turn) -> tuple[tuple[str, str], ...]:
    lineage = turn.lineage
    facts = {
        "turn": turn.name,
        "command": lineage.command,
        "loop.yml": lineage.spec_sha256,
        **{
            f"input {each.name}": f"{each.path}, {words.counted(each.files, 'file')}, {each.sha256}"
            for each in lineage.data
        },
        "evaluated on": ""
        if lineage.evaluation is None
        else f"{lineage.evaluation.name}, {lineage.evaluation.rows:,} rows, "
        f"{lineage.evaluation.sha256}",
        "commit": ""
        if lineage.code is None
        else lineage.code.commit + (" with changes" if lineage.code.dirty else ""),
        "code": lineage.code_sha256,
        "packages": lineage.environment_sha256,
        "Python": lineage.python,
        "run": lineage.run_id or "",
        "model": lineage.model_sha256,
        "log": turn.log,
    }
    return tuple((name, value) for name, value in facts.items() if value)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
