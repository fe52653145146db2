"""Which names a pickle may ask for: known safe, dangerous, or in need of the user's word.

Known safe is an exact name on a list under `allowed/`, one file for each distribution, written
from what the pickles of fitted models ask for: never a package, never a prefix. A listed class may
be made; it may be called only where its list says so, since a constructor may do what making an
object does not. Dangerous is what is known to run, read, open, import or evaluate. All else is
unknown, and unknown is not safe. Nothing is imported to find out.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from brinery.pickles.danger import why_dangerous
from brinery.pickles.inert import Inert
from brinery.records.scan import Global, Verdict

UNKNOWN = "not a name that Brinery knows"
CARRIES_CODE = "it carries code of its own"
OF_THE_SCRIPT = "it was defined in the script or notebook that wrote the file"
CALLED = "it is called, which no pickle of an honest model does with it"

# Where the names of a top-level module are listed; all others are in `python.txt`.
_FILES = {
    "_loss": "scikit-learn",
    "category_encoders": "category-encoders",
    "imblearn": "imbalanced-learn",
    "sklearn": "scikit-learn",
    **{
        name: name
        for name in (
            *("catboost", "joblib", "lightgbm", "numpy", "pandas", "pyarrow", "pytz"),
            *("scipy", "statsmodels", "torch", "xgboost"),
        )
    },
}
_STANDARD = "python"

# The opcodes that call a name, rather than make an object of it without its constructor.
_CALLS = frozenset({"REDUCE", "INST", "OBJ"})

# What cloudpickle and dill rebuild functions and classes with.
_CODE = re.compile(
    r"cloudpickle\.(cloudpickle|cloudpickle_fast)\.(?!load)\w+|cloudpickle\.(?!load)_\w+"
    r"|joblib\.externals\.cloudpickle\.\w+\.(?!load)\w+"
    r"|dill\._dill\._\w+|types\.(CodeType|FunctionType|MethodType|new_class|prepare_class)"
    r"|(builtins|new)\.(code|function|classobj|instancemethod)|__builtin__\.(code|function)"
)

# scipy.stats: what `rv_generic.__setstate__` runs, as scipy writes it. No call can be in it.
_NAMES, _DEFAULTS = r"[\w, ]*", r"[\w, ='\[\]]*"
_ARGUMENT_PARSERS = re.compile(
    rf"\ndef _parse_args\(self, {_DEFAULTS}\):\n    return \({_NAMES}\), \w+, \w+\n"
    rf"\ndef _parse_args_rvs\(self, {_DEFAULTS}\):\n"
    rf"    return self\._argcheck_rvs\({_NAMES}(, size=size)?\)\n"
    rf"\ndef _parse_args_stats\(self, {_DEFAULTS}\):\n"
    rf"    return \({_NAMES}\), \w+, \w+, moments\n"
)
_PAIR = 2
_DISTRIBUTION = re.compile(
    r"scipy\.stats\._(continuous_distns|discrete_distns|distn_infrastructure)\.(?!rv_frozen)\w+"
)
_PARSED = "_parse_arg_template"

# statsmodels: what its `ModelData.__setstate__`, or a prediction, evaluates as Python.
FORMULAS = frozenset(
    {"formula", "design_info", "model_spec", "restore_design_info", "restore_model_spec"}
)

# A dictionary whose items are its attributes: a pickle gives it itself as its state.
_BUNCH = Global("statsmodels.tools.tools", "Bunch")


class Listed(Struct, frozen=True, kw_only=True):
    """A name on a list.

    Attributes:
        distribution: whose pickles ask for it; `python` for the standard library.
        since, until: the first and the last version that it was seen in.
        called: whether a pickle may call it.
    """

    distribution: str
    since: str
    until: str
    called: bool


def classify(name: Global, reached: Collection[str] = ()) -> tuple[Verdict, str]:
    """Return what a name is judged to be, and why in a few words (empty where it is safe).

    Args:
        name: what a pickle asks for.
        reached: the opcodes that ask for it and use it; without them only the name is judged.
    """
    if reason := why_dangerous(name):
        return Verdict.DANGEROUS, reason
    found = listed(name)
    if found is not None:
        if not found.called and not _CALLS.isdisjoint(reached):
            return Verdict.NEEDS_TRUST, CALLED
        return Verdict.SAFE, ""
    if name.module in ("__main__", "__mp_main__"):
        return Verdict.NEEDS_TRUST, OF_THE_SCRIPT
    if _CODE.fullmatch(str(name)):
        return Verdict.NEEDS_TRUST, CARRIES_CODE
    return Verdict.NEEDS_TRUST, UNKNOWN


def listed(name: Global) -> Listed | None:
    """Return what is known of a safe name; None where it is on no list."""
    file = _FILES.get(name.module.partition(".")[0], _STANDARD)
    return _names(file).get((name.module, name.name))


def lists() -> tuple[str, ...]:
    """Return the distributions that have a list, sorted."""
    return tuple(sorted({_STANDARD, *_FILES.values()}))


def names(distribution: str) -> tuple[Global, ...]:
    """Return the names on a distribution's list, sorted."""
    return tuple(Global(module, name) for module, name in sorted(_names(distribution)))


