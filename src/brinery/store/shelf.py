"""Content that machines without a disk in common pass to each other: a bucket, or a shared folder.

What is put here is kept by its BLAKE3, each file once: `files/CC/CONTENT`, and `trees/CONTENT.json`
for the names in a folder. A tree's own file is written last, so that one that is found is whole,
and what is there is not sent again. On the machine that fetches, files lie in a cache of the same
names, read-only, and trees are links to them.
"""

from __future__ import annotations

import os
import shutil
import stat as modes
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
from msgspec import Struct

from brinery.errors import DataUnreachable
from brinery.records.ready import decoded
from brinery.store.copying import copy_file
from brinery.store.fingerprints import Fingerprints

_AT_ONCE: Final = 8
_MISSING: Final = ("404", "NoSuchKey", "NotFound")
_FILE: Final = 0o444
_PROGRAM: Final = 0o555


class _Tree(Struct, frozen=True):
    """What lies at a path.

    Attributes:
        single: whether it is one file.
        files: name to BLAKE3.
        programs: names of those that may be run.
        folders: names of the empty folders.
    """

    single: bool
    files: dict[str, str]
    programs: tuple[str, ...]
    folders: tuple[str, ...]


class Shelf:
    """Where content is passed on; several threads may use it, and it may be sent elsewhere.

    Args:
        uri: `s3://BUCKET/PREFIX`, or the absolute path of a shared folder.
        environ: variables, of which those that say where S3 is, and as whom, count.
    """

    def __init__(self, uri: str, *, environ: Mapping[str, str]) -> None:
        self.uri = uri.rstrip("/")
        known = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        self._places: _Folder | _Bucket = (
            _Bucket(self.uri, known) if uri.startswith("s3://") else _Folder(Path(uri))
        )

    def put(self, path: str, *, known: Path | None = None) -> str:
        """Return the name of what lies at a path, which is put here where it is not.

        Args:
            path: absolute.
            known: folder of fingerprints that were made before.

        Raises:
            OSError: it cannot be read.
            DataUnreachable: nothing can be put here.
        """
        seen, files = Fingerprints(known).look(path)
        name = f"{'file' if seen.file else 'tree'}-{seen.content}"
        with _told(self.uri):
            record = f"trees/{name}.json"
            if self._places.has(record):
                return name
            top = os.path.dirname(path) if seen.file else path  # noqa: PTH120 - a text
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                places = {content: f"{top}/{inner}" for inner, content in files.items()}
                for _ in pool.map(lambda each: self._put_file(*each), places.items()):
                    pass
            tree = _Tree(
                single=seen.file,
                files=files,
                programs=tuple(inner for inner in files if _is_program(f"{top}/{inner}")),
                folders=() if seen.file else tuple(_empty(path)),
            )
            self._places.write(record, msgspec.json.encode(tree))
        return name

    def copy(self, name: str, target: str, *, cache: Path) -> None:
        """Put what has a name at a path, whose owner may write to it; other files there stay.

        Raises:
            OSError: it cannot be written.
            DataUnreachable: it is not here.
        """
        tree = self._read(name)
        for inner in tree.folders:
            os.makedirs(f"{target}/{inner}", exist_ok=True)  # noqa: PTH103 - texts
        os.makedirs(os.path.dirname(target) if tree.single else target, exist_ok=True)  # noqa: PTH103, PTH120
        for inner, kept in self._fetched(tree, cache):
            place = target if tree.single else f"{target}/{inner}"
            os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - as above
            copy_file(str(kept), place, writable=True)
            os.chmod(place, 0o755 if inner in tree.programs else 0o644)  # noqa: PTH101 - as above

    def place(self, name: str, base: str, *, cache: Path) -> str:
        """Return where what has a name lies read-only on this machine, under a name of its own.

        Raises:
            OSError: it cannot be written.
            DataUnreachable: it is not here.
        """
        tree = self._read(name)
        home = cache / "trees" / name
        target = home / base
        if target.exists():
            return str(target)
        staged = cache / "trees" / f".{uuid4().hex}" / base
        staged.parent.mkdir(parents=True)
        if not tree.single:
            staged.mkdir()
        for inner in tree.folders:
            (staged / inner).mkdir(parents=True, exist_ok=True)
        for inner, kept in self._fetched(tree, cache):
            place = staged if tree.single else staged / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            if inner in tree.programs:
                copy_file(str(kept), str(place))
                place.chmod(_PROGRAM)
            else:
                os.link(kept, place)
        home.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            staged.rename(target)
        shutil.rmtree(staged.parent, ignore_errors=True)
        return str(target)

    def _put_file(self, content: str, path: str) -> None:
        key = _key(content)
        if not self._places.has(key):
            self._places.put(key, path)

    def _read(self, name: str) -> _Tree:
        with _told(self.uri):
            return decoded(self._places.read(f"trees/{name}.json"), _Tree)

    def _fetched(self, tree: _Tree, cache: Path) -> Iterator[tuple[str, Path]]:
        """Yield the files of a tree, and where each lies in the cache."""

        def _fetch(content: str) -> Path:
            kept = cache / _key(content)
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                begun = kept.with_name(f".{uuid4().hex}")
                self._places.get(_key(content), begun)
                begun.chmod(_FILE)
                # Never replaced: who links to it meanwhile would find no file.
                with suppress(FileExistsError):
                    os.link(begun, kept)
                begun.unlink()
            return kept

        with _told(self.uri), ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(_fetch, tree.files.values())
            yield from zip(tree.files, found, strict=True)


