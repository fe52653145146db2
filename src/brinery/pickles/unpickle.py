"""The one function that unpickles. It refuses anywhere but in a child made for it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib

_in_child = False


def enter_child() -> None:
    """State that this process was started to hold one model and nothing else."""
    global _in_child  # noqa: PLW0603 - a process is a child for its whole life
    _in_child = True


def unpickle(path: Path) -> Any:
    """Return the object that a pickle or joblib file makes; running it is what that means.

    Raises:
        RuntimeError: this process is not a child made for one model.
        Exception: whatever the file raises.
    """
    if not _in_child:
        raise RuntimeError("a pickle is loaded in a child process only")
    return joblib.load(path)


def rewrite(model: Any, path: Path) -> None:
    """Write a model as a plain pickle, which MLflow and `pickle.load` read as it is.

    Raises:
        RuntimeError: this process is not a child made for one model.
    """
    if not _in_child:
        raise RuntimeError("a model is pickled in the child that holds it only")
    with path.open("wb") as stream:
        pickle.dump(model, stream, protocol=5)
