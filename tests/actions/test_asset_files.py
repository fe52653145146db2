"""Assets from their files: what is registered does not change with the files that it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brinery.actions.asset_answers import asset_answer
from brinery.actions.asset_rooms import open_asset_rooms
from brinery.actions.assets import (
    archive_asset,
    asset,
    assets,
    create_asset,
    datastores,
    forget_datastore,
    update_asset,
)
from brinery.errors import DataFileMissing, InvalidJob, InvalidReference, NotFound
from brinery.records.asset import AssetKind

_COMPONENT = """\
name: count
type: command
inputs:
  table: {type: uri_file}
outputs:
  lines: {type: uri_file}
code: ./src
additional_includes: [shared/words.txt]
environment:
  image: python
  conda_file: env/conda.yml
command: python count.py ${{inputs.table}} ${{outputs.lines}}
"""
_PIPELINE = """\
name: twice
type: pipeline
inputs:
  table: {type: uri_file}
jobs:
  first:
    type: command
    component: ./count.yml
    inputs: {table: "${{parent.inputs.table}}"}
  second:
    type: command
    command: cat ${{inputs.fixed}}
    environment: azureml:small@latest
    inputs:
      fixed: {type: uri_file, path: shared/words.txt}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a component, a pipeline of it, and all that they name."""
    for name, text in {
        "count.yml": _COMPONENT,
        "twice.yml": _PIPELINE,
        "src/count.py": "print(1)\n",
        "src/debug.log": "x\n",
        "src/.amlignore": "*.log\n",
        "shared/words.txt": "words\n",
        "env/conda.yml": "name: e\ndependencies:\n- pip:\n  - -r wanted.txt\n",
        "env/wanted.txt": "pandas\n",
        "docker/Dockerfile": "FROM python:3.11\n",
        "data/a.csv": "1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "w").mkdir()
    return tmp_path


def _create(kind: AssetKind, files: Path, yaml: str = "", **said: Any) -> dict[str, Any]:
    file = files / yaml if yaml else None
    made = create_asset(kind, file, workspace=files / "w", **said)
    return asset_answer(made.asset, workspace=files / "w")


def test_a_component_is_copied_with_all_that_it_names(files: Path) -> None:
    """Its code without what is ignored, its includes, its conda file and that file's own."""
    told = _create(AssetKind.COMPONENT, files, "count.yml", sets=["description=counts"])
    assert (told["name"], told["version"], told["id"]) == ("count", "1", "azureml:count:1")
    assert told["description"] == "counts"
    (files / "src" / "count.py").write_text("print(2)\n")
    (files / "env" / "wanted.txt").write_text("numpy\n")
    catalog = open_asset_rooms(files / "w").catalog
    found = catalog.component("azureml:count@latest")
    assert found is not None
    assert (found.folder / found.declared["code"] / "count.py").read_text() == "print(1)\n"
    assert not (found.folder / "code" / "debug.log").exists()
    conda = found.folder / found.declared["environment"]["conda_file"]
    assert (conda.parent / "wanted.txt").read_text() == "pandas\n"
    assert (found.folder / found.declared["additional_includes"][0]).read_text() == "words\n"
    again = _create(AssetKind.COMPONENT, files, "count.yml")
    assert again["version"] == "2"
    assert again["digest"] != told["digest"]


def test_a_pipeline_component_holds_its_components(files: Path) -> None:
    """The component of a step, and the data that a step names, are in the copy."""
    _create(AssetKind.COMPONENT, files, "twice.yml")
    (files / "count.yml").unlink()
    (files / "shared" / "words.txt").unlink()
    found = open_asset_rooms(files / "w").catalog.component("twice:1")
    assert found is not None
    first, second = found.declared["jobs"]["first"], found.declared["jobs"]["second"]
    assert (found.folder / first["component"]).is_file()
    assert (found.folder / second["inputs"]["fixed"]["path"]).read_text() == "words\n"
    assert second["environment"] == "azureml:small@latest"


def test_the_name_of_a_component_is_checked_when_it_is_registered(files: Path) -> None:
    """Small letters, digits and underscores; the hint has a name that will do."""
    with pytest.raises(InvalidReference) as caught:
        _create(AssetKind.COMPONENT, files, "count.yml", name="r-iris-example")
    assert caught.value.hint == "--name r_iris_example"


def test_a_component_is_checked_when_it_is_registered(files: Path) -> None:
    """Every fault of it is told at once, and nothing is registered."""
    (files / "wrong.yml").write_text(
        "name: r-iris\ncommand: echo ${{inputs.m}}\nenvironment: {image: python}\n"
        "inputs: {n: {type: integer, default: abc}}\n"
    )
    with pytest.raises(InvalidJob) as caught:
        _create(AssetKind.COMPONENT, files, "wrong.yml")
    for told in ("r-iris", "inputs.m", "'abc' is no integer"):
        assert told in caught.value.message
    with pytest.raises(InvalidJob, match="'abc' is no integer"):
        _create(AssetKind.COMPONENT, files, "wrong.yml", name="fine")
    assert assets(AssetKind.COMPONENT, workspace=files / "w") == []


