from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.contract import job_yaml_cases as cases

from brinery.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "job.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that jobs name, where the command runs."""
    monkeypatch.chdir(cases.written(tmp_path))
    return tmp_path


def run(*arguments: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_right_job_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its steps in order on standard output, and notes beside it."""
    (folder / "job.yml").write_text(cases.VALID["nested"])
    assert run("job", "validate", "-f", "job.yml") == 0
    told = capsys.readouterr()
    assert told.out == (
        "job.yml is a pipeline job without faults: 3 steps, twice.train, twice.score, after\n"
    )
    assert told.err.startswith("note: job.yml:2 settings.default_compute: is not asked for")
    assert not (folder / ".brinery").exists()


def test_faults_are_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its file and line, all at once, also of what --set says; nothing is run."""
    text = "type: pipeline\njobs:\n  a: {component: ./parts/train.yml, inputs: {rte: 3}}\n"
    (folder / "job.yml").write_text(text)
    assert run("job", "validate", "job.yml", "--set", "jobs.a.inputs.how=fsat") == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: 3 faults",
        "--set jobs.a.inputs.how: 'fsat' is none of fast, slow (did you mean fast?)",
        "job.yml:3 jobs.a.inputs.rte: no such input on component train (did you mean rate?)",
        "job.yml:3 jobs.a: the input training_data of component train is required, and not given",
        " hint: docs/how-to/job.md shows how a job is written",
    ]


def test_programs_are_told_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, and as the names of the steps alone; of other files too."""
    (folder / "job.yml").write_text(cases.VALID["component"])
    assert run("job", "validate", "job.yml", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["noun"], found["type"], found["steps"]) == ("job", "pipeline", ["train"])
    assert run("job", "validate", "job.yml", "--format", "quiet") == 0
    assert capsys.readouterr().out == "train\n"
    assert run("job", "validate", "env.yml") == 0
    assert capsys.readouterr().out == "env.yml is an environment without faults\n"
    (folder / "env.yml").write_text("name: own\nimage: python\nconda_file: nowhere.yml\n")
    assert run("job", "validate", "env.yml") == 2
    assert "env.yml:3 conda_file: there is no file nowhere.yml" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`brinery schema job` prints what editors check with."""
    assert run("schema", "job") == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_a_file_is_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, no YAML, and no file of that name are told as such."""
    assert run("job", "validate") == 2
    assert "a FILE is needed" in capsys.readouterr().err
    assert run("job", "validate", "nowhere.yml") == 2
    assert "nowhere.yml cannot be read" in capsys.readouterr().err
    (folder / "bad.yml").write_text("a: [\n")
    assert run("job", "validate", "bad.yml") == 2
    assert "bad.yml:2: no YAML" in capsys.readouterr().err


def test_the_page_shows_what_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files of the how-to have no faults, and its faults are what is told of its mistakes."""
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    pipeline, train = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (told,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    for name, text in (("train.yml", train), ("conda.yaml", "dependencies: [python=3.11]\n")):
        (tmp_path / name).write_text(text)
    for name in ("data", "src"):
        (tmp_path / name).mkdir()
    (tmp_path / "pipeline.yml").write_text(pipeline)
    assert run("job", "validate", "-f", "pipeline.yml") == 0
    assert run("job", "validate", "-f", "train.yml") == 0
    capsys.readouterr()
    wrong = pipeline.replace("./data}", "./dataa}").replace(
        "table: ${{parent.jobs", "tabel: ${{parent.jobs"
    )
    (tmp_path / "pipeline.yml").write_text(
        wrong.replace("rate: ${{parent.inputs.rate}}", "rate: 3")
    )
    assert run("job", "validate", "-f", "pipeline.yml") == 2
    assert capsys.readouterr().err.partition(" hint")[0] == told
