"""Where the nodes of graphs stand: behind what leads to them, apart, and with few crossings."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.charts.layering import Box, crossings, layered

SIZE = (100.0, 40.0)


def placed(*links: str) -> dict[str, Box]:
    pairs = [(one[0], one[1]) for one in links]
    names = sorted({name for pair in pairs for name in pair})
    return dict(layered(dict.fromkeys(names, SIZE), pairs).boxes)


def apart(one: Box, other: Box) -> bool:
    beside = one.left + one.width <= other.left or other.left + other.width <= one.left
    return beside or one.top + one.height <= other.top or other.top + other.height <= one.top


def test_a_chain_is_a_straight_line() -> None:
    """Nodes that follow each other stand at one height, from left to right."""
    boxes = placed("ab", "bc", "cd")
    assert [box.top for box in boxes.values()] == [0, 0, 0, 0]
    assert [box.left for box in boxes.values()] == sorted(box.left for box in boxes.values())


def test_a_node_stands_in_the_middle_of_what_leads_to_it() -> None:
    """Two before one: it stands between them; what both come from does, too."""
    boxes = placed("ab", "ac", "bd", "cd")
    assert boxes["a"].middle == boxes["d"].middle
    assert 2 * boxes["a"].middle == boxes["b"].middle + boxes["c"].middle


def test_a_link_over_layers_goes_round_what_stands_there() -> None:
    """Between a, b, c in line, the link from a to c keeps clear of b."""
    names = dict.fromkeys("abc", SIZE)
    found = layered(names, [("a", "b"), ("b", "c"), ("a", "c")])
    b = found.boxes["b"]
    _, enters, leaves, _ = found.routes["a", "c"]
    assert enters[1] == leaves[1]
    assert not b.top < enters[1] < b.top + b.height
    assert (enters[0], leaves[0]) == (b.left, b.left + b.width)


def test_crossings_that_need_not_be_are_taken_out() -> None:
    """Links that are told crosswise are laid out without a crossing."""
    boxes = placed("ax", "by", "cz", "ay", "bz")
    order = sorted("abc", key=lambda name: boxes[name].top)
    ends = sorted("xyz", key=lambda name: boxes[name].top)
    assert "".join(order) + "".join(ends) in {"abcxyz", "cbazyx"}
    assert crossings([[0, 1], [2, 3]], {0: [3], 1: [2]}) == 1


def test_a_wide_graph_is_no_tower() -> None:
    """500 steps between one and one stand in several layers, each readable."""
    links = [pair for at in range(500) for pair in (("start", f"{at}"), (f"{at}", "end"))]
    names = ["start", *(f"{at}" for at in range(500)), "end"]
    found = layered(dict.fromkeys(names, SIZE), links)
    assert found.height < 5_000
    assert len({box.left for box in found.boxes.values()}) > 10
    assert found.boxes["end"].left == max(box.left for box in found.boxes.values())


def test_what_has_no_links_stands_in_rows() -> None:
    """Five hundred nodes alone make a block, and are not one column."""
    found = layered({str(at): SIZE for at in range(500)}, [])
    assert found.width < 1_000
    assert found.height < 7_000
    assert len(found.boxes) == 500


def test_a_way_round_is_drawn_all_the_same() -> None:
    """What leads back has a route, and what leads to itself or nowhere has none."""
    found = layered(dict.fromkeys("abc", SIZE), [("a", "b"), ("b", "a"), ("c", "c"), ("a", "?")])
    assert set(found.routes) == {("a", "b"), ("b", "a")}
    assert set(found.boxes) == set("abc")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 24), st.sets(st.tuples(st.integers(0, 23), st.integers(0, 23))))
def test_no_box_lies_on_another(count: int, drawn: set[tuple[int, int]]) -> None:
    """Whatever the graph: all nodes are there, apart, and behind what leads to them."""
    names = [str(at) for at in range(count)]
    links = [(str(a), str(b)) for a, b in sorted(drawn) if a < b < count]
    found = layered({name: (80.0 + 7 * int(name), 40.0) for name in names}, links)
    assert set(found.boxes) == set(names)
    assert all(apart(one, other) for one, other in combinations(found.boxes.values(), 2))
    assert all(found.boxes[a].left < found.boxes[b].left for a, b in links)
    assert set(found.routes) == set(links)
    assert all(box.top >= 0 and box.left >= 0 for box in found.boxes.values())
    assert all(box.top + box.height <= found.height + 1e-6 for box in found.boxes.values())
