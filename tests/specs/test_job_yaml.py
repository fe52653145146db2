from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brinery.errors import InvalidJob
from brinery.specs import job_yaml, yaml_file
from brinery.specs.job_yaml import Noun

JOB = """\
command: echo ${{inputs.x}}
environment: {image: python}
inputs:
  x: 1
  y: {type: uri_folder, path: data}
"""


def read(folder: Path, text: str, *sets: str, noun: Noun = Noun.JOB) -> Any:
    """What a file declares."""
    file = folder / "job.yml"
    file.write_text(text)
    return job_yaml.read(file, sets=sets, noun=noun)


def faults(folder: Path, text: str, *sets: str) -> list[str]:
    """The faults of a file, without its folder."""
    said: list[str] = read(folder, text, *sets).found.told()
    return [one.replace(f"{folder}/", "") for one in said]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", "1e-3"),
        ("01", 1),
        ("yes", True),
        ("2024-01-31", "2024-01-31"),
        ("1.10", 1.1),
        ("0x1f", 31),
        ("'42'", "42"),
        ("", None),
        ("{a: [1, true]}", {"a": [1, True]}),
        ("[1", "[1"),
    ],
)
def test_values_are_those_of_other_clients(text: str, value: object) -> None:
    """Values are of YAML 1.1, but for dates, which stay texts."""
    assert yaml_file.value(text) == value


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ("inputs.x=24", "x", 24),
        ("inputs.x=hello there", "x", "hello there"),
        ("inputs.x=a=b", "x", "a=b"),
        ("inputs.new=0.5", "new", 0.5),
    ],
)
def test_values_are_set_from_outside(tmp_path: Path, given: str, key: str, value: object) -> None:
    """A value that is set is read as in the file, and may be new."""
    assert read(tmp_path, JOB, given).model.inputs[key] == value


def test_lists_are_set_from_outside(tmp_path: Path) -> None:
    """A place in a list is counted from 0; the one after the last is added."""
    text = JOB + "resources: {docker_args: [a, b]}\n"
    model = read(tmp_path, text, "resources.docker_args[1]=c", "resources.docker_args[2]=d").model
    assert model.resources.docker_args == ["a", "c", "d"]


def test_what_is_set_wrongly_says_so(tmp_path: Path) -> None:
    """The fault of a value from outside is told with --set in place of a line."""
    told = faults(
        tmp_path, JOB, "inputs.y.mode=mount", "command.x=1", "nothing", "limits.timeout=soon"
    )
    modes = "direct, download, eval_download, eval_mount, ro_mount (did you mean ro_mount?)"
    assert sorted(told) == [
        "--set command.x: command is the value 'echo ${{inputs.x}}', and has nothing within",
        f"--set inputs.y.mode: 'mount' is none of {modes}",
        "--set limits.timeout: is no whole number: 'soon'",
        "--set nothing: is not KEY.KEY=VALUE",
    ]


def test_every_fault_has_its_line(tmp_path: Path) -> None:
    """Faults are told at once, in the order of the lines, with the nearest names."""
    text = """\
comand: echo
environment:
inputs: {x: {path: data, typ: uri_file}}
tags: {a: 1}
limits: {timeout: soon}
tags: {b: c}
"""
    assert faults(tmp_path, text) == [
        "job.yml:1 comand: is not known (did you mean command?)",
        "job.yml:1 command is missing",
        "job.yml:2 environment: is empty",
        "job.yml:3 inputs.x.typ: is not known (did you mean type?)",
        "job.yml:5 limits.timeout: is no whole number: 'soon'",
        "job.yml:6 'tags' is said twice",
    ]


