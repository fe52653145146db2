"""A whole package: what its target renders, and what every package has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from brinery.errors import InvalidPackage
from brinery.package import examples, gcf, openapi, readme, sbom, sources, wheel
from brinery.package.contents import Contents, Platform, Rendered
from brinery.package.runtime import verify
from brinery.package.runtime.facts import FILE
from brinery.records.package import Target

_LISTED = 3
_MB = 1_000_000

PLATFORMS: Mapping[Target, Platform] = {
    platform.target: platform for platform in (gcf.PLATFORM, wheel.PLATFORM)
}


def whole_code(contents: Contents) -> dict[str, bytes]:
    """Return the Python package: its code, and the documents that it answers with."""
    facts = msgspec.json.format(msgspec.json.encode(contents.facts), indent=2) + b"\n"
    return {**contents.code, FILE: facts, "openapi.json": openapi.render(contents.facts)}


def render(contents: Contents, target: Target) -> tuple[dict[str, bytes], Rendered]:
    """Return the files of a package, path to bytes, and what its target said of them.

    Args:
        contents: what it is made of.
        target: what it is for.
    """
    contents = replace(contents, code=whole_code(contents))
    rendered = PLATFORMS[target].render(contents)
    files = {**rendered.files, **examples.render(contents.facts)}
    if rendered.code:
        files |= {f"{contents.module}/{path}": data for path, data in contents.code.items()}
    start = {
        **rendered.start,
        "key": contents.facts.key,
        "ran": rendered.ran,
        "python": contents.python,
        "version": contents.facts.reference,
        "target": target,
        "engine": contents.facts.engine,
    }
    files |= {
        "README.md": readme.render(contents, target, rendered=rendered),
        "requirements.txt": contents.requirements.encode(),
        "openapi.json": contents.code["openapi.json"],
        "sbom.cdx.json": sbom.render(contents, target=target),
        "verify.py": sources.verifier(),
        verify.ROWS: _json(contents.proof),
        verify.START: _json(start),
    }
    known = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    files[verify.DIGESTS] = _json(known)
    return files, rendered


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of a package: that of the list of its files' digests."""
    return hashlib.sha256(files[verify.DIGESTS]).hexdigest()


def check_size(files: Mapping[str, bytes], target: Target, *, archive_bytes: int) -> None:
    """Check that a package is no larger than its platform takes.

    Raises:
        InvalidPackage: it is; the message says what takes the space.
    """
    limits = PLATFORMS[target].limits
    found = {"archive": archive_bytes, "unpacked": sum(map(len, files.values()))}
    for what, most in limits.items():
        if found[what] > most:
            largest = sorted(files.items(), key=lambda item: -len(item[1]))[:_LISTED]
            told = ", ".join(f"{path} ({len(data) / _MB:.1f} MB)" for path, data in largest)
            raise InvalidPackage(
                f"the package is {found[what] / _MB:.1f} MB {what}, and {target} takes "
                f"{most / _MB:g} MB: {told}",
                hint="--to container has no such limit; a smaller model fits",
            )


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
