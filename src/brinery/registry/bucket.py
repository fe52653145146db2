"""A bucket that speaks S3's language, by boto3, which MLflow writes to it with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from brinery.errors import RegistryFault

_TIMEOUT_S = 10
_TRIES = 4
_MOST_REMOVED = 1000


class Bucket:
    """Reads and removes objects; who may is told by what boto3 finds, as it is to MLflow."""

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3",
            # MLflow's own variable for a server that is not Amazon's, beside AWS_ENDPOINT_URL.
            endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None,
            config=Config(
                connect_timeout=_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
            ),
        )

    def download(self, uri: str, into: Path) -> bool:
        """Return whether there was a file, or files under a folder, of that name to download.

        Args:
            uri: of an object, or of what objects' names begin with before a slash.
            into: the file or folder that it becomes.

        Raises:
            RegistryFault: the bucket cannot be read.
        """
        bucket, key = _parsed(uri)
        with _told(uri):
            found = False
            for one in self._keys(bucket, key):
                if one == key:
                    self._client.download_file(bucket, one, str(into))
                    return True
                inner = one.removeprefix(f"{key}/")
                if inner != one and inner and not inner.endswith("/"):
                    file = into / _within(inner, uri)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    self._client.download_file(bucket, one, str(file))
                    found = True
        return found

    def upload(self, file: Path, uri: str) -> None:
        """Keep a copy of a file.

        Raises:
            RegistryFault: the bucket cannot be written.
        """
        bucket, key = _parsed(uri)
        with _told(uri):
            self._client.upload_file(str(file), bucket, key)

    def names(self, uri: str) -> list[str]:
        """Return the names of the objects in a folder, sorted; those of folders in it are left out.

        Raises:
            RegistryFault: the bucket cannot be read.
        """
        bucket, key = _parsed(uri)
        with _told(uri):
            inner = [one.removeprefix(f"{key}/") for one in self._keys(bucket, f"{key}/")]
        return sorted(name for name in inner if name and "/" not in name)

    def remove(self, uri: str) -> None:
        """Remove every object whose name begins with a URI's.

        Raises:
            RegistryFault: the bucket cannot be written.
        """
        bucket, key = _parsed(uri)
        with _told(uri):
            keys = list(self._keys(bucket, key))
            for start in range(0, len(keys), _MOST_REMOVED):
                some = [{"Key": one} for one in keys[start : start + _MOST_REMOVED]]
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for one in page.get("Contents", ()):
                yield one["Key"]


def foreign() -> tuple[type[Exception], ...]:
    """Return what boto3 raises; nothing where it is not installed."""
    try:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return ()
    return (Boto3Error, BotoCoreError, ClientError)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Translate what boto3 raises."""
    try:
        yield
    except foreign() as error:
        reason = " ".join(str(error).split())[:300]
        raise RegistryFault(
            f"{uri} cannot be reached: {reason}",
            hint="AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and AWS_ACCESS_KEY_ID, or ~/.aws, "
            "say where and as whom",
        ) from error


def _parsed(uri: str) -> tuple[str, str]:
    parts = urlparse(uri)
    return parts.netloc, parts.path.removeprefix("/")


def _within(inner: str, uri: str) -> Path:
    """Return the path of an object within its folder.

    Raises:
        RegistryFault: its name would lead out of the folder.
    """
    path = Path(inner)
    if path.is_absolute() or ".." in path.parts:
        raise RegistryFault(f"{uri} has an object whose name leads elsewhere: {inner[:100]}")
    return path
