"""The user's own modules: checked, and copied without what is none.

A model's process puts the copy first on its import path. So nothing in it may stand in the place
of the standard library or of a package that models and their process import: a name that is known
safe would mean something else.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.machinery import all_suffixes
from pathlib import Path

from brinery.errors import CodeUnusable

_MAX_FILES = 5_000
_MAX_BYTES = 50_000_000
_PACKAGE_MARK = "__init__.py"

# Folders in which no module of the user's own lies.
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"}

# What a model or its process imports; stands beside the standard library's own list.
_TAKEN = frozenset(
    {
        *("bottleneck", "brinery", "catboost", "category_encoders", "cloudpickle", "dask"),
        *("dateutil", "imblearn", "joblib", "lightgbm", "llvmlite", "lz4", "matplotlib"),
        *("mlflow", "msgspec", "numba", "numexpr", "numpy", "onnx", "onnxmltools"),
        *("onnxruntime", "packaging"),
        *("pandas", "patsy", "pip", "pkg_resources", "polars", "psutil", "pyarrow", "pydantic"),
        *("pytz", "safetensors", "scipy", "setuptools", "shap", "six", "skl2onnx", "sklearn"),
        *("skops", "statsmodels", "tensorflow", "threadpoolctl", "torch", "tqdm"),
        *("typing_extensions", "tzdata", "xgboost", "yaml"),
    }
)


def gather(code: Path, into: Path) -> tuple[str, ...]:
    """Return the top-level names of the modules in a folder, copied into another.

    Only `.py` files are copied. A folder that is a package itself is copied under its own name, as
    is a single module.

    Args:
        code: a folder, or one `.py` file.
        into: the folder that is made; it goes on the import path as it is.

    Raises:
        CodeUnusable: there are no modules, too many, a link, or one that would hide another's.
    """
    source = code.resolve()
    if not source.exists():
        raise CodeUnusable(
            f"--code {code} does not exist", hint="give the folder that your modules lie in"
        )
    into.mkdir(parents=True)
    if source.is_file():
        if source.suffix != ".py":
            raise CodeUnusable(
                f"--code {code} is no Python file", hint="give the folder that your modules lie in"
            )
        files = [source]
        root = source.parent
    else:
        files = _modules(source, code)
        root = source.parent if (source / _PACKAGE_MARK).is_file() else source
    for file in files:
        copy = into / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return _top_level(into, code)


def top_level(folder: Path) -> tuple[str, ...]:
    """Return the top-level names of the modules that a folder makes importable, sorted.

    Raises:
        CodeUnusable: one of them would hide another's.
    """
    return _top_level(folder, folder)


def _modules(source: Path, code: Path) -> list[Path]:
    """Return the Python files in a folder and those within."""
    found: list[Path] = []
    size = 0
    for parent, folders, names in os.walk(source):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED
            and not name.startswith(".")
            and not Path(parent, name, "pyvenv.cfg").exists()
        )
        for path in (Path(parent, name) for name in [*folders, *names]):
            if path.is_symlink() and (path.suffix == ".py" or path.is_dir()):
                raise CodeUnusable(
                    f"{path} is a link, and the modules are copied as they are",
                    hint="copy the folder with its links resolved: cp -rL",
                )
        files = [Path(parent, name) for name in sorted(names) if name.endswith(".py")]
        found += files
        size += sum(file.stat().st_size for file in files)
        if len(found) > _MAX_FILES or size > _MAX_BYTES:
            raise CodeUnusable(
                f"--code {code} holds more than {_MAX_FILES:,} Python files or "
                f"{_MAX_BYTES // 1_000_000} MB of them",
                hint="give the folder of the modules that the model needs, not a whole project",
            )
    if not found:
        raise CodeUnusable(
            f"--code {code} holds no Python file", hint="give the folder that your modules lie in"
        )
    return found


def _top_level(folder: Path, code: Path) -> tuple[str, ...]:
    names = {
        path.name.partition(".")[0]
        for path in folder.iterdir()
        if path.is_dir() or path.name.endswith(tuple(all_suffixes()))
    } - {"__pycache__"}
    taken = sorted(names & (_TAKEN | sys.stdlib_module_names))
    if taken:
        raise CodeUnusable(
            f"{code} holds a module '{taken[0]}', which would hide the library of that name",
            hint="rename it, or give the folder of your own modules only",
        )
    return tuple(sorted(names - {"__init__", "__main__"}))
