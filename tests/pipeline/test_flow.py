"""The flow as a graph: never a circle, and what is out of date makes all behind it so."""

from __future__ import annotations

from tests.pipeline.test_recipes import run, use

from brinery.pipeline.flow import ItemFacts, graph, node_of
from brinery.records.flow import Activity, Flow, ItemKind, NodeState, Use, UseKind

READ, WRITTEN, TRACKED = UseKind.READ, UseKind.WRITTEN, UseKind.TRACKED

MODEL = Use(kind=WRITTEN, item=ItemKind.MODEL, project="P", name="clf", version="v01")
TUTORIAL = (
    run("step1.py", use(WRITTEN, "bank")),
    run("step2.py", use(READ, "bank"), use(WRITTEN, "test"), use(WRITTEN, "f", "/p.pkl")),
    run("step3.py", use(READ, "f", "/p.pkl"), use(READ, "test"), use(TRACKED, "f", "/"), MODEL),
)


def drawn(*activities: Activity, gone: str = "", **changed: str) -> Flow:
    items = {}
    for activity in activities:
        for one in activity.uses:
            name = one.label or one.name
            items[node_of(one)] = ItemFacts(name=name, there=name != gone)
    return graph("P", activities, items=items, changed={f"{k}.py": v for k, v in changed.items()})


def pairs(flow: Flow) -> set[tuple[str, str]]:
    names = {node.id: node.name for node in flow.nodes}
    return {(names[edge.source], names[edge.target]) for edge in flow.edges}


def states(flow: Flow) -> dict[str, str]:
    return {node.name: str(node.state) for node in flow.nodes}


def test_the_tutorial_is_drawn_as_it_is_described() -> None:
    """As bank → step2 → test + folder → step3 → clf; logging to the folder is no way back."""
    flow = drawn(*TUTORIAL)
    assert pairs(flow) == {
        ("step1.py", "bank"),
        ("bank", "step2.py"),
        ("step2.py", "test"),
        ("step2.py", "models"),
        ("test", "step3.py"),
        ("models", "step3.py"),
        ("step3.py", "clf"),
    }


def test_nodes_come_after_what_feeds_them() -> None:
    """Whatever the order of the runs, each node is behind those that feed it."""
    flow = drawn(*reversed(TUTORIAL))
    place = {node.id: at for at, node in enumerate(flow.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in flow.edges)


def test_what_is_behind_a_change_is_out_of_date() -> None:
    """A changed recipe, what it writes and all behind that is out of date, with the reason."""
    flow = drawn(*TUTORIAL, step2="code changed")
    assert states(flow) == {
        "step1.py": "current",
        "bank": "current",
        "step2.py": "outdated",
        "test": "outdated",
        "models": "outdated",
        "step3.py": "outdated",
        "clf": "outdated",
    }
    why = {node.name: node.why for node in flow.nodes}
    assert why["step2.py"] == "code changed"
    assert why["test"] == "step2.py would write something else"
    assert why["step3.py"] == "test and models are out of date"


def test_what_nobody_wrote_is_a_source_and_what_is_gone_is_told() -> None:
    """A dataset without a recipe is a source; one that was removed is missing."""
    flow = drawn(run("a.py", use(READ, "in"), use(WRITTEN, "out")), gone="out")
    assert states(flow) == {"in": "source", "a.py": "current", "out": "missing"}


def test_circles_are_cut() -> None:
    """Recipes that read what the other writes are drawn without the edge that closes the circle."""
    flow = drawn(
        run("a.py", use(READ, "y"), use(WRITTEN, "x")),
        run("b.py", use(READ, "x"), use(WRITTEN, "y")),
    )
    assert len(flow.edges) == 3
    assert {node.state for node in flow.nodes} <= {NodeState.SOURCE, NodeState.CURRENT}
    assert drawn().nodes == ()
