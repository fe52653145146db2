"""A chart, as data: what Plotly's script draws in a browser."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Figure(Struct, frozen=True, kw_only=True):
    """A chart.

    Colours are names of the page's palette, such as `@brine`: the page replaces them, so that a
    chart is light on light and dark on dark.

    Attributes:
        name: unique on a page, kebab-case.
        title: what is shown.
        caption: what there is to see, in a sentence, also for those who do not see it.
        data: Plotly's traces.
        layout: Plotly's layout, as far as it is not that of every chart of the page.
        height_px: of the whole chart.
    """

    name: str
    title: str
    caption: str
    data: tuple[dict[str, Any], ...]
    layout: dict[str, Any] = {}
    height_px: int = 320
