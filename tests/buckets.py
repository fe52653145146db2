"""An S3 server of the tests' own: moto's, on a private port of loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from tests import ports

_START_S = 240.0
_NUMBERS = count(1)


@dataclass(frozen=True)
class Buckets:
    """A running server.

    Attributes:
        url: of it.
    """

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that boto3 finds it by, in any program."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def options(self) -> dict[str, str]:
        """Return what boto3's client is made with."""
        return {
            "endpoint_url": self.url,
            "aws_access_key_id": "tests",
            "aws_secret_access_key": "tests",
            "region_name": "us-east-1",
        }

    def bucket(self) -> str:
        """Return the URI of a prefix in a new bucket."""
        name = f"bucket-{next(_NUMBERS)}"
        made = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        urllib.request.urlopen(made).close()
        return f"s3://{name}/models"


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Buckets]:
    """Run a server while the block runs; boto3 finds it in this process and in its children."""
    port = ports.free(host)
    process = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "moto.server"),
            *("-H", host, "-p", str(port)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Buckets(f"http://{host}:{port}")
    before = {key: os.environ.get(key) for key in server.environ}  # noqa: TID251 - put back below
    try:
        _wait_for(server.url, process)
        os.environ.update(server.environ)  # noqa: TID251 - for boto3, which reads it
        yield server
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)  # noqa: TID251
            else:
                os.environ[key] = value  # noqa: TID251
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert process.poll() is None, "the S3 server ended before it was ready"
        try:
            urllib.request.urlopen(f"{url}/moto-api/").close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the S3 server was not ready in time")
