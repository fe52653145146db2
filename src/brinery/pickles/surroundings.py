"""What a model's process is given of this one's: a few variables, and where to import from."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping
from pathlib import Path

# What changes how text, time and arithmetic come out, or where libraries lie. Nothing else: the
# rest of an environment is full of keys and addresses.
_PASSED = (
    "KMP_DUPLICATE_LIB_OK",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOKY_MAX_CPU_COUNT",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    # Another kernel of the library sums in another order: the last digits would be others.
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONUTF8",
    "TZ",
)
_PASSED_PREFIX = "LC_"


def variables(environ: Mapping[str, str], *, scratch: Path) -> dict[str, str]:
    """Return the variables of a model's process.

    Args:
        environ: of this process.
        scratch: the one folder it may write in, its home among others.
    """
    given = {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIX)
    }
    folder = str(scratch)
    return {
        **given,
        "HOME": folder,
        "TMPDIR": folder,
        "USER": "model",
        "LOGNAME": "model",
        "JOBLIB_TEMP_FOLDER": folder,
        "MPLCONFIGDIR": folder,
        "NUMBA_CACHE_DIR": folder,
        "XDG_CACHE_HOME": folder,
        "XDG_CONFIG_HOME": folder,
        # No device is open to it, so none is looked for.
        "CUDA_VISIBLE_DEVICES": "",
        # joblib would ask a program how many processors there are.
        "LOKY_MAX_CPU_COUNT": given.get("LOKY_MAX_CPU_COUNT", str(os.cpu_count() or 1)),
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        # `~` is another folder there, and packages that were installed for this user are under it.
        "PYTHONUSERBASE": site.getuserbase(),
    }


def import_paths(environ: Mapping[str, str]) -> list[str]:
    """Return the folders that the user put on the import path."""
    named = environ.get("PYTHONPATH", "").split(os.pathsep)
    return [str(Path(path).absolute()) for path in named if path]


def readable(environ: Mapping[str, str]) -> list[str]:
    """Return what else a Python that is started like this one reads."""
    libraries = environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [*filter(None, libraries), *user, str(Path(sys.executable).parent)]
