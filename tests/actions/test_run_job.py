"""Jobs from Python: run, checked, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

import brinery
from brinery.records.job import Status
from brinery.records.job_event import Happening, JobEvent

JOB = """
type: pipeline
inputs: {word: hello, flag: ./flag}
outputs: {said: {type: uri_file}}
jobs:
  say:
    command: echo ${{inputs.word}} | tee ${{outputs.said}}
    environment: {image: python}
    inputs: {word: "${{parent.inputs.word}}"}
    outputs: {said: "${{parent.outputs.said}}"}
  look:
    command: test -e ${{inputs.flag}}
    environment: {image: python}
    inputs: {flag: "${{parent.inputs.flag}}", said: "${{parent.jobs.say.outputs.said}}"}
"""


def test_a_job_is_run_and_gone_on_with(tmp_path: Path) -> None:
    """It is returned whatever became of it; what completed is not run again."""
    (tmp_path / "brinery.toml").touch()
    file, flag = tmp_path / "job.yml", tmp_path / "flag"
    file.write_text(JOB)
    events: list[JobEvent] = []
    made = brinery.run_job(
        file,
        sets=["inputs.word=goodbye", f"inputs.flag={flag}"],
        name="first",
        options=brinery.JobOptions(environment="current", on_event=events.append),
        workspace=tmp_path,
    )
    assert made.status is Status.FAILED
    assert "goodbye" in [each.message for each in events if each.happening is Happening.LINE]
    flag.touch()
    again = brinery.resume_job("first", workspace=tmp_path)
    assert again.status is Status.COMPLETED
    assert [step.attempts for step in again.steps] == [1, 2]
    said = tmp_path / ".brinery" / "jobs" / "first" / "named-outputs" / "said"
    assert said.read_text() == "goodbye\n"
    assert brinery.cancel_job("first", workspace=tmp_path).endswith("over already: Completed")


def test_a_file_is_checked(tmp_path: Path) -> None:
    """Its steps are told, or all its faults; nothing is run."""
    file = tmp_path / "job.yml"
    file.write_text(JOB)
    assert brinery.validate_job(str(file), workspace=tmp_path).steps == ("say", "look")
    with pytest.raises(brinery.UserError, match="there is no step sya"):
        brinery.validate_job(file, sets=["jobs.look.inputs.said=${{parent.jobs.sya.outputs.said}}"])
    assert not (tmp_path / ".brinery").exists()
