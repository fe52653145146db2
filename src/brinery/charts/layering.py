"""Where the nodes of a graph stand: in layers from left to right, each behind all that lead to it.

The four steps of Sugiyama, Tagawa and Toda (1981): layers by longest paths, none of them taller
than reads well; links over several layers pass through points of their own, which links from one
node, or to one, share; orders by barycentres, of which the one with the fewest crossings is kept;
and heights that lie as near to the neighbours' as their order allows (isotonic regression).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

_GAP_ALONG: Final = 56.0
_GAP_ACROSS: Final = 18.0
_GAP_POINT: Final = 9.0
_SWEEPS: Final = 12
_SMOOTHINGS: Final = 8
# A layer holds about 1.6 √n nodes of n at most: the picture of a wide graph is no tower.
_SHORTEST: Final = 12
_TALLER: Final = 1.6
# How much more a link that passes a layer wants to be straight than a node to be in the middle.
_STRAIGHT: Final = 64.0
# All is as high as the tallest layer, and a little more.
_ROOM: Final = 1.25
_MORE: Final = 48.0
_LEAST_ROW: Final = 720.0

Link = tuple[str, str]


class Box(NamedTuple):
    """Where a node stands, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.top + self.height / 2


@dataclass(frozen=True)
class Placement:
    """Where everything is.

    Attributes:
        boxes: of the nodes, by their ids.
        routes: of the links: points that each goes through, in order; between the first and the
            second it bends, to the third it is straight, and so on in turn.
        width: of all, in pixels.
        height: likewise.
    """

    boxes: Mapping[str, Box]
    routes: Mapping[Link, Sequence[tuple[float, float]]]
    width: float
    height: float


def layered(sizes: Mapping[str, tuple[float, float]], links: Sequence[Link]) -> Placement:
    """Return where nodes stand, and what way the links between them go.

    Args:
        sizes: id of each node to its width and height, in pixels.
        links: pairs of ids; what leads to itself, or to no node, is left out.
    """
    names = list(sizes)
    place = {name: at for at, name in enumerate(names)}
    known = {
        (place[one], place[other]): (one, other)
        for one, other in links
        if one in place and other in place and one != other
    }
    linked = sorted({at for pair in known for at in pair})
    net = _Net(_layers(linked, list(known)), known, [sizes[name] for name in names])
    net.order()
    tops = net.heights()
    lefts, widths = net.alongs()
    boxes = {
        names[at]: Box(lefts[layer], tops[at] - sizes[names[at]][1] / 2, *sizes[names[at]])
        for layer, row in enumerate(net.rows)
        for at in row
        if at < len(names)
    }
    routes = {}
    for pair, points in net.routes.items():
        start, end = boxes[names[pair[0]]], boxes[names[pair[1]]]
        way = [(start.left + start.width, start.middle)]
        for point in points:
            layer = net.layer[point]
            way += [(lefts[layer], tops[point]), (lefts[layer] + widths[layer], tops[point])]
        routes[known[pair]] = [*way, (end.left, end.middle)]
    width = lefts[-1] + widths[-1] if lefts else 0.0
    height = max((box.top + box.height for box in boxes.values()), default=0.0)
    alone = {name: size for name, size in sizes.items() if name not in boxes}
    beneath, width, height = _rows(alone, width=width, top=height)
    return Placement({**boxes, **beneath}, routes, width, height)


def crossings(rows: Sequence[Sequence[int]], below: Mapping[int, Sequence[int]]) -> int:
    """Return how many pairs of links cross each other between layers that follow each other.

    Args:
        rows: vertices of each layer, in order.
        below: what each vertex leads to in the next layer.
    """
    count = 0
    for row, following in pairwise(rows):
        at = {vertex: place for place, vertex in enumerate(following)}
        seen: list[int] = []
        for vertex in row:
            ends = sorted(at[one] for one in below.get(vertex, ()))
            for end in ends:
                count += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return count


