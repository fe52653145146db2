"""Keys of steps: what decides what a step leaves is in them, and what does not is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from brinery.pipeline.explain import differences, same_but_comments
from brinery.pipeline.keys import key_of, parts_of
from brinery.records.job import Part
from brinery.records.plan import Data, DataType, Output, Spread, Step, Text

STEP = Step(
    name="train",
    command="python train.py --data ${{inputs.data}} --rate ${{inputs.rate}}",
    code="/code",
    variables={"SEED": "1"},
    inputs={"data": Data(uri="/data"), "rate": Text(text="0.1")},
    outputs={"model": Output()},
)
INPUTS = {"data": "content of data", "rate": "0.1"}


def parts(step: Step = STEP, **changed: str) -> tuple[Part, ...]:
    """Return the parts of a step's key."""
    inputs = {**INPUTS, **{name: changed[name] for name in INPUTS if name in changed}}
    return parts_of(
        step,
        code=changed.get("code", "tree"),
        inputs=inputs,
        environment=changed.get("environment", "none"),
    )


def test_what_counts() -> None:
    """Command, code, environment, inputs, parameters, variables and declared outputs count."""
    others = [
        parts(code="another tree"),
        parts(environment="another"),
        parts(data="other content"),
        parts(rate="0.2"),
        parts(replace(STEP, command="python train.py")),
        parts(replace(STEP, variables={"SEED": "2"})),
        parts(replace(STEP, outputs={"model": Output(type=DataType.FILE)})),
        parts(replace(STEP, component="train:2")),
        parts(replace(STEP, spread=Spread(instances=2))),
    ]
    keys = {key_of(each) for each in [parts(), *others]}
    assert len(keys) == len(others) + 1


def test_what_does_not_count() -> None:
    """Names, places, limits and what a step is shown as do not count."""
    same = replace(
        STEP,
        name="other",
        display_name="Other",
        timeout_s=5.0,
        place="p.yml:3",
        code="/elsewhere",
        inputs={"data": Data(uri="/elsewhere"), "rate": Text(text="0.1")},
        outputs={"model": Output(path="/there", asset="kept")},
    )
    assert key_of(parts(same)) == key_of(parts())


def test_differences() -> None:
    """What changed is named down to the file and the line, or to both values of a parameter."""
    trees = {"tree": {"a.py": "1", "b.py": "2", "c.py": "3"}, "new": {"a.py": "1", "b.py": "4"}}
    files = {"2": b"import x\nrate = 0.1\n", "4": b"import x\nrate = 0.2\n"}
    found = differences(parts(), parts(code="new", rate="0.2"), trees=trees.get, files=files.get)
    assert found == [
        "code: b.py changed at line 2: 'rate = 0.1' became 'rate = 0.2', c.py is gone",
        "parameter rate was '0.1', is '0.2'",
    ]
    unknown = differences(parts(), parts(code="unknown"), trees=trees.get, files=files.get)
    assert unknown == ["code changed"]
    longer = replace(STEP, inputs={**STEP.inputs, "more": Text(text="")})
    more = parts_of(longer, code="tree", inputs={**INPUTS, "more": "x"}, environment="none")
    assert differences(parts(), more, trees=trees.get, files=files.get) == ["parameter more is new"]
    assert differences(more, parts(), trees=trees.get, files=files.get) == [
        "parameter more is gone"
    ]


@pytest.mark.parametrize(
    ("content", "same"),
    [
        (b"rate = 0.1  # slow\n\n", True),
        (b"rate = (\n    0.1\n)\n", True),
        (b"rate = 0.2\n", False),
        (b"rate =\n", False),
    ],
    ids=["comment", "layout", "value", "broken"],
)
def test_same_but_comments(content: bytes, *, same: bool) -> None:
    """Comments and layout of Python files are no change; anything that runs is."""
    found = same_but_comments(
        {"a.py": "old"},
        {"a.py": "new"},
        old={"old": b"rate = 0.1\n"}.get,
        new={"a.py": content}.__getitem__,
    )
    assert found is same


def test_other_files_count() -> None:
    """A file that came, went, or is no Python changes what a step may leave."""
    for before, now in (
        ({"a.py": "1"}, {"a.py": "1", "b.py": "2"}),
        ({"a.py": "1", "b.py": "2"}, {"a.py": "1"}),
        ({"a.txt": "1"}, {"a.txt": "2"}),
    ):
        assert not same_but_comments(before, now, old=lambda _: b"", new=lambda _: b"")
