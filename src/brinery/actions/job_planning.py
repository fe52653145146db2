"""The plan of a job file: the one that is remembered, or one that is made anew.

What reads job files is imported where a plan must be made; a file that was read before and has not
changed is planned without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from brinery import __version__
from brinery.pipeline.catalog import Catalog, Noting
from brinery.records.plan import Plan
from brinery.store.plans import Plans


def planned(file: Path, *, sets: Sequence[str] = (), catalog: Catalog, cache: Path) -> Plan:
    """Return the plan of the job that a file declares.

    Args:
        file: in YAML.
        sets: each `a.b.c=value`, set before anything is checked.
        catalog: what was registered.
        cache: folder of plans that are remembered.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
    """
    plans = Plans(cache, version=__version__)
    known = plans.find(file, sets, catalog=catalog)
    if known is not None:
        return known
    noting = Noting(catalog)
    declared: Any = import_module("brinery.specs.job_yaml").read(file, sets=sets)
    made: Plan = import_module("brinery.pipeline.planning").plan(declared, noting)
    plans.add(file, sets, plan=made, read=declared.found.files, asked=noting.asked.values())
    return made
