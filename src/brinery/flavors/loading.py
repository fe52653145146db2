"""A file becomes a loaded model of one flavor, in the model's process; what fails is said in words.

A pickle is loaded here and offered to every flavor; other formats are loaded by the flavor that
knows them. Either way the arrays of the model are checked before anything is asked of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from brinery import errors
from brinery.flavors import boosters, catalog, integrity, messages, trees
from brinery.flavors.callable import CallableFile, target
from brinery.flavors.corruption import Corrupt, refused
from brinery.flavors.interface import Flavor, Source
from brinery.pickles.refusals import reason
from brinery.pickles.unpickle import unpickle
from brinery.records.description import Description

_PICKLES = ("pickle", "joblib")


def load(request: messages.Load) -> tuple[Any, Flavor]:
    """Return the model that an order names, with the flavor that takes it.

    Raises:
        ModelFileError: it cannot be loaded, or holds no model; the subclass says why.
    """
    source = Source(
        path=Path(request.path),
        format=request.format,
        globals=request.globals,
        code=tuple(Path(folder) for folder in request.code),
    )
    sys.path[:0] = [folder for folder in request.code if folder not in sys.path]
    try:
        model = _loaded(source)
    except errors.BrineryError:
        raise
    except Corrupt as error:
        raise refused(source.path.name, "its trees", error=error) from None
    except Exception as error:  # noqa: BLE001 - a model file may raise anything
        raise _load_error(_called(source), error) from None
    integrity.check(model, file=source.path.name)
    return model, _owner(model, request)


def describe(model: Any, flavor: Flavor, *, file: str) -> Description:
    """Return what a loaded model says of itself.

    Raises:
        NotAModel: it is of no use; the message says why.
    """
    try:
        return flavor.describe(model)
    except errors.BrineryError:
        raise
    except Exception as error:  # noqa: BLE001 - a model may raise anything
        raise errors.NotAModel(
            f"{file} cannot be described: {reason(error)}",
            hint="fit the model before it is pickled",
        ) from None


def wants_frame(model: Any, flavor: Flavor) -> Optional[bool]:
    """Return whether a model that names no columns is given a frame; None where nothing tells."""
    try:
        return flavor.wants_frame(model)
    except Exception:  # noqa: BLE001 - a model's own class may not even tell its parameters
        return None


def _loaded(source: Source) -> Any:
    trees.guard(source.globals)
    if source.format in _PICKLES:
        boosters.guard(source.globals)
        return unpickle(source.path, source.globals)
    flavor = catalog.loader(source.format)
    if flavor is None:
        raise errors.NotAModel(
            f"{source.path.name} is of the format {source.format}, which no flavor loads",
            hint="pickle the fitted estimator or pipeline itself",
        )
    return flavor.load(source)


def _owner(model: Any, request: messages.Load) -> Flavor:
    flavor = catalog.owner(model, request.flavor)
    if flavor is None:
        what = type(model)
        raise errors.NotAModel(
            f"{Path(request.path).name} holds a {what.__module__}.{what.__qualname__}, "
            "which cannot predict",
            hint="pickle the fitted estimator or pipeline itself",
        )
    return flavor


def _called(source: Source) -> str:
    """Return what the user calls a model: a file, or the `module:name` that lies in one."""
    if source.format != CallableFile.name:
        return source.path.name
    return target(source.path)


def _load_error(name: str, error: Exception) -> errors.ModelFileError:
    if isinstance(error, ModuleNotFoundError):
        return errors.LibraryMissing(
            f"{name} needs the module '{error.name}', which is not installed",
            hint="install what it was made with, or put the module's folder on PYTHONPATH",
        )
    if isinstance(error, AttributeError) and (
        "Can't get attribute" in str(error) or isinstance(getattr(error, "obj", None), ModuleType)
    ):
        return errors.ClassNotImportable(
            f"{name} names a class that is not where it says: {error}",
            hint="install the version of the library that wrote it",
        )
    return errors.ModelLoadFailed(
        f"{name} could not be loaded: {reason(error)}",
        hint="load it once where it was made, and pickle it again",
    )