def test_aliases_are_read_and_bounded(tmp_path: Path) -> None:
    """Anchors, aliases and merges are read; one that holds itself, or a bomb, is refused."""
    text = "x-base: &base {image: python}\ncommand: echo\nenvironment: {<<: *base, name: own}\n"
    model = read(tmp_path, text).model
    assert (model.environment.image, model.environment.name) == ("python", "own")
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    for bomb in ("\n".join(lines), "a: &a [*a]"):
        with pytest.raises(InvalidJob, match="alias"):
            read(tmp_path, bomb)


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("$schema: https://example.org/commandComponent.schema.json\n", "component"),
        ("name: a\nimage: python\nconda_file: c.yml\n", "environment"),
        ("name: a\npath: ./x\ntype: uri_file\n", "data"),
        ("name: a\npath: ./x\ntype: mlflow_model\n", "model"),
        ("name: a\ntype: azure_blob\naccount_name: x\n", "datastore"),
        ("name: a\ntrigger: {}\ncreate_job: x.yml\n", "schedule"),
        ("name: a\ntype: command\ninputs: {x: {type: string}}\ncommand: echo\n", "component"),
    ],
)
def test_another_noun_is_told(tmp_path: Path, text: str, noun: str) -> None:
    """A file that is no job says what it is, and which command creates it."""
    with pytest.raises(InvalidJob, match="and no job") as refused:
        read(tmp_path, text)
    assert refused.value.hint.startswith(f"brinery {noun} create -f ")


def test_versions_are_texts(tmp_path: Path) -> None:
    """A version is a text, however it is written."""
    found = read(tmp_path, "name: a\nversion: 1\npath: ./x\n", noun=Noun.DATA)
    assert found.model.version == "1"


RIGHT = "command: echo\nenvironment: {image: python}\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf" + RIGHT.encode(), []),
        (RIGHT.replace("\n", "\r\n").encode() + b"colour: red\r\n", ["3 colour: is not known"]),
        (RIGHT.encode() + b"[a, b]: x\n", ["3 a key is a text, and neither a list nor a mapping"]),
        (RIGHT.encode() + b"3: x\n~: y\n", ["3 3: is not known", "4 ~: is not known"]),
        (
            b"command: !mine x\nenvironment: !!set {image}\n",
            ["1 the tag !mine is not read", "2 the tag !!set is not read"],
        ),
        (b"environment:\n  <<: [{image: a}, {image: b}]\ncommand: echo\n", []),
    ],
    ids=["mark", "carriage returns", "key", "plain keys", "tags", "merges"],
)
def test_odd_files_are_read_or_told(tmp_path: Path, content: bytes, said: list[str]) -> None:
    """What other programs write is read; what is no plain value is told with its line."""
    (tmp_path / "job.yml").write_bytes(content)
    found = job_yaml.read(tmp_path / "job.yml").found.told()
    lines = [one.partition("job.yml:")[2] for one in found]
    assert [one for one in lines if "image" not in one] == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"- command: echo\n", "1 is a list, where keys and values are expected"),
        (b"hello\n", "1 is the value 'hello', where keys and values are expected"),
        (b"command: echo\n\tenvironment: x\n", ":2: no YAML: found a tab character"),
        (b"command: echo\n---\ncommand: two\n", ":2: no YAML: but found another document"),
        (b"command: echo\nb: \x07\n", ":2: no YAML: the character U+0007 is not allowed"),
        ("command: é\n".encode("latin-1"), "is not text in UTF-8"),
        ("command: echo\n".encode("utf-16"), "is not text in UTF-8"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "is no YAML: it is nested too deeply"),
        (b"a: *nope\n", ":1: no YAML: found undefined alias"),
        (b"a:\n  <<: 3\n", "line 2: << takes a mapping"),
        (b"a: '" + b"x" * 1_000_001 + b"'", "is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_file_of_ours_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    """One sentence says what is wrong with the whole of it."""
    file = tmp_path / "job.yml"
    file.write_bytes(content)
    with pytest.raises(InvalidJob) as refused:
        job_yaml.read(file)
    assert said in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("kind", ["automl", "spark", "data_transfer"])
def test_a_type_that_is_run_elsewhere_is_one_fault(tmp_path: Path, kind: str) -> None:
    """Its fields are of a kind that nobody knows here, and are not told one by one."""
    text = f"description: x\ntype: {kind}\ntask: classification\nprimary_metric: accuracy\n"
    with pytest.raises(InvalidJob) as refused:
        read(tmp_path, text)
    said = refused.value.message.partition("job.yml")[2]
    assert said == f":2 type: jobs of type {kind} are not run here, but command, pipeline, sweep"


def test_a_step_is_no_job(tmp_path: Path) -> None:
    """What is parallel is a step of a pipeline."""
    assert "there is no job of type 'parallel'" in faults(tmp_path, "type: parallel\ntask: {}\n")[0]
