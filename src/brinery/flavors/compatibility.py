"""Whether this Python can load a model file: asked of its scan, before anything is loaded."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata

from packaging.version import InvalidVersion, Version

from brinery.errors import ClassNotImportable, LibraryMismatch, LibraryMissing, NotAModel
from brinery.records.scan import ScanReport

# Where the module's name is not the distribution's.
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "category_encoders": "category-encoders",
    "imblearn": "imbalanced-learn",
    "skopt": "scikit-optimize",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "statsmodels": "statsmodels",
    "sksurv": "scikit-survival",
    "torch": "torch",
    "polars": "polars",
}


def top_modules(report: ScanReport) -> tuple[str, ...]:
    """Return the top-level modules that a pickle names, sorted."""
    return tuple(sorted({name.module.partition(".")[0] for name in report.globals}))


def check(report: ScanReport, file: str) -> list[str]:
    """Return what is worth a note; what cannot work is an error.

    Args:
        report: the scan of the model file.
        file: its name, for the messages.

    Raises:
        NotAModel: it holds a built-in type, such as a dict.
        ClassNotImportable: a class of it was defined in a script or notebook.
        LibraryMissing: a module it names is not installed.
        LibraryMismatch: another minor version of scikit-learn wrote it.
    """
    _check_holds_object(report, file)
    _check_main(report, file)
    _check_installed(report, file)
    notes = []
    for distribution, versions in report.versions.items():
        installed = metadata.version(distribution)
        for version in versions:
            if not _same_minor(version, installed):
                raise LibraryMismatch(
                    f"{file} was written by {distribution} {version}, and {installed} is "
                    "installed: its pickles are not made to load across versions",
                    hint=f"pip install '{distribution}=={version}'",
                )
            if version != installed:
                notes.append(f"written by {distribution} {version}, loaded by {installed}")
    return notes


def _check_holds_object(report: ScanReport, file: str) -> None:
    held = report.outermost.removeprefix("builtins.")
    if "." not in held:
        raise NotAModel(
            f"{file} holds {'an' if held[0] in 'aeiou' else 'a'} {held}, which cannot predict",
            hint="pickle the fitted estimator or pipeline itself",
        )


def _check_main(report: ScanReport, file: str) -> None:
    names = sorted(name.name for name in report.globals if name.module == "__main__")
    if names:
        raise ClassNotImportable(
            f"{file} needs {', '.join(f'__main__.{name}' for name in names)}, defined in the "
            "script or notebook that made it: the pickle holds its name, not its code",
            hint=f"move {names[0]} to a module, such as my_model.py, import it, and pickle again",
        )


def _check_installed(report: ScanReport, file: str) -> None:
    for module in top_modules(report):
        if module in sys.modules or importlib.util.find_spec(module) is not None:
            continue
        known = _DISTRIBUTIONS.get(module)
        versions = ", ".join(report.versions.get(known or module, ()))
        raise LibraryMissing(
            f"{file} needs the module '{module}'"
            + (f" (written by {known} {versions})" if versions else "")
            + ", which is not installed",
            hint=f"pip install {known}"
            if known
            else f"pip install what provides '{module}', or put its folder on PYTHONPATH",
        )


def _same_minor(written: str, installed: str) -> bool:
    try:
        return Version(written).release[:2] == Version(installed).release[:2]
    except InvalidVersion:
        return False
