"""The traps of job YAML, as the specification numbers them, and the tests that hold each."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

TESTS = Path(__file__).parents[1]
ASSETS, LEARNING = "actions/test_asset_files.py", "actions/test_job_learning.py"


class Trap(NamedTuple):
    """What goes wrong where nobody thought of it.

    Attributes:
        said: how it is to be.
        tests: `file::test` below the tests.
    """

    said: str
    tests: tuple[str, ...]


TRAPS = {
    1: Trap(
        "a path begins in the folder of the file that has it: job, component, nested component",
        ("pipeline/test_planning.py::test_paths_are_relative_to_the_file_that_has_them",),
    ),
    2: Trap(
        "`file:` before a path is optional",
        (
            "pipeline/test_planning.py::test_paths_are_relative_to_the_file_that_has_them",
            "pipeline/test_planning.py::test_right_jobs_are_planned",
        ),
    ),
    3: Trap(
        "a step's output has the type of the pipeline's output; a file is not made beforehand",
        (
            "pipeline/test_planning.py::test_types_of_outputs_in_place_are_the_pipelines",
            "actions/test_job_engine.py::test_outputs",
        ),
    ),
    4: Trap(
        "what a datastore holds is looked for when the step starts",
        (
            "pipeline/test_planning.py::test_what_a_datastore_has_is_found_when_the_step_starts",
            "actions/test_job_protection.py::test_the_name_of_the_job_is_filled_in",
        ),
    ),
    5: Trap(
        "an output called artifacts is all that a step left",
        (f"{LEARNING}::test_the_output_artifacts_is_all_that_a_step_left",),
    ),
    6: Trap(
        "what a command leaves in the background is waited for; the status is bash's",
        ("runners/test_local.py::test_background",),
    ),
    7: Trap(
        "an input that the component does not have is dropped with a note",
        (
            "pipeline/test_planning.py::test_an_input_that_resembles_little_is_dropped",
            "pipeline/test_planning.py::test_what_means_nothing_here_is_noted",
        ),
    ),
    8: Trap(
        "MLflow saves a model in a folder that is there and empty",
        (f"{LEARNING}::test_a_model_is_saved_in_a_folder_that_is_there",),
    ),
    9: Trap(
        "a step has a run of its own, a child of the job's, in which others may be nested",
        (
            f"{LEARNING}::test_each_step_has_a_run_of_its_own",
            "web/test_job_tracking.py::test_what_mlflow_knows_afterwards",
        ),
    ),
    10: Trap(
        "autologging workers of a parallel step open more runs, and none fails for it",
        (f"{LEARNING}::test_runs_that_workers_open_are_beside_that_of_their_step",),
    ),
    11: Trap(
        "serverless, services, identity and registries are accepted and noted",
        (
            "pipeline/test_planning.py::test_what_means_nothing_here_is_noted",
            "pipeline/test_planning.py::test_references_have_one_form",
            "contract/test_fields.py::test_every_field_is_honoured_noted_or_refused",
        ),
    ),
    12: Trap(
        "a component's name counts when it is registered, and not when a pipeline names its file",
        (
            "pipeline/test_planning.py::test_a_component_is_checked_by_itself",
            f"{ASSETS}::test_the_name_of_a_component_is_checked_when_it_is_registered",
        ),
    ),
    13: Trap(
        "a step cannot write to its inputs: neither to what others left, nor to the user's data",
        (
            "actions/test_job_engine.py::test_inputs",
            "actions/test_job_engine.py::test_altered_outputs_are_made_again",
            "actions/test_job_protection.py::test_a_step_cannot_write_to_its_input",
            "runners/test_local.py::test_protected",
        ),
    ),
    14: Trap(
        "a file of another noun says what it is, and which command creates it",
        ("specs/test_job_yaml.py::test_another_noun_is_told",),
    ),
    15: Trap(
        "a snapshot of code follows links, and its copy leads nowhere back",
        ("store/test_outputs.py::test_snapshots",),
    ),
}


def test_no_trap_is_left_out() -> None:
    """There are fifteen, and each says how it is to be."""
    assert [*TRAPS] == [*range(1, 16)]
    assert all(trap.said and trap.tests for trap in TRAPS.values())


@pytest.mark.parametrize("number", TRAPS)
def test_every_trap_has_a_test(number: int) -> None:
    """Each test that is named is there, and asserts something."""
    for named in TRAPS[number].tests:
        file, _, name = named.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        (found,) = [
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
        ]
        checks = [
            node
            for node in ast.walk(found)
            if isinstance(node, ast.Assert)
            or (isinstance(node, ast.Attribute) and node.attr == "raises")
        ]
        assert checks, named
