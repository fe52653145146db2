"""The files of models, wherever MLflow says that they lie: a folder, or a bucket.

What lies in a bucket is downloaded when it is needed, once: a file or a folder of a version never
changes, so what was downloaded stays. It becomes visible in one step, when it is whole and has the
digest that was recorded; processes that want the same one wait for each other.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

from filelock import FileLock

from brinery.errors import ModelFileChanged, RegistryFault
from brinery.pickles.digest import digest
from brinery.registry.bucket import Bucket

_S3 = "s3"
_KEY = 32


class Artifacts:
    """Finds the files of models.

    Args:
        root: the folder, or the `s3://…` or `file://…` URI, that new models go under.
        cache: folder of what was downloaded; made when something is.
    """

    def __init__(self, root: Path | str, *, cache: Path | None) -> None:
        self.root = root.absolute().as_uri() if isinstance(root, Path) else root.rstrip("/")
        self._cache = cache
        self._bucket = Bucket()

    def under(self, name: str) -> str:
        """Return the URI of a place under the root."""
        return f"{self.root}/{name}"

    def remote(self, location: str) -> bool:
        """Return whether a place is not on this machine."""
        return urlparse(location).scheme == _S3

    def here(self, location: str, name: str) -> bool:
        """Return whether a file or folder need not be downloaded."""
        return not self.remote(location) or (self._place(location) / name).exists()

    def path(self, location: str, name: str, *, sha256: str = "") -> Path | None:
        """Return a file or folder at a place; None where there is none of that name.

        Args:
            location: URI of a model's folder, as MLflow has it.
            name: of the file or folder within it.
            sha256: that a copy must have; empty where none was recorded.

        Raises:
            ModelFileChanged: what is in the bucket is not what was recorded.
            RegistryFault: the bucket cannot be read.
        """
        if not self.remote(location):
            found = local_path(location) / name
            return found if found.exists() else None
        place = self._place(location)
        if Path(name).name != name:
            raise RegistryFault(f"{location} is said to have '{name[:100]}', which leads elsewhere")
        found = place / name
        if found.exists():
            return found
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / f".{name}.lock"):
            if not found.exists() and not self._download(f"{location}/{name}", found, sha256):
                return None
        return found

    def put(self, location: str, file: Path) -> None:
        """Keep a copy of a file at a place, under its own name, whole or not at all.

        Raises:
            RegistryFault: it cannot be written.
        """
        if self.remote(location):
            self._bucket.upload(file, f"{location}/{file.name}")
            return
        folder = local_path(location)
        part = folder / f".{file.name}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, part)
            part.rename(folder / file.name)
        except OSError as error:
            raise RegistryFault(
                f"{folder} cannot be written: {error.strerror}", hint=f"ls -ld {folder.parent}"
            ) from error

    def names(self, location: str) -> list[str]:
        """Return the names of the files at a place, sorted; none where it is not there.

        Raises:
            RegistryFault: the bucket cannot be read.
        """
        if self.remote(location):
            return self._bucket.names(location)
        folder = local_path(location)
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")

    def sizes(self, location: str) -> dict[str, int | None]:
        """Return name to bytes of every file under a place, sorted; names are relative, with `/`.

        In a bucket only what lies in it directly is told, and without its size.

        Raises:
            RegistryFault: the bucket cannot be read.
        """
        if self.remote(location):
            return dict.fromkeys(self._bucket.names(location))
        folder = local_path(location)
        found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(found)}

    def absent(self, location: str, name: str) -> Path:
        """Return where a file or folder would be; nothing is there.

        Raises:
            RegistryFault: it would be in a bucket.
        """
        if self.remote(location):
            raise RegistryFault(
                f"{location} has no {name}", hint="put back what was there, or import it again"
            )
        return local_path(location) / name

    def remove(self, location: str) -> None:
        """Remove everything at a place, and what was downloaded of it."""
        if self.remote(location):
            self._bucket.remove(f"{location.rpartition('/')[0]}/")
            shutil.rmtree(self._place(location), ignore_errors=True)
        else:
            shutil.rmtree(local_path(location).parent, ignore_errors=True)

    def _place(self, location: str) -> Path:
        """Return the folder of what was downloaded of a place."""
        if self._cache is None:
            raise RegistryFault(f"{location} needs a folder to be downloaded to")
        return self._cache / hashlib.sha256(location.encode()).hexdigest()[:_KEY]

    def _download(self, uri: str, into: Path, sha256: str) -> bool:
        """Return whether there was something; it is at its place then, whole."""
        part = into.with_name(f".{into.name}.part")
        _clear(part)
        try:
            if not self._bucket.download(uri, part):
                return False
            if sha256 and (found := digest(part)) != sha256:
                raise ModelFileChanged(
                    f"{uri} is not the file it was: its sha256 is {found[:12]}…, not "
                    f"{sha256[:12]}…",
                    hint="put back what was there, or import it again",
                )
            part.rename(into)
        finally:
            _clear(part)
        return True


def local_path(uri: str) -> Path:
    """Return the folder of a `file://` URI or a path."""
    parsed = urlparse(uri)
    return Path(unquote(parsed.path)) if parsed.scheme == "file" else Path(uri)


def _clear(path: Path) -> None:
    """Remove a file or a folder, which need not be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
