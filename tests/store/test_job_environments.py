"""The environments of jobs: found, built, overlaid; what a step installs is its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from brinery.errors import EnvironmentUnavailable, SettingsError
from brinery.records.plan import Software
from brinery.store.job_environments import JobEnvironments, Prepared, imports, overlay

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
# The pins of a data scientist's image of years ago.
OLD_IMAGE = """
FROM python:3.8.5
RUN pip install pathlib2==2.3.6 pandas==1.3.3 sklearn==0.0 numpy==1.18.5 \\
    azureml-mlflow==1.39.0 argparse==1.4.0
"""
JOKES = "dependencies: [python=3.8, pip, {pip: [pyjokes==0.8.3]}]"
BUILD = """
import sys
from pathlib import Path
from brinery.records.plan import Software
from brinery.store.job_environments import JobEnvironments
environments = JobEnvironments(Path(sys.argv[1]), table={})
print(environments.prepare(Software(image="i", conda=sys.argv[2])).packages)
print("brinery.store.job_building" in sys.modules)
"""
TIMEOUT_S = 300

Run = Callable[[Prepared, str], str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What a command of bash says in an overlay of its own."""
    folders = (tmp_path / f"overlay-{number}" for number in range(100))

    def said(prepared: Prepared, command: str) -> str:
        variables = overlay(prepared, next(folders), path=os.defpath)
        done = subprocess.run(
            [
                "env",
                *(f"{name}={value}" for name, value in variables.items()),
                "bash",
                "-ec",
                command,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return said


def test_an_image_that_holds_nothing(tmp_path: Path, run: Run) -> None:
    """It is our Python without its packages: nothing is built, and pip is there."""
    environments = JobEnvironments(tmp_path / "environments", table={})
    prepared = environments.prepare(Software(image="docker.io/python:latest"))
    assert not (tmp_path / "environments").exists()
    assert prepared.changes == ()
    said = run(
        prepared,
        "python -c 'import sys; print(sys.prefix != sys.base_prefix)'; command -v python pip; "
        "python3 -c 'import importlib.util as u; print(u.find_spec(\"msgspec\"))'; "
        "python -m pip --version",
    ).splitlines()
    assert said[0] == "True"
    assert all(str(tmp_path) in line for line in said[1:3])
    assert said[3] == "None"
    assert said[4].startswith("pip ")


def test_an_image_that_nobody_knows(tmp_path: Path) -> None:
    """It is our Python, too, and one line says what to write."""
    environments = JobEnvironments(tmp_path, table={})
    (told,) = environments.prepare(Software(image="org/tool:3")).changes
    assert '[environments.map] in brinery.toml says more: "org/tool:3" = ' in told


def test_the_current_environment(tmp_path: Path, run: Run) -> None:
    """Everything that is installed beside us is there, whatever a step declares."""
    asked = Software(image="x", conda="no conda file")
    for environments in (
        JobEnvironments(tmp_path, table={}, current=True),
        JobEnvironments(tmp_path, table={"X": "current"}),
    ):
        prepared = environments.prepare(asked)
        assert run(prepared, "python -c 'import brinery, msgspec; print(brinery.__file__)'")
    assert environments.definition(asked) != environments.definition(Software(image="y"))


def test_what_a_definition_depends_on(tmp_path: Path) -> None:
    """On each word, on the files that are named, and on the table; not on where it lies."""
    environments = JobEnvironments(tmp_path / "e", table={})
    folders = []
    for name, text in (("a", "numpy"), ("b", "numpy"), ("c", "pandas")):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        (folders[-1] / "requirements.txt").write_text(text)
    text = "dependencies: [{pip: ['-r requirements.txt']}]"
    first, same, other = (
        environments.definition(Software(image="i", conda=text, context=str(folder)))
        for folder in folders
    )
    assert first == same != other
    mapped = JobEnvironments(tmp_path / "e", table={"i": ["numpy"]})
    assert mapped.definition(Software(image="i", conda=text, context=str(folders[0]))) != first


def test_what_a_step_imports(tmp_path: Path) -> None:
    """Its command, its scripts and its notebooks are looked through for a few names."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import os\nfrom mlflow.sklearn import autolog\n")
    (tmp_path / "notes.txt").write_text("import pathlib2")
    assert imports(str(tmp_path), "") == ("mlflow",)
    assert imports("", "python -c 'import pathlib2'") == ("pathlib2",)
    assert imports("", "echo mlflow") == ()


def test_what_declares_it_cannot_be_read(tmp_path: Path) -> None:
    """The process that builds says so, in our words."""
    environments = JobEnvironments(tmp_path, table={})
    with pytest.raises(SettingsError) as caught:
        environments.prepare(Software(image="i", conda="channels: []"))
    assert caught.value.message == "the conda file has no list of dependencies"
    with pytest.raises(EnvironmentUnavailable) as missing:
        environments.prepare(Software(reference="azureml:mine:1"))
    assert missing.value.message == "there is no environment azureml:mine:1"


def test_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules of the folder that a job is begun in are nobody's but the job's."""
    (tmp_path / "yaml.py").write_text("raise RuntimeError('of the job')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="the conda file has no list of dependencies"):
        JobEnvironments(tmp_path, table={}).prepare(Software(image="i", conda="channels: []"))


@pytest.mark.slow
def test_killed_and_asked_for_by_two(tmp_path: Path, run: Run) -> None:
    """A killed build is never taken for one, though uv goes on; two at once make one."""
    folder = tmp_path / "environments"
    killed = builder(folder)
    until(lambda: any(folder.glob(".building-*/lib/python*/site-packages/*")), killed)
    killed.kill()
    assert killed.communicate()[0] == ""
    assert not list(folder.glob("jobs/*.json"))

    left = set(folder.glob(".building-*"))
    first = builder(folder)
    until(lambda: bool(set(folder.glob(".building-*")) - left), first)
    first.send_signal(signal.SIGSTOP)
    # It has nothing to build from.
    second = builder(folder, "UV_OFFLINE=1", f"UV_CACHE_DIR={tmp_path / 'nothing'}")
    until(lambda: any("..building-" in name for name in opened(second)), second)
    first.send_signal(signal.SIGCONT)
    both = [first, second]
    said = [process.communicate(timeout=TIMEOUT_S)[0].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said == [[said[0][0], "True"]] * 2

    prepared = JobEnvironments(folder, table={}).find(Software(image="i", conda=JOKES))
    assert prepared is not None
    assert prepared.packages == said[0][0]
    names = {path.name.partition("-")[0] for path in Path(prepared.packages).glob("*.dist-info")}
    assert names == {line.partition("==")[0] for line in prepared.lock}
    assert run(prepared, "python -c 'import pyjokes; print(pyjokes.__name__)'") == "pyjokes\n"
    # Found again, nothing of what builds is imported.
    assert builder(folder).communicate()[0].splitlines() == [said[0][0], "False"]


@pytest.mark.slow
def test_what_is_left_of_one(tmp_path: Path, run: Run) -> None:
    """One that lost its Python is built again in its place, and what a killed build left goes."""
    asked = Software(image="i", conda=JOKES)
    prepared = JobEnvironments(tmp_path, table={}).prepare(asked)
    (record,) = (tmp_path / "jobs").iterdir()
    record.unlink()
    place = Path(prepared.scripts).parent
    shutil.rmtree(place / "bin")
    (tmp_path / f".building-{record.stem}-left" / "lib").mkdir(parents=True)
    assert JobEnvironments(tmp_path, table={}).prepare(asked) == prepared
    assert (place / "bin" / "python").exists()
    assert run(prepared, "pyjoke > /dev/null; echo told") == "told\n"
    assert not list(tmp_path.glob(".building-*"))


@pytest.mark.slow
def test_a_step_installs_for_itself(tmp_path: Path, run: Run) -> None:
    """Its own release hides the shared one, programs included, and nothing shared is altered."""
    environments = JobEnvironments(tmp_path / "environments", table={})
    prepared = environments.prepare(Software(image="i", conda=JOKES))
    assert prepared.changes == (f"python=3.8: Python {MINOR} is used",)
    before = listed(Path(prepared.packages))
    show = (
        "python -c 'import importlib.metadata as m, pyjokes; "
        'print(m.version("pyjokes"), pyjokes.__file__)\''
    )
    said = run(
        prepared,
        f"{show}; command -v pyjoke; pip install -q 'pyjokes<0.7' 2>&1; {show}; "
        "python -m pip uninstall -qy wheel 2>&1; pyjoke > /dev/null; head -1 $(command -v pyjoke)",
    ).splitlines()
    shown = [line for line in said if str(tmp_path) in line]
    assert prepared.packages in shown[0]
    assert "/overlay-0/bin/pyjoke" in shown[1]
    assert next(line for line in shown if line.startswith("0.6")).endswith("__init__.py")
    assert "/overlay-0/bin/python" in shown[-1]
    assert listed(Path(prepared.packages)) == before
    assert run(prepared, show).split()[1].startswith(prepared.packages)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["git+file://{}@v1", "salty @ git+file://{}@v1"])
def test_a_package_of_a_repository(tmp_path: Path, run: Run, line: str) -> None:
    """It is built from its source, at the tag that is named."""
    source = tmp_path / "source"
    (source / "salty").mkdir(parents=True)
    (source / "salty" / "__init__.py").write_text("TASTE = 'salt'\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "salty"\nversion = "1.2"\n'
    )
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "x"), ("tag", "v1")):
        subprocess.run(["git", *words], cwd=source, check=True)
    environments = JobEnvironments(tmp_path / "environments", table={})
    conda = f"dependencies: [{{pip: ['{line.format(source)}']}}]"
    prepared = environments.prepare(Software(image="i", conda=conda))
    assert run(prepared, "python -c 'import salty; print(salty.TASTE)'") == "salt\n"


@pytest.mark.slow
def test_the_pins_of_an_old_image(tmp_path: Path, run: Run) -> None:
    """What has no wheel for this Python moves to the oldest series that has; each move is told."""
    environments = JobEnvironments(tmp_path, table={})
    asked = Software(dockerfile=OLD_IMAGE)
    prepared = environments.prepare(asked, imported=["mlflow"])
    told = {line.partition(":")[0]: line for line in prepared.changes}
    assert {"pandas==1.3.3", "numpy==1.18.5", "sklearn==0.0", "pathlib2==2.3.6"} <= set(told)
    assert "pandas>=1.5.0,==1.5.* is used" in told["pandas==1.3.3"]
    code = (
        "import argparse, json, pathlib, numpy, pandas, sklearn, mlflow;"
        "frame = pandas.DataFrame(); frame = frame.append({'a': 1.0}, ignore_index=True);"
        "print(json.dumps([pandas.__version__, numpy.__version__, float(frame.a[0])]))"
    )
    said = run(prepared, f'python -W ignore -c "{code}"')
    pandas, numpy, value = json.loads(said)
    assert pandas.startswith("1.5.")
    assert numpy.startswith("1.23.")
    assert value == 1.0
    # Another engine finds it, and builds nothing.
    again = JobEnvironments(tmp_path, table={})
    assert again.find(asked, imported=["mlflow"]) == prepared
    assert again.find(asked) is None


@pytest.mark.slow
def test_what_cannot_be_had(tmp_path: Path) -> None:
    """The requirement is named, and the table to write."""
    environments = JobEnvironments(tmp_path, table={})
    text = "dependencies: [python=3.7, {pip: [tensorflow==2.1, numpy]}]"
    with pytest.raises(EnvironmentUnavailable) as caught:
        environments.prepare(Software(image="org/deep:2", conda=text))
    assert "org/deep:2 cannot be had" in caught.value.message
    assert "tensorflow==2.1" in caught.value.message
    assert '[environments.map]: "org/deep" = ["tensorflow", "numpy"]' in caught.value.hint


def builder(folder: Path, *variables: str) -> subprocess.Popen[str]:
    """A process that asks for an environment, with more variables."""
    command = ["env", *variables, sys.executable, "-c", BUILD, str(folder), JOKES]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process makes while it runs."""
    end = time.monotonic() + TIMEOUT_S
    while not there():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)


def opened(process: subprocess.Popen[str]) -> list[str]:
    """The files that a process has open."""
    with suppress(OSError):
        return [str(path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
    return []


def listed(folder: Path) -> set[tuple[str, int]]:
    """Every file but what is compiled meanwhile, and its inode."""
    return {
        (str(path.relative_to(folder)), path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
