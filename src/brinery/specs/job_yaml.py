"""The YAML of jobs and of what they name: read with the line of every value, `--set` applied.

Values are those of YAML 1.1, as other clients of such files have them. Faults are gathered, not
raised: the room `pipeline` adds those that only the whole tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from brinery.records.text_enum import TextEnum

Place = tuple["str | int", ...]


class Noun(TextEnum):
    """What a file declares."""

    JOB = "job"
    COMPONENT = "component"
    ENVIRONMENT = "environment"
    DATA = "data"
    MODEL = "model"
    DATASTORE = "datastore"
    SCHEDULE = "schedule"


@dataclass
class Declared:
    """A file that declares something, `--set` applied.

    Attributes:
        file: as it was named.
        folder: absolute, that its relative paths begin in.
        noun: what it declares.
        type: of it: `command`, `pipeline`, `sweep`, `parallel`, `uri_folder`, …
        stated: its values, as they stand there.
        model: its values as the model of its noun and type has them; what is at fault is absent.
        faults: so far, each `file:line path: what is wrong`.
        notes: so far, each likewise: what is accepted and means nothing, or something else, here.
    """

    file: Path
    folder: Path
    noun: Noun
    type: str
    stated: dict[str, Any]
    model: BaseModel
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(file: Path, *, sets: Sequence[str] = (), noun: Noun = Noun.JOB) -> Declared:
    """Return what a file declares, with its faults gathered in it.

    Args:
        file: of at most four megabytes.
        sets: each `a.b.c=value` or `a[0].b=value`, set before anything is checked.
        noun: what it is to declare.

    Raises:
        InvalidJob: it cannot be read, is no YAML, or declares another noun.
    """
