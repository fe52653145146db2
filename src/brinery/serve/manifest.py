"""What a server is to serve, as its processes are told: a file that is replaced when it changes.

Whoever decides (it knows the registry) writes it; every server process looks at it several times a
second. A file outlives both, so that neither waits for the other and none is asked twice.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from brinery.serve.endpoint import Endpoint


class Offer(Struct, frozen=True, kw_only=True):
    """A version that may be asked for.

    Attributes:
        name: of its model.
        number: of the version.
        aliases: that point to it.
        endpoint: how it is served; None where it cannot be.
        fault: why not.
    """

    name: str
    number: int
    aliases: tuple[str, ...] = ()
    endpoint: Endpoint | None = None
    fault: str = ""


class Target(Struct, frozen=True, kw_only=True):
    """What the name of a model stands for.

    Attributes:
        name: of the model.
        number: of the version that answers under it.
        follows: the alias that decides it; None where the version was named.
        eager: whether it is loaded before it is asked for.
    """

    name: str
    number: int
    follows: str | None = None
    eager: bool = True


class PublicEndpoint(Struct, frozen=True, kw_only=True):
    """An endpoint of a published API service: a version under a path of its own.

    Attributes:
        service: id of the service.
        endpoint: id of the endpoint.
        generation: the package that is published.
        name: of the model.
        number: of the version.
        threshold: from which probability on a row of a binary model is positive.
        cuts: (n_cuts,) probabilities, ascending; none where nothing was evaluated.
        below: (n_cuts,) share of the evaluated rows whose probability is less.
        keys: digests of the keys that are asked for; None where everybody may ask.
    """

    service: str
    endpoint: str
    generation: str
    name: str
    number: int
    threshold: float = 0.5
    cuts: tuple[float, ...] = ()
    below: tuple[float, ...] = ()
    keys: tuple[str, ...] | None = None


class Manifest(Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        targets: the models.
        offers: their versions.
        max_body_bytes: of a request.
        body_timeout_s: how long a client may take to send one.
        memory_limit_bytes: what loaded models may take in a process; None for no limit.
        public: endpoints of API services, of versions that are among the offers.
        keys: SHA-256 digests, in hexadecimal, of the keys of which one must be given; None where
            none is asked for.
    """

    targets: tuple[Target, ...]
    offers: tuple[Offer, ...]
    max_body_bytes: int
    body_timeout_s: float = 30.0
    memory_limit_bytes: int | None = None
    public: tuple[PublicEndpoint, ...] = ()
    keys: tuple[str, ...] | None = None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Manifest:
        """Return the manifest of a single version, which stays."""
        version = endpoint.version
        return cls(
            targets=(Target(name=version.name, number=version.number),),
            offers=(
                Offer(
                    name=version.name,
                    number=version.number,
                    aliases=version.aliases,
                    endpoint=endpoint,
                ),
            ),
            max_body_bytes=endpoint.max_body_bytes,
            body_timeout_s=endpoint.body_timeout_s,
        )


class ManifestFile:
    """Where it lies.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def write(self, manifest: Manifest) -> None:
        """Replace it, at once."""
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_bytes(msgspec.msgpack.encode(manifest))
        beside.replace(self._path)

    def read(self) -> Manifest:
        """Return it."""
        content = self._path.read_bytes()
        return msgspec.msgpack.decode(content, type=Manifest)

    def changed(self) -> Manifest | None:
        """Return it where it was replaced since this was last asked, else None."""
        found = self._path.stat()
        seen = (found.st_ino, found.st_mtime_ns)
        if seen == self._seen:
            return None
        manifest = self.read()
        self._seen = seen
        return manifest
