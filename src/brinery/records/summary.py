"""The first screen of a report: what somebody who answers for a model must know of it."""

from __future__ import annotations

from msgspec import Struct


class Tile(Struct, frozen=True, kw_only=True):
    """One figure.

    Attributes:
        metric: its name, as in `Evaluation.metrics`.
        label: what it is called.
        value: as it is printed.
        interval: its 95 % interval as it is printed, or a remark; empty where there is neither.
    """

    metric: str
    label: str
    value: str
    interval: str = ""


class Summary(Struct, frozen=True, kw_only=True):
    """The first screen.

    Attributes:
        reference: of the version.
        headline: what it does and how well, in a sentence or two.
        tiles: the figures that matter most.
        points: what else there is to know, a sentence each, the most important first.
        doubts: what is doubtful, a sentence each; warnings and assertions that fail.
    """

    reference: str
    headline: str
    tiles: tuple[Tile, ...] = ()
    points: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
