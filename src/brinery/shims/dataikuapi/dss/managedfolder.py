"""A managed folder, as a project's handle of it."""

from __future__ import annotations

import os
from typing import Any, Dict

from brinery_shims.unsupported import Partial


class _Content:
    """The content of a file, as a response has it."""

    def __init__(self, stream: Any) -> None:
        self.raw = stream

    @property
    def content(self) -> bytes:
        """Return all of it."""
        found: bytes = self.raw.read()
        return found

    @property
    def text(self) -> str:
        """Return all of it, as a text."""
        return self.content.decode()

    def json(self) -> Any:
        """Return what it says as JSON."""
        import json

        return json.loads(self.content.decode())

    def iter_content(self, chunk_size: int = 1 << 16) -> Any:
        """Yield it in parts."""
        return iter(lambda: self.raw.read(chunk_size), b"")

    def close(self) -> None:
        """End reading."""
        self.raw.close()

    def __enter__(self) -> _Content:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DSSManagedFolder(Partial):
    """A handle of a managed folder; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        odb_id: of the folder, or its name; an empty one means the default folder.
    """

    def __init__(self, client: Any, project_key: str, odb_id: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key
        self.odb_id = odb_id

    @property
    def id(self) -> str:
        """Return the id, as it was given."""
        return self.odb_id

    def get_as_core_folder(self) -> Any:
        """Return the folder as `dataiku.Folder`."""
        import dataiku

        return dataiku.Folder(self.odb_id, project_key=self.project_key)

    def get_definition(self) -> Dict[str, Any]:
        """Return what is known of the folder."""
        found: Dict[str, Any] = self.get_as_core_folder().get_info()
        return found

    def delete(self, drop_data: bool = False) -> None:
        """Delete the folder; its files go with it, whatever is said."""
        from brinery_shims.gateway import call

        del drop_data
        call("folders.delete", folder=self.odb_id, project=self.project_key)

    def list_contents(self) -> Dict[str, Any]:
        """Return `items`: path, size and time of each file."""
        folder = self.get_as_core_folder()
        items = []
        for path in folder.list_paths_in_partition():
            told = folder.get_path_details(path)
            items.append({"path": path, "size": told["size"], "lastModified": told["lastModified"]})
        return {"items": items}

    def get_file(self, path: str) -> _Content:
        """Return the content of a file."""
        return _Content(self.get_as_core_folder().get_download_stream(path))

    def put_file(self, path: str, f: Any) -> _Content:
        """Write a file, of a stream or bytes."""
        folder = self.get_as_core_folder()
        if isinstance(f, (bytes, bytearray)):
            folder.upload_data(path, bytes(f))
        elif isinstance(f, str):
            folder.upload_data(path, f.encode())
        else:
            folder.upload_stream(path, f)
        return self.get_file(path)

    def delete_file(self, path: str) -> None:
        """Delete a file."""
        self.get_as_core_folder().delete_path(path)

    def upload_folder(self, path: str, folder: str) -> None:
        """Write all files of a folder of this machine."""
        for root, _, names in os.walk(folder):
            for name in names:
                full = os.path.join(root, name)
                below = os.path.relpath(full, folder).replace(os.sep, "/")
                with open(full, "rb") as stream:
                    self.put_file(path.rstrip("/") + "/" + below, stream)
