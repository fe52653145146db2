import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract import job_yaml_cases as cases

from brinery.specs import assets, part_models, part_reader, sweep_kinds
from brinery.specs.components import ParallelComponent, ParallelTask
from brinery.specs.job_kinds import CommandJob
from brinery.specs.job_parts import DataInput, Resources, Valued
from brinery.specs.parts import Before, Part
from brinery.specs.sweep_parts import Uniform

ROOT = Path(__file__).parents[2]
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.sampled_from(
        ["a", "", "1", "1.0", "true", "null", "${{inputs.x}}", " ${{a}} ", "é", "\ud800"]
    )
    | st.text(max_size=5),
    bool: st.booleans(),
    int: st.integers(-3, 3) | st.integers() | st.just(10**400),
    float: st.floats() | st.sampled_from([1.0, -0.0, 1e300]) | st.integers() | st.just(10**400),
    NoneType: st.none(),
}
ANYTHING = st.recursive(
    st.one_of(*PLAIN.values()),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["type", "value"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def kinds(kind: type[Part] = Part) -> Iterator[type[Part]]:
    """Every kind of part that is declared in Brinery."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("brinery."):
            yield each
            yield from kinds(each)


KINDS = sorted(set(kinds()), key=lambda kind: (kind.__module__, kind.__name__))


@cache
def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Values that an annotation is about, right or nearly so, and now and then others."""
    return st.integers(0, 9).flatmap(lambda at: _values(annotation) if at else ANYTHING)


def _values(annotation: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each form
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return documents(annotation)
    if origin is Literal:
        words = [str(one) for one in inner]
        return st.sampled_from([*words, *(one.upper() for one in words), *map(str.title, words)])
    if origin is Annotated:
        takes = [kind for mark in inner[1:] if isinstance(mark, Before) for kind in mark.takes]
        return st.one_of(values(inner[0]), *(values(one) for one in takes))
    if origin in (Union, UnionType):
        return st.one_of(*(values(one) for one in inner))
    if origin is list:
        return st.lists(values(inner[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), values(inner[1]), max_size=3)
    return ANYTHING


def documents(kind: type[Part]) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a few fields of a part; now and then of one that it does not have."""
    known = {key: values(annotation) for key, annotation in kind.fields.values()}
    others = {"no such field": ANYTHING, "declared_in": ANYTHING}
    names = st.integers(0, 19).flatmap(lambda at: st.sampled_from(sorted(known if at else others)))
    return st.lists(names, unique=True, max_size=4).flatmap(
        lambda chosen: st.fixed_dictionaries({one: (known | others)[one] for one in chosen})
    )


DOCUMENTS = {kind: documents(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(data=st.data())
def test_what_is_read_at_once_is_what_pydantic_makes_of_it(
    kind: type[Part], data: st.DataObject
) -> None:
    """Where the quick reader says yes, Pydantic finds no fault, and the parts are the same."""
    stated = data.draw(DOCUMENTS[kind])
    quick = part_reader.read(kind, stated)
    made, faults = part_models.read(kind, stated)
    if quick is not None:
        assert not faults
        # By their text, in which 1, 1.0 and true are not the same, and nan is.
        assert repr(quick) == repr(made)


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        (Uniform, {"type": "Uniform", "min_value": 0, "max_value": 0.5}),
        (Resources, {"instance_count": "2", "instance_type": ["a"], "properties": {"a": [1]}}),
        (CommandJob, {"$schema": "https://a.b/commandJob.schema.json", "command": "true"}),
        (CommandJob, {"inputs": {"x": 1, "y": {"path": "a"}, "z": {"value": True}}}),
        (CommandJob, {"environment": "a", "environment_variables": {"A": 1, "B": None}}),
        (ParallelComponent, {"task": {"type": "model"}, "error_threshold": "${{inputs.n}}"}),
        (sweep_kinds.SweepJob, {"search_space": {"x": {"type": "Choice", "values": [1, "a"]}}}),
        (sweep_kinds.SweepJob, {"early_termination": {"type": "medianStopping"}}),
        (assets.Schedule, {"trigger": {"type": "cron"}, "create_job": {"job": "a"}}),
        (assets.RecurrencePattern, {"hours": [1, 2], "minutes": 3, "week_days": ["Monday"]}),
    ],
)
def test_what_is_right_is_read_at_once(kind: type[Part], stated: dict[str, Any]) -> None:
    """Texts in other case, numbers as texts and several kinds of values are no doubt."""
    quick = part_reader.read(kind, stated)
    assert quick is not None
    assert quick == part_models.valid(kind, stated)


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        (DataInput, []),
        (DataInput, {"pth": "a"}),
        (DataInput, {"path": 1}),
        (DataInput, {"type": "folder"}),
        (DataInput, {1: "a"}),
        (CommandJob, {"declared_in": "a"}),
        (CommandJob, {"tags": {1: "a"}}),
        (CommandJob, {"tags": {"a": 1}}),
        (CommandJob, {"limits": {"timeout": "soon"}}),
        (CommandJob, {"inputs": {"x": {"value": [1]}}}),
        (CommandJob, {"inputs": {"x": [1]}}),
        (ParallelTask, {"type": "MODEL"}),
        (Uniform, {"min_value": 10**400}),
        (Uniform, {"min_value": True}),
    ],
)
def test_what_may_be_wrong_is_left_to_pydantic(kind: type[Part], stated: Any) -> None:
    """An unknown field, another type or another word is looked at more closely."""
    assert part_reader.read(kind, stated) is None


def test_an_annotation_that_is_not_known_is_in_doubt() -> None:
    """What the quick reader has no word for, it does not read; nor what two types take."""

    class Later(Part):
        """With an annotation, a mark and types that the quick reader does not know."""

        pair: tuple[int, int] | None = None
        marked: Annotated[str, "a mark"] | None = None
        several: dict[str, int] | dict[str, str] | None = None
        whole: float | str | None = None

    assert part_reader.read(Later, {"pair": None}) == Later(pair=None)
    for name, value in (("pair", [1, 2]), ("marked", "a"), ("several", {}), ("whole", 1)):
        stated: dict[str, Any] = {name: value}
        assert part_reader.read(Later, stated) is None
    assert part_reader.read(Later, {"whole": 1.0}) == Later(whole=1.0)


def test_every_field_is_declared_so_that_it_can_be_read_at_once() -> None:
    """Annotations are there as values, and Pydantic is not asked because one is not known."""
    for kind in KINDS:
        for key, annotation in kind.fields.values():
            assert not isinstance(annotation, str), (kind, key)
            if annotation is not Any:
                assert part_reader._table(annotation).keys() - {NoneType}, (kind, key)


def test_parts_hold_what_was_stated() -> None:
    """Fields that were not stated have their default, and a part is not changed."""
    made = DataInput(path="a", mode=None)
    assert (made.path, made.type, made.mode) == ("a", None, None)
    assert sorted(made.stated) == ["mode", "path"]
    assert made.but(path="b") == DataInput(path="b", mode=None) != made
    assert hash(made.but(path="b")) == hash(DataInput(path="b", mode=None))
    assert repr(Valued(value=1)) == "Valued(value=1)"
    with pytest.raises(AttributeError, match=r"use but\(\)"):
        made.path = "b"  # type: ignore[misc] # it is refused
    with pytest.raises(TypeError, match="has no pth"):
        DataInput(pth="a")  # type: ignore[call-arg] # it is refused


PROGRAM = """
import sys
from pathlib import Path
from brinery.pipeline.planning import plan
from brinery.specs import job_yaml
for file in sys.argv[1:]:
    plan(job_yaml.read(Path(file)))
    print("pydantic" in sys.modules, file)
"""


def test_jobs_that_are_right_are_planned_without_pydantic(tmp_path: Path) -> None:
    """Its import takes as long as to plan a small job; most files have no need of it."""
    folder = cases.written(tmp_path)
    files = []
    for at, (name, text) in enumerate(cases.VALID.items()):
        if not name.startswith("unknown"):
            files.append(folder / f"job{at}.yml")
            files[-1].write_text(text)
    command = [sys.executable, "-c", PROGRAM, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"False {file}" for file in files]
    assert len(files) > 20


@pytest.mark.parametrize("verb", ["validate", "create"])
def test_the_commands_of_jobs_leave_pydantic_alone(tmp_path: Path, verb: str) -> None:
    """A right file is read without it; of a wrong one it tells all that is wrong at once."""
    settings = '[datastores]\nd = "data"\n[map]\n"https://host/" = "data"\n[serve]\nport = 1\n'
    (tmp_path / "brinery.toml").write_text(settings)
    right = "type: pipeline\njobs: {a: {command: 'true', environment: {image: python}}}\n"
    wrong = "comand: 'true'\nenvironment: {image: 3}\nlimits: {timeout: soon}\n"
    told = {}
    for name, text in (("right", right), ("wrong", wrong)):
        (tmp_path / f"{name}.yml").write_text(text)
        program = (
            "import sys\nfrom brinery.cli.main import main\ntry:\n    main()\n"
            "finally:\n    print('pydantic' in sys.modules, file=sys.stderr)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, "job", verb, "-f", f"{name}.yml"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        told[name] = done.stderr.splitlines()
        assert bool(done.returncode) == (name == "wrong"), done
    assert told["right"][-1] == "False"
    assert told["wrong"][-1] == "True"
    said = "\n".join(told["wrong"])
    for fault in ("comand: is not known", "image: is the value 3", "limits.timeout", "is missing"):
        assert fault in said, said
