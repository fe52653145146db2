"""Data paths: from any address of a job file to what lies on this machine, and back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from brinery.errors import DataFileMissing, DataUnreachable, NotFound
from brinery.records.asset import Asset, AssetKind
from brinery.records.job import Made
from brinery.records.plan import Data, DataType
from brinery.store.data_paths import DataPaths, read_maps
from brinery.store.job_data import JobData
from brinery.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with one file in its default datastore."""
    found = Workspace(tmp_path)
    found.prepare()
    place = found.datastores / "workspaceblobstore" / "in"
    place.mkdir(parents=True)
    (place / "x.csv").write_text("1\n")
    return found


def _paths(
    workspace: Workspace, *, datastores: dict[str, str] | None = None, maps: tuple[str, ...] = ()
) -> DataPaths:
    mapped = read_maps(maps, base=workspace.root)
    return DataPaths(workspace, datastores=datastores or {}, mapped=mapped)


def test_a_datastore_is_a_name_for_a_folder(workspace: Workspace) -> None:
    """The default is in the workspace; brinery.toml names others, and one may be in another."""
    (workspace.root / "all").mkdir()
    (workspace.root / "all" / "y.csv").write_text("2\n")
    inner = "azureml://datastores/workspaceblobstore/paths/in"
    paths = _paths(workspace, datastores={"full": "all", "inner": inner})
    assert paths.resolve(f"{inner}/x.csv").read_text() == "1\n"
    assert paths.resolve("azureml://datastores/full/paths/y.csv").read_text() == "2\n"
    assert paths.resolve("azureml://datastores/inner/paths/x.csv").read_text() == "1\n"
    assert list(paths.datastores()) == ["full", "inner", "workspaceblobstore"]
    with pytest.raises(NotFound, match="did you mean full") as caught:
        paths.resolve("azureml://datastores/ful/paths/y.csv")
    assert "[datastores]" in caught.value.hint
    with pytest.raises(DataFileMissing, match="there is nothing at azureml://datastores/full"):
        paths.resolve("azureml://datastores/full/paths/z.csv")


def test_a_map_stands_for_the_longest_beginning_of_an_address(workspace: Workspace) -> None:
    """A file for a file, a folder for all below it, also where a datastore is elsewhere."""
    (workspace.root / "near" / "deep").mkdir(parents=True)
    (workspace.root / "near" / "a.csv").write_text("a")
    (workspace.root / "near" / "deep" / "b.csv").write_text("b")
    (workspace.root / "own.csv").write_text("own")
    maps = (
        "https://host/data=near",
        "https://host/data/own.csv?sv=1&sig=x=own.csv",
        "wasbs://c@a.blob.core.windows.net=near",
    )
    store = {"cloud": "wasbs://c@a.blob.core.windows.net/deep"}
    paths = _paths(workspace, datastores=store, maps=maps)
    assert paths.resolve("https://host/data/a.csv").read_text() == "a"
    assert paths.resolve("https://host/data/own.csv?sv=1&sig=x").read_text() == "own"
    assert paths.resolve("wasbs://c@a.blob.core.windows.net/deep/b.csv").read_text() == "b"
    assert paths.resolve("azureml://datastores/cloud/paths/b.csv").read_text() == "b"
    with pytest.raises(DataUnreachable, match="no URL=PATH"):
        read_maps(("near",), base=workspace.root)
    for uri in ("wasbs://other@a.blob.core.windows.net/x", "adl://s.azuredatalakestore.net/x"):
        with pytest.raises(DataUnreachable) as caught:
            paths.resolve(uri)
        assert f"--map {uri}=PATH" in caught.value.hint


def test_what_a_job_and_an_asset_left_is_found(workspace: Workspace) -> None:
    """An output by the job's name, an asset by its version or label, a part of each by its path."""
    output = workspace.jobs / "j" / "named-outputs" / "model"
    output.mkdir(parents=True)
    (output / "m.pkl").write_text("m")
    paths = _paths(workspace)
    assert paths.resolve("azureml://jobs/j/outputs/model/paths/m.pkl").read_text() == "m"
    with pytest.raises(NotFound, match="no output modl: its outputs are model"):
        paths.resolve("azureml://jobs/j/outputs/modl")
    with pytest.raises(NotFound, match="there is no job k"):
        paths.resolve("azureml://jobs/k/outputs/model")
    made = Asset(
        kind=AssetKind.DATA,
        name="d",
        version="",
        created=datetime.now(UTC),
        address="azureml://jobs/j/outputs/model",
    )
    paths.assets.create(made)
    assert paths.resolve("azureml:d:1") == output
    assert paths.resolve("azureml:d@latest") == output
    with pytest.raises(NotFound, match="the data d has no version 2"):
        paths.resolve("azureml:d:2")
    with pytest.raises(DataUnreachable, match="which is not here"):
        paths.resolve("azureml://registries/r/data/x/versions/1")


