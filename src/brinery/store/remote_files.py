"""Files of buckets, and of other places that fsspec reaches: downloaded once, and written."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast
from urllib.parse import urlsplit

import fsspec

from brinery.errors import DataUnreachable

# What fsspec itself does not bring.
_PACKAGES: Final = {
    "s3": "brinery[datastores]",
    "s3a": "brinery[datastores]",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "adl": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
    "wasb": "adlfs",
    "wasbs": "adlfs",
}
_OF_FACTS: Final = ("ETag", "etag", "LastModified", "last_modified", "mtime", "created", "size")


def get(uri: str, cache: Path) -> Path:
    """Return where a file or a folder of elsewhere lies now; an unchanged one is not fetched.

    Args:
        uri: of a file, or of what the names of files begin with before a slash.
        cache: the folder that downloads are kept in.

    Raises:
        DataUnreachable: the place cannot be read, or has no such file.
    """
    with _told(uri):
        system, path = _opened(uri)
        files = _files(system, path)
        if not files:
            raise DataUnreachable(f"there is nothing at {uri}", hint=_who(uri))
        home = cache / _digest(uri, files)
        name = PurePosixPath(path).name or "data"
        if not (home / name).exists():
            staged = home.with_name(f".{home.name}.{os.getpid()}")
            for inner in files:
                file = staged / name / inner if inner else staged / name
                file.parent.mkdir(parents=True, exist_ok=True)
                system.get_file(f"{path}/{inner}" if inner else path, str(file))
            _place(staged, home)
    return home / name


def put(source: Path, uri: str) -> None:
    """Write a file or a folder; other files that are there stay.

    Raises:
        DataUnreachable: the place cannot be written.
    """
    with _told(uri):
        system, path = _opened(uri)
        if source.is_file():
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.put_file(str(source), path)
            return
        for parent, _, names in os.walk(source, followlinks=True):
            inner = Path(parent).relative_to(source).as_posix()
            target = path if inner == "." else f"{path}/{inner}"
            system.makedirs(target, exist_ok=True)
            for name in names:
                system.put_file(str(Path(parent, name)), f"{target}/{name}")


def sizes(uri: str, *, only: str = "") -> dict[str, tuple[int, int]]:
    """Return the files below a place by their paths in it: bytes, and milliseconds since 1970 UTC.

    Args:
        uri: of the place, which need not be there.
        only: path of the one file that is asked for; all when empty.

    Raises:
        DataUnreachable: the place cannot be read.
    """
    with _told(uri):
        system, path = _opened(uri)
        asked = f"{path}/{only}" if only else path
        try:
            found = {asked: system.info(asked)} if only else system.find(path, detail=True)
        except FileNotFoundError:
            return {}
        return {
            _within(name.removeprefix(path).lstrip("/"), path): (
                int(one.get("size") or 0),
                _milliseconds(one),
            )
            for name, one in found.items()
            if one["type"] == "file" and not name.endswith("/")
        }


def opened(uri: str) -> IO[bytes]:
    """Return a file opened to be read.

    Raises:
        DataUnreachable: it is not there, or cannot be read.
    """
    with _told(uri):
        system, path = _opened(uri)
        return cast("IO[bytes]", system.open(path, "rb"))


def written(uri: str, content: IO[bytes]) -> None:
    """Write a file, which is there whole once it is closed, or not at all.

    Raises:
        DataUnreachable: it cannot be written.
    """
    with _told(uri):
        system, path = _opened(uri)
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with system.open(path, "wb") as stream:
            shutil.copyfileobj(content, stream, 1 << 20)


def removed(uris: Iterable[str]) -> None:
    """Remove files.

    Raises:
        DataUnreachable: one cannot be removed.
    """
    for uri in uris:
        with _told(uri):
            system, path = _opened(uri)
            system.rm_file(path)


def _milliseconds(info: dict[str, Any]) -> int:
    """Return when a file was written, as its system tells it; 0 where it does not."""
    for key in ("LastModified", "last_modified", "mtime", "modified", "created"):
        told = info.get(key)
        if isinstance(told, datetime):
            return int(told.timestamp() * 1000)
        if isinstance(told, (int, float)):
            return int(told * 1000)
    return 0


def _opened(uri: str) -> tuple[Any, str]:
    """Return the file system of a place, and its path there."""
    # Credentials are what each library finds by itself, as it is for MLflow.
    system, path = fsspec.core.url_to_fs(_known(uri))
    system.invalidate_cache()
    return system, str(path).rstrip("/")


def _known(uri: str) -> str:
    """Return an address of Azure's older kind in the newer one, which its library knows."""
    scheme, _, rest = uri.partition("://")
    if scheme not in ("wasb", "wasbs"):
        return uri
    return f"abfss://{rest.replace('.blob.', '.dfs.', 1)}"


def _files(system: Any, path: str) -> dict[str, str]:
    """Return the files at a path, and what tells that one changed: `""` is the path itself."""
    try:
        info = system.info(path)
    except FileNotFoundError:
        return {}
    if info["type"] == "file":
        return {"": _facts(info)}
    found = system.find(path, detail=True)
    return {
        _within(name.removeprefix(path).lstrip("/"), path): _facts(one)
        for name, one in sorted(found.items())
        if not name.endswith("/")
    }


def _within(inner: str, path: str) -> str:
    """Return the path of a file within its folder.

    Raises:
        DataUnreachable: its name would lead out of it.
    """
    if not inner or inner.startswith("/") or ".." in PurePosixPath(inner).parts:
        raise DataUnreachable(f"{path} has a file whose name leads elsewhere: {inner[:100]}")
    return inner


def _facts(info: dict[str, Any]) -> str:
    return " ".join(f"{key}={info[key]}" for key in _OF_FACTS if info.get(key) is not None)


def _digest(uri: str, files: dict[str, str]) -> str:
    lines = [uri, *(f"{name} {facts}" for name, facts in files.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _place(staged: Path, home: Path) -> None:
    """Give a download its name; where another process was first, its own is as good."""
    try:
        staged.rename(home)
    except OSError:
        if not home.exists():
            raise
        shutil.rmtree(staged, ignore_errors=True)


def _who(uri: str) -> str:
    scheme = urlsplit(uri).scheme
    if scheme.startswith("s3"):
        return (
            "AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and AWS_ACCESS_KEY_ID, or ~/.aws, say where and "
            "as whom"
        )
    return ""


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Translate what fsspec and its libraries raise, which have no error in common."""
    try:
        yield
    except DataUnreachable:
        raise
    except (ImportError, ValueError) as error:
        package = _PACKAGES.get(urlsplit(uri).scheme, "")
        # A protocol that only its own library makes known is one that is not known.
        if isinstance(error, ValueError) and not (package and "Protocol not known" in str(error)):
            raise _unreached(uri, error) from error
        hint = f"pip install '{package}', or --map {uri}=PATH" if package else ""
        raise DataUnreachable(f"{uri} needs a library that is not installed", hint=hint) from error
    except Exception as error:
        raise _unreached(uri, error) from error


def _unreached(uri: str, error: Exception) -> DataUnreachable:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return DataUnreachable(f"{uri} cannot be reached: {reason}", hint=_who(uri))
