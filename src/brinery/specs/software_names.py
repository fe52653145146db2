"""The names that environments go by: what the table may call one, and which hold only Python.

Read on the way of every step, so nothing but the standard library is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

CURRENT: Final = "current"

# A name of `[environments.map]` to requirements, or to `current`.
Table = Mapping[str, list[str] | str]

_REGISTERED: Final = re.compile(r"azureml://registries/[^/]+/environments/", re.IGNORECASE)
_VERSION: Final = re.compile(r"/(?:labels|versions)/[^/]+$|[@:][^@:/]*$")
_PYTHON_TAG: Final = re.compile(r"(\d+\.\d+)")
_CURATED_IMAGE: Final = "mcr.microsoft.com/azureml/curated/"
_PLAIN: Final = re.compile(
    r"(?:(?:docker\.io|index\.docker\.io|public\.ecr\.aws/docker)/)?(?:library/)?"
    r"(?:python|ubuntu|debian|alpine|busybox|bash|buildpack-deps|continuumio/(?:mini|ana)conda3"
    r"|mambaorg/micromamba|condaforge/(?:mini|mamba)forge3?)"
)
_AZUREML_BASE: Final = re.compile(r"mcr\.microsoft\.com/azureml/(?:[\w.-]*ubuntu|intelmpi|base)")
_WORD: Final = re.compile(r"[^\s\"'\[\],:=]+")
_MOST_BYTES: Final = 1 << 20


def names(declared: str) -> tuple[str, ...]:
    """Return what a table may call an environment or image, the most exact first.

    `azureml://registries/azureml/environments/sklearn-1.5/labels/latest` is also `sklearn-1.5`.
    """
    found = [declared]
    short = _REGISTERED.sub("", declared).removeprefix("azureml:")
    curated = short.lower().startswith(_CURATED_IMAGE)
    if curated:
        short = short[len(_CURATED_IMAGE) :]
    for name in (short, _VERSION.sub("", short)):
        found += [name, re.sub("^azureml-", "", name, flags=re.IGNORECASE)]
    return tuple(dict.fromkeys(name.lower() for name in found if name))


def mapped(table: Table, *declared: str) -> list[str] | str | None:
    """Return what a table says of an environment; None where it says nothing.

    Args:
        table: of the settings.
        declared: reference and image; empty ones are passed over.
    """
    if not table:
        return None
    known = {name.lower(): value for name, value in table.items()}
    for one in declared:
        for name in names(one) if one else ():
            if name in known:
                return known[name]
    return None


def is_plain(image: str) -> bool:
    """Return whether an image is known to hold Python or a system, and no packages."""
    return bool(_PLAIN.fullmatch(image.partition(":")[0]) or _AZUREML_BASE.match(image))


def is_curated(image: str) -> bool:
    """Return whether an image is that of a curated environment."""
    return image.lower().startswith(_CURATED_IMAGE)


def python_of(image: str) -> str:
    """Return the minor version of Python that an image's tag states; empty where it states none."""
    name, _, tag = image.partition(":")
    found = _PYTHON_TAG.match(tag) if name.rpartition("/")[2] == "python" else None
    return found.group(1) if found else ""


def files_named(text: str, context: str) -> Iterator[Path]:
    """Yield the files of a folder that a conda file or a Dockerfile names, sorted.

    Args:
        text: of the file.
        context: the folder; empty for none.
    """
    if not context:
        return
    for word in sorted(set(_WORD.findall(text))):
        path = Path(context, word.lstrip("/"))
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            yield path