class _Server(BaseHTTPRequestHandler):
    """Serves one file with an entity tag, and counts what it sent."""

    sent = 0
    content = b"x\n1\n"

    def do_GET(self) -> None:
        """Answer."""
        tag = f'"{len(self.content)}"'
        if self.path != "/iris.csv":
            self.send_error(404)
            return
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return
        _Server.sent += 1
        self.send_response(200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Return the address of a server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_file_of_the_web_is_downloaded_once_and_kept(
    workspace: Workspace, web: tuple[str, ThreadingHTTPServer]
) -> None:
    """An unchanged file is asked about and not sent; without its server the copy stands for it."""
    url, server = web
    told: list[str] = []
    paths = DataPaths(workspace, datastores={}, mapped={}, note=told.append)
    first = paths.resolve(f"{url}/iris.csv")
    assert first.name == "iris.csv"
    assert first.read_bytes() == _Server.content
    sent = _Server.sent
    assert paths.resolve(f"{url}/iris.csv") == first
    assert _Server.sent == sent
    with pytest.raises(DataUnreachable, match="answered 404"):
        paths.resolve(f"{url}/other.csv")
    server.shutdown()
    server.server_close()
    assert paths.resolve(f"{url}/iris.csv") == first
    assert "the copy of before is used" in told[0]
    with pytest.raises(DataUnreachable, match="cannot be downloaded") as caught:
        paths.resolve(f"{url}/new.csv")
    assert caught.value.hint.startswith("--map")


def test_what_fsspec_reaches_is_read_and_written(workspace: Workspace) -> None:
    """A folder elsewhere is fetched once per change; outputs go where their datastore is."""
    far = fsspec.filesystem("memory")
    far.pipe({"/store/in/a.csv": b"a", "/store/in/b/c.csv": b"c"})
    try:
        paths = _paths(workspace, datastores={"far": "memory://store"})
        found = paths.resolve("azureml://datastores/far/paths/in")
        assert (found / "b" / "c.csv").read_text() == "c"
        assert paths.resolve("azureml://datastores/far/paths/in") == found
        far.pipe({"/store/in/a.csv": b"aaa"})
        assert (paths.resolve("azureml://datastores/far/paths/in") / "a.csv").read_text() == "aaa"
        with pytest.raises(DataUnreachable, match="there is nothing at"):
            paths.resolve("azureml://datastores/far/paths/none")
        data = JobData(paths, staging=workspace.state / "staging")
        uri = "azureml://datastores/far/paths/out/model"
        place = Path(data.destination(uri))
        place.mkdir(parents=True)
        (place / "m.txt").write_text("m")
        data.stored(uri, str(place))
        assert far.cat("/store/out/model/m.txt") == b"m"
        local = data.destination("azureml://datastores/workspaceblobstore/paths/out")
        assert local == str(workspace.datastores / "workspaceblobstore" / "out")
        assert data.resolve(Data(uri="azureml://datastores/far/paths/in")).endswith("/in")
    finally:
        far.rm("/store", recursive=True)


def test_an_output_becomes_a_data_asset_once(workspace: Workspace, tmp_path: Path) -> None:
    """A job that is resumed registers nothing twice; another job's is the next version."""
    output = tmp_path / "out"
    output.mkdir()
    (output / "x.txt").write_text("x")
    made = Made(content="abc", path=str(output), file=False, size_bytes=1, files=1)
    paths = _paths(workspace)
    data = JobData(paths, staging=workspace.state / "staging")
    kind = DataType.FOLDER
    assert data.register_data("d", "", made=made, kind=kind, job="one") == "1"
    assert data.register_data("d", "", made=made, kind=kind, job="one") == "1"
    assert data.register_data("d", "", made=made, kind=kind, job="two") == "2"
    assert data.register_data("d", "7", made=made, kind=kind, job="two") == "7"
    assert data.register_data("d", "7", made=made, kind=kind, job="three") == "7"
    assert (paths.resolve("azureml:d:7") / "x.txt").read_text() == "x"
