"""A managed folder, as scripts read and write it."""

from __future__ import annotations

import io
import json
import os
import tempfile
from typing import Any, Dict, Iterator, List, Optional

from brinery_shims import projects
from brinery_shims.gateway import call

_BLOCK = 1 << 20


class Folder:
    """A managed folder of the workspace; it is looked up when something is asked of it.

    Args:
        lookup: its id or its name, or `PROJECT.id`; an empty one means the default folder.
        project_key: of its project; the default one when None.
        ignore_flow: whether its use is not recorded.
    """

    def __init__(
        self, lookup: str, project_key: Optional[str] = None, ignore_flow: bool = False
    ) -> None:
        self.lookup = lookup
        self.ignore_flow = ignore_flow
        self.project_key, self._plain = projects.meant(lookup, project_key)
        self._known: Optional[Dict[str, Any]] = None
        self.partition_infos: Dict[str, Any] = {}

    def __repr__(self) -> str:
        """Return how it is called."""
        return f"<dataiku.Folder {self.project_key}.{self._plain}>"

    @property
    def _found(self) -> Dict[str, Any]:
        """Return what is known of it.

        Raises:
            Exception: there is no such folder.
        """
        if self._known is None:
            self._known = call("folders.find", folder=self._plain, project=self.project_key)
        return self._known

    @property
    def short_name(self) -> str:
        """Return the id."""
        return self.get_id()

    @property
    def name(self) -> str:
        """Return `PROJECT.id`, which the original's own `setup_mlflow` takes for the id."""
        return f"{self.project_key}.{self.get_id()}"

    @property
    def full_name(self) -> str:
        """Return `PROJECT.id`."""
        return self.name

    def get_id(self) -> str:
        """Return the id, of eight characters."""
        found: str = self._found["id"]
        return found

    def get_name(self) -> str:
        """Return the name."""
        found: str = self._found["name"]
        return found

    def get_info(self, sensitive_info: bool = False) -> Dict[str, Any]:
        """Return what is known of the folder."""
        found = self._found
        local = bool(found["path"])
        return {
            "id": found["id"],
            "projectKey": found["project"],
            "name": found["name"],
            "type": "Filesystem" if local else found["uri"].partition(":")[0].upper(),
            "directoryBasedPartitioning": False,
            "path": found["path"],
            "accessInfo": {"root": found["path"]} if local else {"uri": found["uri"]},
        }

    def get_path(self) -> str:
        """Return the path of the folder on this machine.

        Raises:
            Exception: it is elsewhere.
        """
        from brinery_shims import pickle_check

        path: str = self._ask("place")
        pickle_check.lies_at(path, folder=self.get_id(), project=self.project_key)
        return path

    def file_path(self, filename: str) -> str:
        """Return the path of a file of the folder on this machine."""
        return os.path.join(self.get_path(), filename.lstrip("/"))

    def is_partitioning_directory_based(self) -> bool:
        """Return False: no folder is partitioned here."""
        return False

    def list_partitions(self) -> List[str]:
        """Return the one partition of a folder that is not partitioned."""
        return ["NP"]

    def get_partition_folder(self, partition: str) -> str:
        """Refuse: no folder is partitioned here."""
        raise NotImplementedError(
            "partitions are not supported by Brinery; keep the key in the paths of the files"
        )

    def get_partition_info(self, partition: str) -> Dict[str, Any]:
        """Return the files of the only partition."""
        return {"folder": "/", "paths": self.list_paths_in_partition()}

    def list_paths_in_partition(self, partition: str = "") -> List[str]:
        """Return the paths of all files, each with a slash before it."""
        found: List[str] = self._ask("paths")
        return found

    def get_path_details(self, path: str = "/") -> Dict[str, Any]:
        """Return what lies at a path: whether anything does, its size, and what is in it."""
        return _details(self._ask("entry", path=path))

    def get_download_stream(self, path: str) -> Any:
        """Return a file of the folder as a stream, for a `with` block.

        What is a pickle is read before it is given out, without running it, and what its loading
        needs is said.

        Raises:
            Exception: there is no such file.
        """
        from brinery_shims import pickle_check

        found = self._ask("fetch", path=path)
        stream = DownloadStream(found["path"], copy=found["copy"])
        why = pickle_check.check(
            path, found["path"], folder=self.get_id(), project=self.project_key
        )
        if why:
            pickle_check.refuse(stream, why)
        return stream

    def get_writer(self, path: str) -> ManagedFolderWriter:
        """Return what a file of the folder is written through, for a `with` block.

        The file is there, whole, once it is closed, in place of the one that was.
        """
        return ManagedFolderWriter(self, path)

    def upload_stream(self, path: str, f: Any) -> None:
        """Write a file of the folder from a file-like object.

        Args:
            path: within the folder.
            f: read to its end; bytes or text.
        """
        with self.get_writer(path) as writer:
            while True:
                block = f.read(_BLOCK)
                if not block:
                    break
                writer.write(block)

    def upload_file(self, path: str, file_path: str) -> None:
        """Write a file of the folder from one that lies on this machine."""
        with open(file_path, "rb") as stream:
            self.upload_stream(path, stream)

    def upload_data(self, path: str, data: Any) -> None:
        """Write a file of the folder from bytes or text."""
        with self.get_writer(path) as writer:
            writer.write(data)

    def read_json(self, filename: str) -> Any:
        """Return what a file of JSON holds."""
        with self.get_download_stream(filename) as stream:
            return json.loads(stream.read().decode("utf-8"))

    def write_json(self, filename: str, obj: Any) -> None:
        """Write something as a file of JSON."""
        self.upload_data(filename, json.dumps(obj).encode("utf-8"))

    def clear(self) -> None:
        """Remove all files."""
        self._ask("remove", path="/")

    def clear_path(self, path: str) -> None:
        """Remove a file, or all below a path; the deprecated name of `delete_path`."""
        self.delete_path(path)

    def delete_path(self, path: str) -> None:
        """Remove a file, or all below a path."""
        self._ask("remove", path=path)

    def clear_partition(self, partition: str) -> None:
        """Remove all files, which are the only partition."""
        self.clear()

    def get_last_metric_values(self, partition: str = "") -> Dict[str, Any]:
        """Return how many files there are, and their size."""
        files = [self.get_path_details(path) for path in self.list_paths_in_partition()]
        size = sum(each["size"] for each in files)
        return {"basic:COUNT_FILES": len(files), "basic:SIZE": size}

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return call(f"folders.{verb}", folder=self.get_id(), project=self.project_key, **arguments)


