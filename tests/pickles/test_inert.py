from __future__ import annotations

import tracemalloc

from brinery.pickles.inert import SET, Inert


def test_a_stand_in_is_small() -> None:
    """A stand-in that holds nothing takes little memory: a file may ask for millions."""
    tracemalloc.start()
    made = [Inert(SET) for _ in range(10_000)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / len(made) < 150


def test_a_state_is_shared_until_another_comes() -> None:
    """A first state is no copy, a later one is added to a copy, and no state is ever changed."""
    made, state = Inert(SET), {"a": 1}
    made.build(state)
    made.build({})
    made.build(state)
    assert made.attributes is state
    made.build({"b": 2})
    own = made.attributes
    made.build(({"c": 3}, {"d": 4}))
    assert made.attributes is own
    assert made.attributes == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert state == {"a": 1}
