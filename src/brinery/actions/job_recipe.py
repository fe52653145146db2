"""A step that is a recipe of the flow: it runs like a command, and then tells what it was.

What a script reads and writes is known once it ran. Its key is made of that, so that it is found
again by `flow build`, whoever ran it.
"""

from __future__ import annotations

import os

from msgspec.structs import replace

from brinery.actions.job_bench import ARTIFACTS, StepBench
from brinery.actions.job_engine import run_command
from brinery.pipeline.recipes import called, of_kind, output_name, recipe_step
from brinery.records.flow import Activity, UseKind
from brinery.runners.interface import Bench, Discovered, Drive
from brinery.store.fingerprints import hash_text


def run_recipe(bench: Bench, /) -> Drive:
    """Run a recipe, and find out what it read and wrote."""
    assert isinstance(bench, StepBench)  # noqa: S101 - for the type checker
    outcome = yield from run_command(bench)
    completed = outcome.exit_status == 0 and not outcome.error
    activity = bench.rooms.gateway.finish(bench.step, completed=completed)
    if activity is None or not completed or not activity.uses:
        return outcome
    return replace(outcome, found=_discovered(bench, activity))


def _discovered(bench: StepBench, activity: Activity) -> Discovered:
    places = dict(bench.outputs)
    making = os.path.dirname(places[ARTIFACTS])  # noqa: PTH120 - a text
    written = {}
    for use in of_kind(activity, UseKind.WRITTEN):
        name = output_name(use)
        written[name] = places.get(name) or f"{making}/{name}"
        with open(written[name], "w", encoding="utf-8") as stream:  # noqa: PTH123 - a text
            stream.write(use.version)
    return Discovered(
        step=recipe_step(bench.step, activity, after=bench.step.after),
        inputs={called(use): hash_text(use.version) for use in of_kind(activity, UseKind.READ)},
        outputs=written,
    )
