"""The report of a whole evaluation, as a page.

What a manager needs is on the first screen, what a data scientist needs is below.
"""

from __future__ import annotations

from typing import Final

from brinery.charts import curves as curve_charts
from brinery.charts import explanations, facts, subpopulations, tables
from brinery.charts import page as pages
from brinery.charts.page import Note, Page, Section
from brinery.charts.summary import summarise
from brinery.charts.tables import Table
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation import Evaluation
from brinery.records.finding import Severity
from brinery.records.version import Version

_COLUMNS_DRAWN: Final = 5
_MANY_CLASSES: Final = 30


def render(appraisal: Appraisal, version: Version) -> str:
    """Return the page.

    Args:
        appraisal: what was found out.
        version: of which version.
    """
    summary = summarise(appraisal)
    described = version.candidate.description if version.candidate is not None else None
    told = () if described is None else (described.type.value, described.framework)
    return pages.render(
        Page(
            title=summary.reference,
            badges=(*told, *version.aliases, appraisal.created.strftime("%Y-%m-%d")),
            lead=summary.headline,
            tiles=summary.tiles,
            points=summary.points,
            doubts=summary.doubts,
            sections=tuple(_sections(appraisal, version)),
            record=appraisal,
        )
    )


def _sections(appraisal: Appraisal, version: Version) -> list[Section]:
    return [
        doubts(appraisal),
        quality(appraisal),
        reasons(appraisal),
        rows(appraisal),
        places(appraisal),
        asserted(appraisal),
        Section(
            name="card",
            title="What it is",
            lead="Where it comes from, what it takes, and how it was checked.",
            facts=facts.of_version(version, appraisal),
        ),
    ]


def doubts(appraisal: Appraisal) -> Section:
    """Return what is doubtful about the data and the figures."""
    found = () if appraisal.diagnostics is None else appraisal.diagnostics.findings
    notes = [
        Note(
            kind="warning" if one.severity is Severity.WARNING else "note",
            text=one.message,
            hint=one.hint,
        )
        for one in found
    ]
    notes += [
        Note(kind="note", text=f"The stage {stage} is missing: {why}")
        for stage, why in appraisal.not_done.items()
    ]
    looked = "" if appraisal.diagnostics is None else "Nothing doubtful was found in the data."
    lead = "What to look at before these figures are relied on." if notes else looked
    return Section(name="doubts", title="What is doubtful", lead=lead, notes=tuple(notes))


def quality(appraisal: Appraisal) -> Section:
    """Return how good it is: the figures, the curves and the tables of them."""
    evaluation, curves = appraisal.evaluation, appraisal.curves
    if evaluation is None:
        return Section(name="quality", title="How good it is")
    classes = () if curves is None else curves.classes
    binary = classes[0] if len(classes) == 1 else None
    best = (
        () if binary is None or not binary.thresholds else (tables.thresholds(binary.thresholds),)
    )
    each = (tables.per_class(evaluation.per_class),) if evaluation.per_class else ()
    folded = []
    if binary is not None and binary.cuts is not None:
        folded.append(tables.cuts(binary.cuts))
    if binary is not None and (ten := tables.deciles(binary)) is not None:
        folded.append(ten)
    missing = {} if curves is None else curves.not_computed
    return Section(
        name="quality",
        title="How good it is",
        lead="Every figure with its 95 % interval, or the reason why there is none.",
        notes=tuple(Note(kind="note", text=f"{n}: {why}") for n, why in missing.items()),
        figures=() if curves is None else curve_charts.figures(curves),
        tables=(tables.metrics(evaluation), *best, *each, *_confusions(evaluation)),
        more="Figures at each threshold, lift and gain" if folded else "",
        folded=tuple(folded),
    )


def _confusions(evaluation: Evaluation) -> tuple[Table, ...]:
    return tuple(
        tables.confusion(one) for one in evaluation.confusion if len(one.labels) <= _MANY_CLASSES
    )


def reasons(appraisal: Appraisal) -> Section:
    """Return why it answers so: importance and effects."""
    found = appraisal.explanation
    if found is None:
        return Section(name="reasons", title="Why it says so")
    drawn = [
        None if found.importance is None else explanations.importance(found.importance),
        None
        if found.mean_contributions is None
        else explanations.contributions(found.mean_contributions),
        *explanations.effects(found, most=_COLUMNS_DRAWN),
    ]
    table = tables.importance(found)
    return Section(
        name="reasons",
        title="Why it says so",
        lead="Which columns the model needs, and how its answers move with them.",
        notes=tuple(
            Note(kind="note", text=f"{name}: {why}") for name, why in found.not_computed.items()
        ),
        figures=tuple(one for one in drawn if one is not None),
        more="Every column" if table is not None else "",
        folded=() if table is None else (table,),
    )


def rows(appraisal: Appraisal) -> Section:
    """Return what made the answers for single rows."""
    found = () if appraisal.explanation is None else appraisal.explanation.rows
    return Section(
        name="rows",
        title="Single rows",
        lead="What made the answer for the rows that surprise most: green raises it, red lowers it."
        if found
        else "",
        figures=tuple(explanations.row(one, place) for place, one in enumerate(found)),
    )


def places(appraisal: Appraisal) -> Section:
    """Return where it does better or worse."""
    found = appraisal.subpopulations
    if found is None:
        return Section(name="places", title="Where it does better or worse")
    drawn, table = subpopulations.figure(found), tables.notable(found)
    folded = tuple(tables.slicing(one, found) for one in found.slicings if one.subpopulations)
    skipped = [(one.columns, one.skipped) for one in found.slicings if one.skipped]
    surely = "" if table is not None else " None differs surely from the rest."
    return Section(
        name="places",
        title="Where it does better or worse",
        lead=f"Groups of rows; p-values are corrected for {found.tests:,} tests.{surely}"
        if not found.skipped
        else f"Not computed: {found.skipped}.",
        notes=tuple(
            Note(kind="note", text=f"{', '.join(columns)}: {why}") for columns, why in skipped
        ),
        figures=() if drawn is None else (drawn,),
        tables=() if table is None else (table,),
        more="Every group" if folded else "",
        folded=folded,
    )


def asserted(appraisal: Appraisal) -> Section:
    """Return what was asserted of it, and whether it holds."""
    found = appraisal.assertions
    return Section(
        name="assertions",
        title="What was asserted",
        tables=(tables.assertions(found),) if found else (),
    )
