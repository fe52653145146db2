"""Recipes as steps: what a run read and wrote decides whether it runs again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from brinery.pipeline.recipes import (
    address_of,
    called,
    counted,
    feeders,
    item_at,
    output_name,
    place_of,
    recipe_step,
)
from brinery.records.flow import Activity, ItemKind, RecipeCall, Use, UseKind
from brinery.records.plan import Data, Step, Text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
READ, WRITTEN = UseKind.READ, UseKind.WRITTEN


def use(kind: UseKind, name: str, path: str = "", *, version: str = "v1") -> Use:
    """A use of a dataset, or of a file of the folder `models` where there is a path."""
    item = ItemKind.FOLDER if path else ItemKind.DATASET
    label = "models" if path else ""
    return Use(
        kind=kind, item=item, project="P", name=name, label=label, path=path, version=version
    )


def run(recipe: str, *uses: Use) -> Activity:
    return Activity(
        project="P",
        recipe=recipe,
        call=RecipeCall(script=f"/w/{recipe}"),
        job=f"job-{recipe}",
        started=NOON,
        ended=NOON,
        completed=True,
        uses=uses,
    )


@pytest.mark.parametrize(
    "one", [use(READ, "bank"), use(WRITTEN, "abcdefgh", "/a/b.pkl"), use(WRITTEN, "clf")]
)
def test_an_address_names_its_item(one: Use) -> None:
    """What an address was made of is read from it again."""
    assert item_at(address_of(one)) == place_of(one)


def test_a_run_makes_inputs_and_outputs_of_a_step() -> None:
    """What was read is an input, what was written an output; what was given beside stays."""
    step = Step(name="s", inputs={"rate": Text(text="1")})
    made = recipe_step(
        step,
        run("s.py", use(READ, "bank"), use(WRITTEN, "abcdefgh", "/m.pkl")),
        after=["before"],
    )
    assert made.inputs["rate"] == Text(text="1")
    assert isinstance(made.inputs["bank"], Data)
    assert made.outputs["models.m.pkl"].path == "flow:folder/P/abcdefgh/m.pkl"
    assert made.after == ("before",)
    assert called(use(WRITTEN, "abcdefgh", "/m.pkl")) == "models/m.pkl"
    assert output_name(use(WRITTEN, "bank")) == "bank"


def test_the_newest_writer_feeds_a_reader() -> None:
    """A recipe is fed by the newest that wrote what it read: of a folder, the same path."""
    known = [
        run("old.py", use(WRITTEN, "bank")),
        run("other.py", use(WRITTEN, "abcdefgh", "/other.pkl")),
        run("new.py", use(WRITTEN, "bank"), use(WRITTEN, "abcdefgh", "/m.pkl")),
        run("reads.py", use(READ, "bank"), use(READ, "abcdefgh", "/m.pkl")),
    ]
    assert feeders(known) == {
        "old.py": set(),
        "other.py": set(),
        "new.py": set(),
        "reads.py": {"new.py"},
    }


def test_no_recipe_feeds_itself_by_another() -> None:
    """Two recipes that read what the other writes do not wait for each other for ever."""
    known = [
        run("a.py", use(READ, "y"), use(WRITTEN, "x")),
        run("b.py", use(READ, "x"), use(WRITTEN, "y")),
    ]
    assert feeders(known) == {"a.py": {"b.py"}, "b.py": set()}


def test_what_a_script_names_decides_what_it_does() -> None:
    """Modules it imports, at any depth, and files it names in quotes count; other recipes do not.

    A word that is no more than part of another does not count either.
    """
    texts = {
        "step2.py": "from model_gen.pipe import split\nopen('config.json')\nimport pandas\n",
        "step3.py": "import dataiku",
        "model_gen": "import rates\n",
        "rates.py": "RATE = 1",
        "config.json": "{}",
        "other.json": "{}",
        "pan": "x = 1",
        "data": "",
    }
    assert counted("step2.py", texts) == ["step2.py", "config.json", "model_gen", "rates.py"]
    assert counted("step3.py", texts) == ["step3.py"]