def _details(found: Dict[str, Any]) -> Dict[str, Any]:
    import mimetypes

    path = found["path"]
    made: Dict[str, Any] = {
        "exists": found["exists"],
        "directory": found["directory"],
        "fullPath": path,
        "pathElts": [each for each in path.split("/") if each],
        "name": path.rpartition("/")[2],
        "size": found["size"],
        "lastModified": found["modified_ms"],
        "mimeType": mimetypes.guess_type(path)[0] or "application/octet-stream",
    }
    if found["directory"]:
        made["children"] = [_details(each) for each in found["children"]]
    return made


class DownloadStream(io.RawIOBase):
    """A file of a folder as a stream that is read once, from its beginning to its end.

    Args:
        path: of the file on this machine.
        copy: whether it is a copy, which goes when the stream is closed.
    """

    def __init__(self, path: str, copy: bool = False) -> None:
        super().__init__()
        self._stream = open(path, "rb")
        self._copy = path if copy else ""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return False: on the platform it comes over a network."""
        return False

    def read(self, size: Optional[int] = -1) -> bytes:
        """Return so many bytes, or all that are left."""
        return self._stream.read(-1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return how many bytes that were."""
        return self._stream.readinto(buffer)

    def readline(self, size: Optional[int] = -1) -> bytes:
        """Return a line."""
        return self._stream.readline(-1 if size is None else size)

    def close(self) -> None:
        """Close the stream."""
        if not self.closed:
            from brinery_shims import pickle_check

            pickle_check.closed(self)
            self._stream.close()
            if self._copy:
                os.unlink(self._copy)
        super().close()

    def stream(self, decode_content: Any = None) -> Iterator[bytes]:
        """Yield the bytes in blocks."""
        while True:
            block = self.read(_BLOCK)
            if not block:
                return
            yield block

    @property
    def data(self) -> bytes:
        """Return all bytes that are left."""
        return self.read()


class ManagedFolderWriter:
    """What a file of a folder is written through.

    Args:
        folder: whose file it is.
        path: of the file.
    """

    def __init__(self, folder: Folder, path: str) -> None:
        self._folder = folder
        self._path = path
        self._number, self._staged = tempfile.mkstemp(prefix="brinery-file-")
        self._stream = os.fdopen(self._number, "wb")

    def __enter__(self) -> ManagedFolderWriter:
        """Return the writer."""
        return self

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        """Close the writer; where the block failed, the old file stays."""
        if type is None:
            self.close()
            return
        self._stream.close()
        os.unlink(self._staged)

    def write(self, b: Any) -> int:
        """Write bytes, or text as UTF-8; return how many bytes that were."""
        return self._stream.write(b.encode("utf-8") if isinstance(b, str) else b)

    def flush(self) -> None:
        """Have what was written out of this process; the file is in the folder once closed."""
        self._stream.flush()

    @property
    def closed(self) -> bool:
        """Return whether it is closed."""
        return self._stream.closed

    def close(self) -> None:
        """Put the file into the folder."""
        if self._stream.closed:
            return
        self._stream.close()
        try:
            self._folder._ask("put", path=self._path, source=self._staged)
        finally:
            os.unlink(self._staged)
