"""A page in one file, which opens without a network and prints well: sections of one shape.

The template knows no record; what makes a page of a record is in the siblings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec.structs import replace

from brinery.charts.tables import Table
from brinery.records.figure import Figure
from brinery.records.summary import Tile

# The one text of a chart that is ours and has markup.
_TEMPLATE: Final = "hovertemplate"


@dataclass(frozen=True, kw_only=True)
class Note:
    """A remark: what is doubtful, or missing.

    Attributes:
        kind: `problem`, `warning` or `note`.
        text: one sentence.
        hint: what to do about it.
    """

    kind: str
    text: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        name: its anchor.
        title: its heading.
        lead: what it answers, in a sentence.
        notes: remarks.
        figures: the charts.
        tables: below them.
        more: what the tables that are folded away are called; empty where there are none.
        folded: these tables.
        facts: names and values.
    """

    name: str
    title: str
    lead: str = ""
    notes: tuple[Note, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    more: str = ""
    folded: tuple[Table, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """All of a page.

    Attributes:
        title: what it is about.
        badges: short remarks beside the title.
        lead: the first sentences.
        tiles: the figures that matter most.
        points: what else there is to know, a sentence each.
        doubts: what is doubtful, a sentence each.
        sections: those that say nothing are left out.
        record: what the page was made of, for programs.
    """

    title: str
    badges: tuple[str, ...]
    lead: str
    tiles: tuple[Tile, ...]
    points: tuple[str, ...]
    doubts: tuple[str, ...]
    sections: tuple[Section, ...]
    record: object


def render(page: Page) -> str:
    """Return the file, HTML in UTF-8."""
    sections = [one for one in page.sections if not _empty(one)]
    figures = [figure for section in sections for figure in section.figures]
    return (
        _environment()
        .get_template("report.html")
        .render(
            page=page,
            sections=sections,
            style=_asset("tokens.css") + _asset("report.css"),
            script=_asset("charts.js") + _asset("report.js"),
            plotly=_asset("vendor/plotly-cartesian.min.js") if figures else "",
            # What ends a script in a page must not be in one.
            figures=Markup(_json([plain(one) for one in figures])),  # noqa: S704 - `<` is written as its escape
            record=Markup(_json(page.record)),  # noqa: S704 - likewise
        )
    )


def plain(figure: Figure) -> Figure:
    """Return a figure whose texts Plotly shows as they are; it would take `<i>` for markup."""
    return replace(
        figure,
        data=tuple(_unmarked(trace) for trace in figure.data),
        layout=_unmarked(figure.layout),
    )


def _empty(section: Section) -> bool:
    return not (section.lead or section.notes or section.figures or section.tables or section.facts)


def _unmarked(value: Any) -> Any:
    match value:
        case str():
            return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        case dict():
            return {
                name: one if name == _TEMPLATE else _unmarked(one) for name, one in value.items()
            }
        case list() | tuple():
            return [_unmarked(one) for one in value]
        case _:
            return value


def _json(record: object) -> str:
    return msgspec.json.encode(record).decode().replace("<", "\\u003c")


@cache
def _asset(name: str) -> Markup:
    """Return a file of the page; it is ours, and nothing in it is escaped."""
    path = resources.files("brinery.charts") / "assets" / name
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 - a file of the package


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("brinery.charts", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
