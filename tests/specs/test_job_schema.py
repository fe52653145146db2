from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.contract import job_yaml_cases as cases

from brinery.errors import InvalidName
from brinery.specs.job_schema import NOUNS, schema


@pytest.fixture(scope="module")
def jobs() -> Any:
    """The schema of jobs."""
    return Draft202012Validator(schema("job"))


def test_right_jobs_hold(jobs: Any) -> None:
    """Every job that we read holds in the schema that editors check with."""
    for name, text in cases.VALID.items():
        stated = yaml.safe_load(text)
        assert not list(jobs.iter_errors(stated)), (name, list(jobs.iter_errors(stated)))


@pytest.mark.parametrize(
    "name",
    [
        "unknown field",
        "no command",
        "unknown mode",
        "capital in a step's name",
        "number as a command",
        "unknown goal and no trials",
    ],
)
def test_wrong_jobs_do_not_hold(jobs: Any, name: str) -> None:
    """An editor marks what we would refuse for its form."""
    assert not jobs.is_valid(yaml.safe_load(cases.INVALID[name][0]))


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_a_schema(noun: str) -> None:
    """Each is a schema by itself."""
    Draft202012Validator.check_schema(schema(noun))


def test_components_hold() -> None:
    """The components beside the jobs hold in theirs."""
    components = Draft202012Validator(schema("component"))
    for name, text in cases.FILES.items():
        if name.startswith("parts/"):
            assert components.is_valid(yaml.safe_load(text)), name


def test_a_wrong_noun_is_met_with_the_nearest() -> None:
    """There is no schema of what nobody declares."""
    with pytest.raises(InvalidName, match="did you mean job"):
        schema("jop")


def test_names_of_files_are_ours(tmp_path: Path) -> None:
    """The files of the cases lie where the jobs look for them."""
    assert (cases.written(tmp_path) / "parts" / "nested" / "both.yml").is_file()