def _layers(vertices: Sequence[int], pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the layer of each vertex, so that none of them is too tall."""
    above: dict[int, list[int]] = {vertex: [] for vertex in vertices}
    below: dict[int, list[int]] = {vertex: [] for vertex in vertices}
    for one, other in pairs:
        below[one].append(other)
        above[other].append(one)
    order = _sorted(vertices, above, below)
    rank = {vertex: place for place, vertex in enumerate(order)}
    depth: dict[int, int] = {}
    for vertex in order:
        before = (depth[one] for one in above[vertex] if rank[one] < rank[vertex])
        depth[vertex] = max(before, default=-1) + 1
    for vertex in order:
        if not above[vertex]:  # what begins stands right before what it leads to
            depth[vertex] = max(0, min(depth[one] for one in below[vertex]) - 1)
    most = max(_SHORTEST, math.ceil(_TALLER * math.sqrt(len(vertices))))
    taken: dict[int, int] = {}
    found: dict[int, int] = {}
    for vertex in sorted(order, key=lambda one: (depth[one], rank[one])):
        before = (found[one] for one in above[vertex] if one in found)
        layer = max(max(before, default=-1) + 1, depth[vertex])
        while taken.get(layer, 0) >= most:
            layer += 1
        taken[layer] = taken.get(layer, 0) + 1
        found[vertex] = layer
    return found


def _sorted(
    vertices: Sequence[int], above: Mapping[int, Sequence[int]], below: Mapping[int, Sequence[int]]
) -> list[int]:
    """Return vertices, each behind those that lead to it; a way round is cut where it is met."""
    left = {vertex: len(above[vertex]) for vertex in vertices}
    ready = [vertex for vertex in reversed(vertices) if not left[vertex]]
    order: list[int] = []
    while left:
        vertex = ready.pop() if ready else next(iter(left))
        del left[vertex]
        order.append(vertex)
        for one in reversed(below[vertex]):
            if one in left:
                left[one] -= 1
                if not left[one]:
                    ready.append(one)
    return order


@dataclass
class _Net:
    """Vertices in layers: nodes, and points that links pass other layers at.

    Args:
        layer: of each vertex.
        known: the links.
        sizes: of the nodes, by their numbers.
    """

    layer: dict[int, int]
    known: Mapping[tuple[int, int], Link]
    sizes: Sequence[tuple[float, float]]
    rows: list[list[int]] = field(default_factory=list)
    routes: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    above: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        leaving: dict[int, int] = {}
        coming: dict[int, int] = {}
        for one, other in self.known:
            leaving[one] = leaving.get(one, 0) + 1
            coming[other] = coming.get(other, 0) + 1
        points: dict[tuple[bool, int, int], int] = {}
        for one, other in self.known:
            forth = leaving[one] >= coming[other]
            shared = one if forth else other
            first, last = self.layer[one] + 1, self.layer[other]
            way = [
                points.setdefault((forth, shared, layer), len(self.sizes) + len(points))
                for layer in range(first, last)
            ]
            self.layer.update({point: first + at for at, point in enumerate(way)})
            self.routes[one, other] = way
            if first <= last:  # one that leads back is drawn, and moves nothing
                whole = [one, *way, other]
                for upper, lower in pairwise(whole):
                    if lower not in self.below.setdefault(upper, []):
                        self.below[upper].append(lower)
                        self.above.setdefault(lower, []).append(upper)
        self.rows = [[] for _ in range(max(self.layer.values(), default=-1) + 1)]
        for vertex, layer in self.layer.items():
            row = self.rows[layer]
            # Points begin in the middle: what they lead to stands on both sides of them.
            row.insert(len(row) if vertex < len(self.sizes) else len(row) // 2, vertex)

    def order(self) -> None:
        """Bring each layer in the order in which few links cross."""
        best, least = [list(row) for row in self.rows], crossings(self.rows, self.below)
        for sweep in range(_SWEEPS):
            if not least:
                break
            down = sweep % 2 == 0
            beside = self.above if down else self.below
            at: dict[int, float] = {}
            for row in self.rows if down else reversed(self.rows):
                wanted = {
                    one: _mean([at[v] for v in beside.get(one, ())], (place + 0.5) / len(row))
                    for place, one in enumerate(row)
                }
                row.sort(key=wanted.__getitem__)
                # Places as shares of the layer, so that layers of other sizes compare.
                at |= {vertex: (place + 0.5) / len(row) for place, vertex in enumerate(row)}
            count = crossings(self.rows, self.below)
            if count < least:
                best, least = [list(row) for row in self.rows], count
        self.rows = best

    def heights(self) -> dict[int, float]:
        """Return the height of the middle of each vertex, the topmost's edge at 0."""
        at: dict[int, float] = {}
        offsets = [self._offsets(row) for row in self.rows]
        half = _ROOM * max((offset[-1] for offset in offsets), default=0.0) / 2 + _MORE
        for row, offset in zip(self.rows, offsets, strict=True):
            at |= {v: each - offset[-1] / 2 for v, each in zip(row, offset, strict=True)}
        for turn in range(_SMOOTHINGS):
            forth = turn % 2 == 0
            beside = self.above if forth else self.below
            for layer in range(len(self.rows)) if forth else reversed(range(len(self.rows))):
                row = self.rows[layer]
                wanted = [_mean([at[v] for v in self._near(one, beside)], at[one]) for one in row]
                at |= self._settled(row, wanted, offset=offsets[layer], half=half)
        for row, offset in zip(self.rows, offsets, strict=True):
            both = [[*self._near(one, self.above), *self._near(one, self.below)] for one in row]
            wanted = [_mean([at[v] for v in near], 0.0) for near in both]
            at |= self._settled(row, wanted, offset=offset, half=half)
        highest = min((at[one] - self._tall(one) / 2 for one in at), default=0.0)
        return {vertex: height - highest for vertex, height in at.items()}

    def alongs(self) -> tuple[list[float], list[float]]:
        """Return where each layer begins, and its width."""
        widths = [
            max((self.sizes[one][0] for one in row if one < len(self.sizes)), default=0.0)
            for row in self.rows
        ]
        lefts = accumulate((width + _GAP_ALONG for width in widths), initial=0.0)
        return list(lefts)[: len(widths)], widths

    def _near(self, vertex: int, beside: Mapping[int, Sequence[int]]) -> Sequence[int]:
        """Return what a vertex wants to stand by: of a point, the next of its link, if any."""
        near = beside.get(vertex, ())
        points = [one for one in near if one >= len(self.sizes)]
        return points if points and vertex >= len(self.sizes) else near

    def _settled(
        self, row: list[int], wanted: list[float], *, offset: list[float], half: float
    ) -> dict[int, float]:
        """Return heights of a layer near to those wanted, none further from 0 than half of all."""
        weights = [1.0 if one < len(self.sizes) else _STRAIGHT for one in row]
        return dict(zip(row, _spaced(wanted, offset, weights=weights, half=half), strict=True))

    def _offsets(self, row: Sequence[int]) -> list[float]:
        """Return the least distance of each vertex of a layer from its first."""
        offsets = [0.0]
        for one, other in pairwise(row):
            nodes = one < len(self.sizes) and other < len(self.sizes)
            gap = _GAP_ACROSS if nodes else _GAP_POINT
            offsets.append(offsets[-1] + (self._tall(one) + self._tall(other)) / 2 + gap)
        return offsets

    def _tall(self, vertex: int) -> float:
        return self.sizes[vertex][1] if vertex < len(self.sizes) else 0.0


def _spaced(
    wanted: Sequence[float], offsets: Sequence[float], *, weights: Sequence[float], half: float
) -> list[float]:
    """Return the numbers nearest to those wanted that lie apart as the offsets say.

    Pooling of adjacent violators: weighted least squares under an order, and within bounds.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, offset, weight in zip(wanted, offsets, weights, strict=True):
        block = (weight, weight * (value - offset), 1)
        while blocks and blocks[-1][1] / blocks[-1][0] > block[1] / block[0]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    low, high = -half, half - offsets[-1]
    found = [
        min(max(total / weight, low), high) for weight, total, count in blocks for _ in range(count)
    ]
    return [value + offset for value, offset in zip(found, offsets, strict=True)]


def _rows(
    sizes: Mapping[str, tuple[float, float]], *, width: float, top: float
) -> tuple[dict[str, Box], float, float]:
    """Return where nodes without links stand, in rows beneath the others, and how large all is."""
    boxes: dict[str, Box] = {}
    line = max(width, _LEAST_ROW)
    left, tall = 0.0, 0.0
    top += _GAP_ACROSS if sizes and top else 0.0
    for name, (wide, high) in sizes.items():
        if left and left + wide > line:
            left, top, tall = 0.0, top + tall + _GAP_ACROSS, 0.0
        boxes[name] = Box(left, top, wide, high)
        width = max(width, left + wide)
        left, tall = left + wide + _GAP_ACROSS, max(tall, high)
    return boxes, width, top + tall


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
