"""Job files of careless and of hostile people: one clear answer, soon, and nothing written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from brinery.actions.job_validate import validate_job
from brinery.errors import InvalidJob
from brinery.specs.expressions import references, render

HERE = "environment: {image: python}\n"
LONG = "a" * 300

# What a file says, and what is told of it.
FAULTS = {
    "x: &a [x, x]\ny: &b [*a, *a]\ncommand: [*b, *b]\n": "1 x: is not known",
    f"a: &a {'[' * 9}{'x,' * 9}{']' * 9}\n"
    + "".join(f"k{n}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 9}]\n" for n in range(9)): (
        "an alias (*name) makes too much of it"
    ),
    "&a\ncommand: *a\n": "an alias (*name) makes too much of it",
    f"command: {'[' * 5000}{']' * 5000}\n": "nested too deeply",
    "command: !!python/object/apply:os.system [touch evil]\n": (
        ":1 the tag !!python/object/apply:os.system is not read"
    ),
    'command: "a\\0b"\n': ":1 'a\\x00b' has the character U+0000",
    'environment_variables: {"A=B": x}\ncommand: "true"\n': "'A=B' is no name of a variable",
    "inputs: {a: !!int abc}\n": ":1 'abc' is no whole number that can be read",
    f"inputs: {{a: {'9' * 5000}}}\n": f":1 '{'9' * 40}…' is no whole number",
    "resources: {instance_count: true}\n": "resources.instance_count: is no whole number: True",
    f"inputs: {{i: {{path: {'x/' * 3000}}}}}\n": "inputs.i.path: there is nothing at x/x/",
    "inputs: {i: {type: uri_file, path: pipe}}\n": "pipe is neither a file nor a folder",
    "inputs: {i: {type: uri_file, path: /dev/zero}}\n": "/dev/zero is neither a file nor a folder",
    "inputs: {i: {path: data/**x}}\n": "no file matches data/**x",
    f"code: {LONG}\n": "code: there is no folder or file aaa",
    "code: loop\n": "code: there is no folder or file loop",
    f"outputs: {{{LONG}: {{}}}}\n": "a name has at most 200 characters",
    'outputs: {"../a": {}}\n': "outputs.../a: a name has letters, digits and _",
    "outputs: {o: {path: azureml://datastores/d/paths/../../evil}}\n": (
        "outputs.o.path: azureml://datastores/d/paths/../../evil has .., which leads out"
    ),
    "inputs: {i: {path: azureml://datastores/d/paths/../../evil}}\n": (
        "inputs.i.path: azureml://datastores/d/paths/../../evil has .., which leads out"
    ),
    "name: ../../evil\n": "'../../evil' is no name of a job",
    "command: echo ${{inputs.\n": "command: ${{ is not ended by }}",
    f"command: {'${{' * 20_000}\n": "command: ${{ is not ended by }}",
    "environment: {image: x, conda_file: bad.yml}\n": "bad.yml is not valid YAML",
    "environment: {image: x, conda_file: {dependencies: [{pip: 3}]}}\n": "has pip: 3",
    "environment: {image: x, conda_file: {dependencies: [[a]]}}\n": "where a text is expected",
    "type: pipeline\njobs: {a: {command: x, outputs: {../x: }}}\n": "jobs.a.outputs.../x: a name",
    f"type: pipeline\njobs: {{{LONG}: {{command: x}}}}\n": "at most 200 characters",
    'type: pipeline\njobs: {a: {component: {command: x, outputs: {"../x": {type: uri_file}}}}}\n': (
        "outputs.../x: a name has no slash"
    ),
    f"type: pipeline\njobs: {{a: {{component: ./{LONG}.yml}}}}\n": "there is no file ./aaa",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a pipe, and a link to itself, in it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "brinery.toml").touch()
    (folder / "loop").symlink_to("loop")
    (folder / "bad.yml").write_text("a: [\n")
    os.mkfifo(folder / "pipe")
    with chdir(folder):
        yield folder


@pytest.mark.parametrize(("text", "told"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_is_told(folder: Path, text: str, told: str) -> None:
    """What is wrong is told with its file; nothing is run or written."""
    file = folder / "job.yml"
    stated = {line.partition(":")[0] for line in text.splitlines()}
    more = {"command": 'command: "true"\n', "environment": HERE}
    text += "".join(line for key, line in more.items() if not {key, "type"} & stated)
    file.write_text(text)
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(InvalidJob) as caught:
        validate_job(file)
    assert told in caught.value.message
    assert "job.yml" in caught.value.message
    assert {path.name for path in folder.iterdir()} - {".brinery"} == before - {".brinery"}


def test_what_never_ends_is_looked_at_once() -> None:
    """Expressions and blocks that begin many times and never end take no square of the time."""
    assert references("$[[${{" * 1000) == []
    assert [one.text for one in references("a ${{b}} ${{ c ${{")] == ["${{b}}"]
    # Four times as many would take sixteen times as long.
    assert _took(200_000) < 10 * _took(50_000)


def _took(count: int) -> float:
    """The processor time of one that begins so many times, the least of three."""
    text = "$[[${{" * count
    found = []
    for _ in range(3):
        began = time.process_time()
        assert render(text, {}) == text
        found.append(time.process_time() - began)
    return min(found)