def test_an_environment_keeps_its_definition(files: Path) -> None:
    """A conda file as text, a build context as a copy with its Dockerfile."""
    (files / "small.yml").write_text("name: small\nimage: python\nconda_file: env/conda.yml\n")
    (files / "built.yml").write_text("name: built\nbuild: {path: docker}\n")
    small = _create(AssetKind.ENVIRONMENT, files, "small.yml")
    assert small["conda_file"]["dependencies"] == [{"pip": ["-r wanted.txt"]}]
    _create(AssetKind.ENVIRONMENT, files, "built.yml")
    (files / "docker" / "Dockerfile").unlink()
    catalog = open_asset_rooms(files / "w").catalog
    software = catalog.environment("small@latest")
    assert software is not None
    assert (software.reference, software.image) == ("small:1", "python")
    assert (Path(software.context) / "wanted.txt").is_file()
    built = catalog.environment("azureml:built:1")
    assert built is not None
    assert built.dockerfile == "FROM python:3.11\n"
    assert catalog.environment("none") is None


def test_data_are_copied_and_addresses_are_not(files: Path) -> None:
    """A file's type is told where none is said; what is elsewhere stays there."""
    kept = _create(AssetKind.DATA, files, name="a", path=str(files / "data" / "a.csv"))
    assert kept["type"] == "uri_file"
    (files / "data" / "a.csv").write_text("2\n")
    assert Path(kept["path"]).read_text() == "1\n"
    far = _create(AssetKind.DATA, files, name="far", path="https://host/x/", type="uri_folder")
    assert far["path"] == "https://host/x/"
    with pytest.raises(DataFileMissing, match=r"there is no .*none\.csv"):
        _create(AssetKind.DATA, files, name="b", path=str(files / "none.csv"))
    with pytest.raises(InvalidReference, match="has no path"):
        _create(AssetKind.DATA, files, name="b")
    (files / "wrong.yml").write_text("name: b\npath: ./data\ntpye: uri_folder\n")
    with pytest.raises(InvalidJob, match=r"wrong\.yml:3 tpye: is not known \(did you mean type"):
        _create(AssetKind.DATA, files, "wrong.yml")


def test_what_is_said_of_an_asset_can_be_changed(files: Path) -> None:
    """Tags, a label and archiving; lists leave out what is archived."""
    where: dict[str, Any] = {"workspace": files / "w"}
    for _ in range(2):
        _create(AssetKind.MODEL, files, name="m", path=str(files / "data"))
    said = update_asset(AssetKind.MODEL, "m", sets=["tags.x=y"], version="1", label="prod", **where)
    assert (said.tags, said.labels, said.type) == ({"x": "y"}, ("prod",), "custom_model")
    assert asset(AssetKind.MODEL, "m", label="prod", **where).version == "1"
    with pytest.raises(InvalidJob, match="what is in a version never changes"):
        update_asset(AssetKind.MODEL, "m", sets=["path=x"], **where)
    archive_asset(AssetKind.MODEL, "m", version="2", **where)
    assert [one.version for one in assets(AssetKind.MODEL, name="m", **where)] == ["1"]
    archive_asset(AssetKind.MODEL, "m", version="2", restored=True, **where)
    assert [one.version for one in assets(AssetKind.MODEL, name="m", **where)] == ["2", "1"]
    assert open_asset_rooms(files / "w").catalog.exists("model", "azureml:m:1") is True


def test_a_datastore_of_a_file_is_a_name_for_an_address(files: Path) -> None:
    """That of another's storage, a folder beside the file, and brinery.toml goes before both."""
    (files / "blob.yml").write_text(
        "name: blob\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n"
    )
    (files / "near.yml").write_text("name: near\ntype: local\nuri: ./data\n")
    _create(AssetKind.DATASTORE, files, "blob.yml")
    told = _create(AssetKind.DATASTORE, files, "near.yml")
    assert told["uri"] == str(files / "data")
    assert datastores(workspace=files / "w")["blob"] == "wasbs://c@a.blob.core.windows.net"
    found = open_asset_rooms(files / "w").data.resolve("azureml://datastores/near/paths/a.csv")
    assert found.read_text() == "1\n"
    (files / "w" / "brinery.toml").write_text('[datastores]\nnear = "elsewhere"\n')
    assert datastores(workspace=files / "w")["near"] == str(files / "w" / "elsewhere")
    forget_datastore("blob", workspace=files / "w")
    with pytest.raises(NotFound):
        forget_datastore("blob", workspace=files / "w")
