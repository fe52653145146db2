"""What environments come to: conda files, requirements, Dockerfiles, curated names, old pins."""

from __future__ import annotations

import pytest

from brinery.errors import SettingsError
from brinery.specs import job_settings, job_software, software_names
from brinery.specs.job_software import Wanted
from brinery.specs.software_names import Table

FILES = {
    "requirements.txt": "pandas==1.3.3  # old\n--extra-index-url https://host/simple\n-rmore.txt",
    "more.txt": "lightgbm~=4.5 ; python_version > '3.8'\n",
    "env.yml": "dependencies: [python=3.9, {pip: [shap]}]\n",
}


def read(name: str) -> str | None:
    return FILES.get(name.rpartition("/")[2])


def conda(*lines: str) -> Wanted:
    text = "dependencies:\n" + "".join(f"- {line}\n" for line in lines)
    return job_software.of_conda(text, where="conda.yml", read=read)


def test_a_conda_file() -> None:
    """Its own packages and those of pip, its Python, files that it names and where pip looks."""
    wanted = conda(
        "python=3.8.10", "pip=21", "conda-forge::scikit-learn=0.24.2=py38_0", "numpy==1.21.4",
        "pandas>=1.1,<1.3", "openmpi=4", "{pip: [-r requirements.txt, 'mlflow[extras]>=1.2']}",
    )  # fmt: skip
    assert wanted.packages == (
        *("scikit-learn==0.24.2.*", "numpy==1.21.4", "pandas<1.3,>=1.1", "pandas==1.3.3"),
        *('lightgbm~=4.5; python_version > "3.8"', "mlflow[extras]>=1.2"),
    )
    assert wanted.python == "3.8"
    assert wanted.options == ("--extra-index-url https://host/simple",)
    assert wanted.changes == ("openmpi=4: left out, it is no package of Python",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channels: [defaults]", "has no list of dependencies"),
        ("dependencies: [", "is not valid YAML"),
        ("dependencies: [{pip: ['== 3']}]", "is no requirement of a package"),
        ("dependencies: [{pip: ['-r nope.txt']}]", "names nope.txt, which is not there"),
    ],
    ids=["no list", "no YAML", "no requirement", "no file"],
)
def test_a_conda_file_that_is_wrong(text: str, said: str) -> None:
    """One sentence says what is wrong with it."""
    with pytest.raises(SettingsError) as caught:
        job_software.of_conda(text, where="conda.yml", read=read)
    assert said in caught.value.message


def test_a_dockerfile() -> None:
    """What its pip and conda lines install, whatever they are joined with, and what it sets."""
    text = """
# The image
FROM --platform=linux/amd64 python:3.9-slim AS built
ARG VERSION=1.5.3
ENV MODE=fast NAME="a b"
COPY requirements.txt /tmp/
RUN apt-get update && apt-get install -y git && \\
    pip3 install --no-cache-dir -U pip -r /tmp/requirements.txt --find-links https://host
RUN ["python", "-m", "pip", "install", "pandas==${VERSION}"]
RUN conda env update -f env.yml ; pip install . 'scipy<2' -c limits.txt
"""
    wanted = job_software.of_dockerfile(text, where="Dockerfile", read=read)
    assert wanted.packages == (
        *("pip", "pandas==1.3.3", 'lightgbm~=4.5; python_version > "3.8"'),
        *("pandas==1.5.3", "shap", "scipy<2"),
    )
    assert wanted.variables == {"MODE": "fast", "NAME": "a b"}
    assert wanted.options == ("--extra-index-url https://host/simple", "--find-links https://host")
    assert wanted.changes == (
        "apt-get install -y git: not done here",
        "pip install .: left out, it is not from a registry",
    )


def test_a_curated_name_in_each_of_its_forms() -> None:
    """The registry's address, the old name and the image mean one environment."""
    forms = (
        "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        "azureml://registries/azureml/environments/sklearn-1.5/versions/3",
        "azureml:AzureML-sklearn-1.5@latest",
        "AzureML-sklearn-1.5",
        "mcr.microsoft.com/azureml/curated/sklearn-1.5:12",
    )
    found = [job_software.curated(form) for form in forms]
    assert all(each == found[0] for each in found)
    assert found[0] is not None
    assert {"scikit-learn~=1.5.0", "pandas~=1.5.3"} <= set(found[0].packages)
    assert job_software.curated("azureml:mine:1") is None


def test_old_pins_that_mean_something_else_now() -> None:
    """What Python has is left out, what has another name gets it; each change is told."""
    wanted = Wanted(
        ("sklearn==0.0", "pathlib2==2.3.6", "argparse==1.4.0", "azureml-mlflow==1.39.0",
         "azureml-core", "numpy==1.18.5", "pip==21"),
    )  # fmt: skip
    found = job_software.relaxed(wanted)
    assert found.packages == ("scikit-learn", job_software.MLFLOW, "numpy==1.18.5")
    assert [line.partition(":")[0] for line in found.changes] == [
        *("sklearn==0.0", "pathlib2==2.3.6", "argparse==1.4.0", "azureml-mlflow==1.39.0"),
        "azureml-core",
    ]
    assert "pathlib2==2.3.6" in job_software.relaxed(wanted, imported=["pathlib2"]).packages


def test_mlflow_that_is_imported_and_not_declared() -> None:
    """It is added, and that is told; where it is declared nothing is."""
    added = job_software.relaxed(Wanted(("numpy",)), imported=["mlflow"])
    assert added.packages == ("numpy", job_software.MLFLOW)
    assert "added" in added.changes[0]
    named = Wanted(("mlflow==2.17.2",))
    assert job_software.relaxed(named, imported=["mlflow"]) == named


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("numpy==1.18.5", "1.18.5"),
        ("numpy==1.18.*", "1.18"),
        ("numpy~=1.5", "1.5"),
        ("numpy>=1.5,<2", "1.5"),
        ("numpy>=1.5", ""),
        ("numpy", ""),
        ("numpy @ https://host/numpy.whl", ""),
    ],
)
def test_what_is_pinned(line: str, version: str) -> None:
    """A requirement that the newest release may meet holds nothing back."""
    assert job_software.pinned(line) == version


def test_the_table_of_environments() -> None:
    """It may name any form, whatever its case; one of no meaning is a fault with an example."""
    table: Table = {"SKLEARN-1.5": ["scikit-learn==1.6.1"], "org/image": "current"}
    curated = "azureml:AzureML-sklearn-1.5@latest"
    assert software_names.mapped(table, curated) == ["scikit-learn==1.6.1"]
    assert software_names.mapped(table, "", "org/image:3") == "current"
    assert software_names.mapped(table, "azureml:other:1", "") is None
    faults = job_settings.faults(
        {"environments": {"map": {"a": "current", "b": "numpy", "c": [1]}, "mpa": 1}}, where="F"
    )
    assert [fault.split(": ")[1:3] for fault in faults] == [
        ["environments.mpa is not a setting", "did you mean environments.map?"],
        *(["environments.map", f'{name} is neither a list of requirements nor "current"']
          for name in "bc"),
    ]  # fmt: skip


def test_images_that_hold_nothing_but_a_system() -> None:
    """They are known by name; the Python that a tag states is read."""
    plain = ("python", "docker.io/python:3.8", "library/python:latest", "ubuntu:22.04")
    assert all(software_names.is_plain(image) for image in plain)
    assert software_names.is_plain("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest")
    assert not software_names.is_plain("org/python-and-more")
    assert software_names.python_of("docker.io/python:3.8.5-slim") == "3.8"
    assert software_names.python_of("ubuntu:22.04") == ""