def judge_state(origin: Global, state: Any) -> tuple[Verdict, str] | None:
    """Return what is wrong with a state that an object is given; None where nothing is.

    A few safe classes run text that they find in their state when they are given it: what would
    be run is looked at here.

    Args:
        origin: the object's class.
        state: as the pickle has it; a dictionary's keys are text, or were not read.
    """
    if _DISTRIBUTION.fullmatch(str(origin)) or (isinstance(state, dict) and _PARSED in state):
        return _judge_distribution(state)
    if origin == _BUNCH and isinstance(state, Inert) and state.origin == _BUNCH:
        state = _items_by_name(state)
    if origin.module.startswith("statsmodels.") and not _plain(state):
        return Verdict.NEEDS_TRUST, "its state is no plain dictionary of attributes"
    if isinstance(state, dict) and (found := sorted(FORMULAS.intersection(state))):
        return Verdict.NEEDS_TRUST, f"its {found[0]} is text that is evaluated as Python"
    return None


def _judge_distribution(state: Any) -> tuple[Verdict, str] | None:
    """Return what is wrong with the state of a distribution of scipy, which runs a part of it."""
    if isinstance(state, tuple) and len(state) == _PAIR and _plain(state[0]):
        # scipy before 1.6: its constructor's arguments, and a generator. A dictionary of two
        # would be read as a name and its value.
        state = None if len(state[0]) == _PAIR else state[0]
    if not _plain(state):
        return Verdict.DANGEROUS, "it runs text of its state, which is no plain dictionary"
    text = state.get(_PARSED, "")
    if text != "" and not (isinstance(text, str) and _ARGUMENT_PARSERS.fullmatch(text)):
        return Verdict.DANGEROUS, "it runs text of its state, which is not scipy's own"
    return None


def _items_by_name(made: Inert) -> dict[str, Any] | None:
    """Return the items of a dictionary of a class of its own; None where a name was not read."""
    names: list[Any] = [
        item[0] if isinstance(item, tuple) and item else None for item in made.items
    ]
    return dict.fromkeys(names) if all(type(name) is str for name in names) else None


def _plain(state: Any) -> bool:
    """Return whether a state is a dictionary all of whose names were read."""
    return isinstance(state, dict) and all(type(key) is str for key in state)


@cache
def _names(distribution: str) -> dict[tuple[str, str], Listed]:
    """Return a distribution's list."""
    text = (files(__package__) / "allowed" / f"{distribution}.txt").read_text(encoding="utf-8")
    found = {}
    module = ""
    for line in text.splitlines():
        if line.startswith("  "):
            name, span, *called = line.split()
            since, _, until = span.partition("-")
            found[module, name] = Listed(
                distribution=distribution, since=since, until=until, called=bool(called)
            )
        elif not line.startswith("#"):
            module = line
    return found
