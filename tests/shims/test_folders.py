"""`dataiku.Folder`: files of a managed folder, and what is read in a pickle before it is loaded."""

from __future__ import annotations

import io
import json
import os
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import pytest
import sklearn
from sklearn.dummy import DummyClassifier
from tests.shims.conftest import Shimmed

from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.projects import create_project


@pytest.fixture(scope="module")
def folder(shimmed: Shimmed) -> Any:
    """The default folder; tests write to it under names of their own."""
    return shimmed.dataiku.Folder("")


def test_an_empty_id_means_the_default_folder(
    shimmed: Shimmed, folder: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every empty id is the same folder, by its name and id too; that is said once a process."""
    assert shimmed.dataiku.Folder("").get_id() == folder.get_id()
    assert shimmed.dataiku.Folder("default").get_id() == folder.get_id()
    assert shimmed.dataiku.Folder(folder.get_id()).get_name() == "default"
    assert capfd.readouterr().err.count("default-folder") <= 1
    assert len(folder.get_id()) == 8


def test_files(folder: Any) -> None:
    """Files are written whole, listed, read once, and removed, with or without a slash before."""
    with folder.get_writer("/a/one.txt") as writer:
        writer.write(b"first\n")
        writer.write("second\n")
        assert "/a/one.txt" not in folder.list_paths_in_partition()
    folder.upload_stream("a/two.bin", io.BytesIO(b"\0" * 3_000_000))
    folder.upload_data("a/three", "text")
    assert {"/a/one.txt", "/a/two.bin", "/a/three"} <= set(folder.list_paths_in_partition())
    with folder.get_download_stream("a/one.txt") as stream:
        assert not stream.seekable()
        assert stream.readline() == b"first\n"
        assert stream.read() == b"second\n"
    details = folder.get_path_details("/a")
    assert details["directory"]
    assert {one["name"]: one["size"] for one in details["children"]}["two.bin"] == 3_000_000
    assert not folder.get_path_details("/b")["exists"]
    assert os.path.exists(folder.file_path("a/one.txt"))  # noqa: PTH110 - as scripts do
    folder.delete_path("a")
    assert not [one for one in folder.list_paths_in_partition() if one.startswith("/a/")]


def test_a_writer_that_fails_leaves_the_old_file(folder: Any) -> None:
    """Nothing of a block that raised is there."""
    folder.write_json("kept.json", {"n": 1})
    writer = folder.get_writer("kept.json")
    writer.write(b"half")
    with pytest.raises(RuntimeError), writer:
        raise RuntimeError
    assert folder.read_json("kept.json") == {"n": 1}


def test_what_is_known_of_a_folder(folder: Any) -> None:
    """Its id, name, place and counts."""
    folder.write_json("counted.json", [1])
    known = folder.get_info()
    assert (known["id"], known["projectKey"]) == (folder.get_id(), folder.project_key)
    assert known["accessInfo"]["root"] == folder.get_path()
    assert json.dumps(known)
    assert folder.get_last_metric_values()["basic:COUNT_FILES"] >= 1


def test_a_folder_of_another_project(shimmed: Shimmed) -> None:
    """`PROJECT.id` means it, as on the platform; a dot may be in a name, too."""
    create_project(open_project_rooms(shimmed.workspace), "AFAR")
    project = shimmed.dataiku.api_client().get_project("AFAR")
    made = project.create_managed_folder("results")
    found = shimmed.dataiku.Folder(f"AFAR.{made.id}")
    assert (found.get_id(), found.project_key) == (made.id, "AFAR")
    assert found.get_name() == "results"
    shimmed.project.create_managed_folder("results v1.0")
    assert shimmed.dataiku.Folder("results v1.0").get_name() == "results v1.0"
    with pytest.raises(Exception, match="there is no folder results in"):
        shimmed.dataiku.Folder("results").get_id()


def test_what_is_not_there(shimmed: Shimmed, folder: Any) -> None:
    """A folder or a file that is not there is named when it is used; no path leads out of one."""
    missing = shimmed.dataiku.Folder("models")
    with pytest.raises(Exception, match="NotFoundException: there is no folder models"):
        missing.get_id()
    shimmed.project.create_managed_folder("models")
    assert missing.get_name() == "models"
    assert missing.name == f"{missing.project_key}.{missing.get_id()}"
    with pytest.raises(Exception, match=r"the folder has no file none\.txt"):
        folder.get_download_stream("none.txt")
    with pytest.raises(Exception, match="leads out of the folder"):
        folder.upload_data("../x", b"")
    with pytest.raises(NotImplementedError):
        folder.get_partition_folder("p")


def test_a_pickle_is_read_before_it_is_loaded(
    folder: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it holds, who wrote it and what it asks for is said; loading it is as ever."""
    with folder.get_writer("good.pkl") as writer:
        pickle.dump(DummyClassifier().fit([[0], [1]], [0, 1]), writer)
    with folder.get_download_stream("good.pkl") as stream:
        model = pickle.load(stream)  # noqa: S301, TID251 - as scripts do
    assert model.predict([[0]]).tolist() == [0]
    said = capfd.readouterr().err
    assert "pickle-check: good.pkl holds sklearn.dummy.DummyClassifier, written by" in said
    assert "it asks for " in said


class Runs:
    """Runs a program where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/never-to-be",)


def test_a_dangerous_pickle_is_not_loaded(folder: Any) -> None:
    """What would run a program is refused at its first name, and its bytes are still to be had."""
    with folder.get_writer("bad.pkl") as writer:
        pickle.dump(Runs(), writer)
    with folder.get_download_stream("bad.pkl") as stream:
        assert stream.read()
    refused = pytest.raises(Exception, match=r"bad.pkl is not loaded: it asks for .*system")
    with folder.get_download_stream("bad.pkl") as stream, refused:
        pickle.load(stream)  # noqa: S301, TID251 - as scripts do
    assert pickle.loads(pickle.dumps(len)) is len  # noqa: S301, TID251 - others load as ever


def test_a_copy_of_a_dangerous_pickle_is_not_loaded_either(folder: Any, tmp_path: Path) -> None:
    """By its path in the folder, by a copy of its bytes, by pickle or joblib: it is refused."""
    content = pickle.dumps([Runs()])
    folder.upload_data("worse.pkl", content)
    refused = pytest.raises(Exception, match=r"worse.pkl is not loaded: it asks for .*system")
    with open(folder.file_path("worse.pkl"), "rb") as stream, refused:  # noqa: PTH123 - as scripts do
        pickle.load(stream)  # noqa: S301, TID251 - as scripts do
    with refused:
        joblib.load(folder.file_path("worse.pkl"))  # noqa: TID251 - as scripts do
    copy = tmp_path / "copy.bin"
    with folder.get_download_stream("worse.pkl") as stream:
        copy.write_bytes(stream.read())
    with copy.open("rb") as stream, refused:
        pickle.load(stream)  # noqa: S301, TID251 - as scripts do
    with refused:
        joblib.load(copy)  # noqa: TID251 - as scripts do
    with refused:
        joblib.load(io.BytesIO(content))  # noqa: TID251 - as scripts do
    with refused:
        pickle.loads(content)  # noqa: S301, TID251 - as scripts do
    folder.upload_data("fine.joblib", _joblib([1, 2]))
    assert joblib.load(folder.file_path("fine.joblib")) == [1, 2]  # noqa: TID251 - as scripts do
    both = pickle.loads(pickle.dumps((pickle.loads, joblib.load)))  # noqa: S301, TID251 - as others do
    assert both == (pickle.loads, joblib.load)  # noqa: TID251 - the functions themselves


def test_an_unpickler_of_the_scripts_own_looks_first(
    folder: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """A class derived from pickle's, which looks names up itself, is told and refused as well."""
    content = pickle.dumps([Runs(), "own"])
    folder.upload_data("own.pkl", content)
    folder.upload_data("own-good.pkl", pickle.dumps([len]))
    refused = pytest.raises(Exception, match=r"own.pkl is not loaded: it asks for .*system")
    for base in (pickle.Unpickler, pickle._Unpickler):

        class Own(base):  # type: ignore[misc, valid-type] # either
            def find_class(self, module: str, name: str) -> Any:
                """Look a name up without asking pickle."""
                return getattr(import_module(module), name)

        with open(folder.file_path("own.pkl"), "rb") as stream, refused:  # noqa: PTH123 - as scripts do
            Own(stream)
        with refused:
            Own(io.BytesIO(content))
        with folder.get_download_stream("own.pkl") as stream, refused:
            Own(file=stream)
        with open(folder.file_path("own-good.pkl"), "rb") as stream:  # noqa: PTH123 - as scripts do
            assert Own(stream).load() == [len]
    assert "pickle-check: own-good.pkl holds" in capfd.readouterr().err
    assert pickle.loads(pickle.dumps(pickle.Unpickler)) is pickle.Unpickler  # noqa: S301, TID251 - as others do


def _joblib(value: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream)
    return stream.getvalue()


def test_a_pickle_of_another_release_is_not_loaded(folder: Any) -> None:
    """What cannot be loaded here is refused with the release to install."""
    content = pickle.dumps(DummyClassifier().fit([[0], [1]], [0, 1]))
    text = sklearn.__version__.encode()
    old = b"0." + text[2:] if len(text[2:]) else text
    assert content.count(text) == 1
    folder.upload_data("old.pkl", content.replace(text, old))
    refused = pytest.raises(Exception, match=r"old.pkl is not loaded: it was written by scikit-le")
    with folder.get_download_stream("old.pkl") as stream, refused:
        pickle.load(stream)  # noqa: S301, TID251 - as scripts do