class _Folder:
    """A folder that all machines see under one path."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def has(self, key: str) -> bool:
        return (self._top / key).exists()

    def read(self, key: str) -> bytes:
        return (self._top / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        begun = self._begun(key)
        begun.write_bytes(content)
        begun.replace(self._top / key)

    def put(self, key: str, path: str) -> None:
        begun = self._begun(key)
        copy_file(path, str(begun), writable=True)
        begun.replace(self._top / key)

    def get(self, key: str, target: Path) -> None:
        copy_file(str(self._top / key), str(target), writable=True)

    def _begun(self, key: str) -> Path:
        place = self._top / key
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.with_name(f".{uuid4().hex}")


class _Bucket:
    """A prefix of a bucket; boto3 is imported by the first who asks."""

    def __init__(self, uri: str, environ: Mapping[str, str]) -> None:
        self._bucket, _, self._prefix = uri.removeprefix("s3://").partition("/")
        self._environ = dict(environ)
        self._made: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another machine needs: it makes a client of its own."""
        return {**self.__dict__, "_made": None}

    def has(self, key: str) -> bool:
        botocore: Any = import_module("botocore.exceptions")
        try:
            self._client.head_object(**self._at(key))
        except botocore.ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return False
            raise
        return True

    def read(self, key: str) -> bytes:
        content: bytes = self._client.get_object(**self._at(key))["Body"].read()
        return content

    def write(self, key: str, content: bytes) -> None:
        self._client.put_object(**self._at(key), Body=content)

    def put(self, key: str, path: str) -> None:
        self._client.upload_file(path, **self._at(key))

    def get(self, key: str, target: Path) -> None:
        self._client.download_file(**self._at(key), Filename=str(target))

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{key}".lstrip("/")}

    @property
    def _client(self) -> Any:
        if self._made is None:
            known = self._environ
            session: Any = import_module("boto3.session").Session(
                aws_access_key_id=known.get("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=known.get("AWS_SECRET_ACCESS_KEY"),
                aws_session_token=known.get("AWS_SESSION_TOKEN"),
                region_name=known.get("AWS_DEFAULT_REGION") or known.get("AWS_REGION"),
            )
            where = known.get("AWS_ENDPOINT_URL_S3") or known.get("AWS_ENDPOINT_URL")
            self._made = session.client("s3", endpoint_url=where)
        return self._made


def _key(content: str) -> str:
    return f"files/{content[:2]}/{content}"


def _is_program(path: str) -> bool:
    return bool(os.stat(path).st_mode & modes.S_IXUSR)  # noqa: PTH116 - a text


def _empty(top: str) -> Iterator[str]:
    for folder, folders, files in os.walk(top):
        if not folders and not files and folder != top:
            yield folder[len(top) + 1 :]


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Translate what boto3 raises, whose errors have no base but Exception."""
    try:
        yield
    except (OSError, DataUnreachable):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise DataUnreachable(
            f"{uri} cannot be reached: {reason}",
            hint="AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and AWS_ACCESS_KEY_ID say where and as whom",
        ) from error
