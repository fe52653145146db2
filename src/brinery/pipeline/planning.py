"""From a job file to a plan: nested pipelines flat, what stands in parents filled in, all faults told.

Component files are read by `specs`; what is registered is asked of a `Catalog`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from brinery.records.plan import Plan, Software
from brinery.specs.job_yaml import Declared


class Registered(NamedTuple):
    """A component that was registered.

    Attributes:
        declared: the values of its YAML.
        folder: absolute, that its relative paths begin in.
        version: of it, as text.
        file: that it is told as in messages.
    """

    declared: Mapping[str, Any]
    folder: Path
    version: str
    file: str


class Catalog(Protocol):
    """What was registered."""

    def component(self, reference: str, /) -> Registered | None:
        """Return a component by `name`, `name:1`, `name@label`; None where there is none."""

    def environment(self, reference: str, /) -> Software | None:
        """Return an environment by the same; None where none of that name was registered."""

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return whether there is such a `data`, `model` or `datastore`; None where it is not known."""

    def names(self, kind: str, /) -> Sequence[str]:
        """Return the names of what there is of a kind, for the nearest."""


class Nothing:
    """A catalog in which nothing was registered, and nothing is known of what is elsewhere."""

    def component(self, reference: str, /) -> Registered | None:
        """Return None."""
        del reference

    def environment(self, reference: str, /) -> Software | None:
        """Return None."""
        del reference

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return None: it is not known."""
        del kind, reference

    def names(self, kind: str, /) -> Sequence[str]:
        """Return no names."""
        del kind
        return ()


def plan(declared: Declared, catalog: Catalog = Nothing()) -> Plan:
    """Return the plan of a job.

    Args:
        declared: as `job_yaml.read` has it.
        catalog: what was registered.

    Raises:
        InvalidJob: every fault of the file, of the files it names, and of the whole, at once.
    """
