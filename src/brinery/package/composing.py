"""A whole package: what its target renders, and what every package has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from brinery.package import (
    aws_lambda,
    azure_functions,
    azureml,
    container,
    examples,
    gcf,
    kserve,
    kubernetes,
    openapi,
    readme,
    sagemaker,
    sbom,
    sources,
    wheel,
)
from brinery.package.contents import Contents, Platform, Rendered
from brinery.package.runtime import verify
from brinery.package.runtime.facts import FILE
from brinery.records.package import Target

PLATFORMS: Mapping[Target, Platform] = {
    platform.target: platform
    for platform in (
        gcf.PLATFORM,
        aws_lambda.PLATFORM,
        aws_lambda.IMAGE,
        azure_functions.PLATFORM,
        container.PLATFORM,
        kubernetes.PLATFORM,
        kserve.PLATFORM,
        sagemaker.PLATFORM,
        azureml.PLATFORM,
        wheel.PLATFORM,
    )
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
        verify.ROWS: msgspec.json.encode(contents.proof, order="sorted") + b"\n",
        verify.START: _json(start),
    }
    if contents.tools:
        files[verify.TOOLS] = contents.tools.encode()
    known = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    files[verify.DIGESTS] = _json(known)
    return files, rendered


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of a package: that of the list of its files' digests."""
    return hashlib.sha256(files[verify.DIGESTS]).hexdigest()


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
