"""Writes `src/brinery/pickles/allowed/`: the exact names that honest pickles may ask for.

    python policy/generate.py

It builds one environment for each release of scikit-learn below, with the frameworks of its day
(cached under `~/.cache/brinery-tests/policy`), records in each what the pickles of fitted models
ask for (`record.py`, `fitted.py`), and writes what `reviewed.py` lets through: classes; and of
functions, and of what may be called, only what stands there with a reason. The methods of those
classes (`methods.py`) go to `allowed/methods.txt`.
It needs uv, the Pythons named below (an environment without its Python is left out, and said),
and about ten minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import reviewed
from packaging.version import Version

HERE = Path(__file__).parent
OUT = HERE.parent / "src" / "brinery" / "pickles" / "allowed"
CACHE = Path.home() / ".cache" / "brinery-tests" / "policy"

# scikit-learn, its Python, and what was current beside it.
ENVIRONMENTS = {
    "0.22.2.post1": (
        "3.8",
        (
            "numpy==1.18.5 pandas==1.0.5 scipy==1.4.1 joblib==0.14.1 xgboost==1.2.1 "
            "lightgbm==2.3.1 catboost==0.26 category-encoders==2.2.2 statsmodels==0.11.1 "
            "setuptools==59.8.0"
        ),
    ),
    "0.24.2": (
        "3.8",
        (
            "numpy==1.19.5 pandas==1.1.5 scipy==1.5.4 joblib==1.0.1 xgboost==1.5.2 "
            "lightgbm==3.2.1 catboost==1.0.6 category-encoders==2.2.2 statsmodels==0.12.2 "
            "imbalanced-learn==0.8.1 pyarrow==8.0.0 wheel setuptools==59.8.0"
        ),
    ),
    "1.0.2": (
        "3.9",
        (
            "numpy==1.21.6 pandas==1.3.5 scipy==1.7.3 joblib==1.1.1 xgboost==1.6.2 "
            "lightgbm==3.3.5 catboost==1.1.1 category-encoders==2.4.1 statsmodels==0.13.2 "
            "imbalanced-learn==0.9.0 pyarrow==8.0.0 setuptools==59.8.0"
        ),
    ),
    "1.1.3": (
        "3.10",
        (
            "numpy==1.22.4 pandas==1.4.4 scipy==1.8.1 joblib==1.1.0 xgboost==1.6.2 "
            "lightgbm==3.3.2 catboost==1.0.6 category-encoders==2.5.1.post0 "
            "statsmodels==0.13.2 imbalanced-learn==0.9.1 pyarrow==9.0.0 setuptools==59.8.0"
        ),
    ),
    "1.2.2": (
        "3.10",
        (
            "numpy==1.23.5 pandas==1.5.3 scipy==1.9.3 joblib==1.2.0 xgboost==1.7.6 "
            "lightgbm==3.3.5 catboost==1.1.1 category-encoders==2.6.0 statsmodels==0.13.5 "
            "imbalanced-learn==0.10.1 pyarrow==11.0.0 setuptools==65.5.0"
        ),
    ),
    "1.3.2": (
        "3.11",
        (
            "numpy==1.25.2 pandas==2.0.3 scipy==1.11.4 joblib==1.3.2 xgboost==2.0.3 "
            "lightgbm==4.1.0 catboost==1.2.2 category-encoders==2.6.3 statsmodels==0.14.0 "
            "imbalanced-learn==0.11.0 pyarrow==14.0.2"
        ),
    ),
    "1.4.2": (
        "3.11",
        (
            "numpy==1.26.4 pandas==2.1.4 scipy==1.12.0 joblib==1.4.0 xgboost-cpu==2.1.1 "
            "lightgbm==4.3.0 catboost==1.2.5 category-encoders==2.6.3 statsmodels==0.14.2 "
            "imbalanced-learn==0.12.2 pyarrow==16.0.0"
        ),
    ),
    "1.5.2": (
        "3.11",
        (
            "numpy==2.0.2 pandas==2.2.3 scipy==1.14.1 joblib==1.4.2 xgboost-cpu==2.1.4 "
            "lightgbm==4.5.0 catboost==1.2.8 category-encoders==2.6.4 statsmodels==0.14.4 "
            "imbalanced-learn==0.12.4 pyarrow==17.0.0"
        ),
    ),
    "1.6.1": (
        "3.12",
        (
            "numpy==2.1.3 pandas==2.2.3 scipy==1.15.1 joblib==1.4.2 xgboost-cpu==3.0.0 "
            "lightgbm==4.6.0 catboost==1.2.8 category-encoders==2.8.0 statsmodels==0.14.4 "
            "imbalanced-learn==0.13.0 pyarrow==19.0.0"
        ),
    ),
    "1.7.2": (
        "3.13",
        (
            "numpy==2.3.5 pandas==2.3.3 scipy==1.16.3 joblib==1.5.2 xgboost-cpu==3.1.2 "
            "lightgbm==4.6.0 catboost==1.2.8 category-encoders==2.9.0 statsmodels==0.14.5 "
            "imbalanced-learn==0.14.0 pyarrow==22.0.0"
        ),
    ),
    "1.8.0": (
        "3.13",
        (
            "numpy==2.4.0 pandas==3.0.0 scipy==1.17.0 joblib==1.5.3 xgboost-cpu lightgbm "
            "catboost category-encoders==2.9.0 statsmodels imbalanced-learn==0.14.1 pyarrow"
        ),
    ),
    "1.9.1": (
        "3.11",
        (
            "numpy pandas scipy joblib xgboost-cpu lightgbm catboost category-encoders "
            "statsmodels imbalanced-learn pyarrow"
        ),
    ),
}

Name = tuple[str, str]


@dataclass
class Seen:
    """Where a name was seen, and what was done with it."""

    versions: set[Version] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)


@dataclass
class Kind:
    """What a class derives from, and the methods of its own."""

    bases: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)


def main() -> None:
    """Build, record, choose, write."""
    seen: dict[Name, Seen] = defaultdict(Seen)
    for release, (python, requirements) in ENVIRONMENTS.items():
        interpreter = find_python(python)
        if interpreter is None:
            print(f"scikit-learn {release}: left out, there is no Python {python}")
            continue
        record = recorded(release, interpreter, requirements.split())
        print(f"scikit-learn {release}: {record['pickles']:,} pickles")
        for name, use, version in chosen(record):
            seen[name].uses.add(use)
            seen[name].versions.add(version)
    for module, (names, span) in reviewed.MORE.items():
        for name in names.split():
            seen[module, name] = Seen({Version(end) for end in span.split("-")}, {"called"})
    for module, names in reviewed.TORCH.items():
        for name in names.split():
            called = name in reviewed.TORCH_CALLED.split()
            versions = {Version(end) for end in reviewed.TORCH_SPAN.split("-")}
            seen[module, name] = Seen(versions, {"called"} if called else {"named"})
    files: dict[str, dict[Name, Seen]] = defaultdict(dict)
    for name, what in seen.items():
        files[file_of(name[0])][name] = what
    OUT.mkdir(exist_ok=True)
    for file, names in sorted(files.items()):
        (OUT / f"{file}.txt").write_text(written(file, names), encoding="utf-8")
        print(f"{file}: {len(names)} names")
    kinds = gathered(sorted(seen))
    (OUT / "methods.txt").write_text(written_methods(kinds), encoding="utf-8")
    print(f"methods: {len(kinds)} classes")


def find_python(version: str) -> Path | None:
    """Return an interpreter of a version, from PATH or pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [*root.glob(f"versions/{version}.*/bin/python")]
    if on_path := shutil.which(f"python{version}"):
        found.append(Path(on_path))
    for candidate in found:
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def recorded(release: str, interpreter: Path, requirements: list[str]) -> dict[str, object]:
    """Return what `record.py` found in an environment, which is built where it is not."""
    folder = CACHE / f"scikit-learn-{release}"
    result = folder / "record.json"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    if not result.exists() or result.stat().st_mtime < newest_source():
        if not (folder / ".ready").exists():
            make = [*uv, "venv", "--quiet", "--clear", "--python", str(interpreter), str(folder)]
            subprocess.run(make, check=True)
            fill = [*uv, "pip", "install", "--quiet", "--only-binary", ":all:"]
            asked = [f"scikit-learn=={release}", *requirements]
            subprocess.run([*fill, "--python", str(python), *asked], check=True)
            (folder / ".ready").touch()
        with (folder / "record.log").open("w") as log:
            command = [str(python), str(HERE / "record.py"), str(result)]
            subprocess.run(command, check=True, stdout=log, stderr=log)
    held: dict[str, object] = json.loads(result.read_text())
    return held


def gathered(names: list[Name]) -> dict[str, Kind]:
    """Return the bases and the methods of the classes among the names, in any version."""
    kinds: dict[str, Kind] = defaultdict(Kind)
    asked = CACHE / "names.json"
    asked.write_text(json.dumps(names))
    for release in ENVIRONMENTS:
        folder = CACHE / f"scikit-learn-{release}"
        python, result = folder / "bin" / "python", folder / "methods.json"
        if not python.exists():
            continue
        command = [str(python), str(HERE / "methods.py"), str(asked), str(result)]
        subprocess.run(command, check=True, capture_output=True)
        for path, (bases, methods) in json.loads(result.read_text()).items():
            kinds[path].bases.update(bases)
            kinds[path].methods.update(methods)
    return kinds


def written_methods(kinds: dict[str, Kind]) -> str:
    """Return a file of classes, each with its direct bases and its own methods."""
    lines = [
        "# The classes that are listed and their bases, in any of the versions that they were",
        "# seen in: the name of each, its direct bases, the methods of its own.",
        "# Written by policy/generate.py, from what policy/methods.py finds.",
    ]
    for path, kind in sorted(kinds.items()):
        lines.append(f"{path}:{' '.join(sorted(kind.bases))}:{' '.join(sorted(kind.methods))}")
    return "\n".join(lines) + "\n"


def newest_source() -> float:
    """Return when what is run in the environments was last changed."""
    return max((HERE / name).stat().st_mtime for name in ("record.py", "fitted.py"))


def chosen(record: dict[str, object]) -> Iterator[tuple[Name, str, Version]]:
    """Give the names that are let through, with their use and their package's version."""
    classes = {(module, name): bases for module, name, bases in record["classes"]}  # type: ignore[attr-defined]
    for module, name, uses in record["uses"]:  # type: ignore[attr-defined]
        if module == "getattr" or reviewed.NEVER.fullmatch(module):
            continue
        if f"{module} {name}" in reviewed.NEVER_NAMES:
            continue
        is_class = "made" in uses or (module, name) in classes or module in STANDARD_MODULES
        for use in uses:
            if (use == "called" and may_be_called(module, name)) or (
                use != "called" and (is_class or may_be_named(module, name))
            ):
                yield (module, name), use, version_of(record, module)
    for (module, name), bases in classes.items():
        if listed_unseen(module, bases):
            yield (module, name), "named", version_of(record, module)
    yield reviewed.JOBLIB, "called", version_of(record, "joblib")


# Of the standard library, only classes are asked for that are not functions: see FUNCTIONS.
STANDARD_MODULES = frozenset(
    "builtins collections datetime decimal fractions pathlib pathlib._local random types"
    " uuid".split()
)


def may_be_called(module: str, name: str) -> bool:
    """Return whether a pickle may call it, by a reason in `reviewed.py`."""
    listed = module in reviewed.CALLED and name in reviewed.CALLED[module][1].split()
    made_by_cython = name.startswith("__pyx_unpickle_")
    return listed or made_by_cython or any(map(module.startswith, reviewed.CALLED_STARTS))


def may_be_named(module: str, name: str) -> bool:
    """Return whether it is a function that a model may name, by `reviewed.py`."""
    if may_be_called(module, name):
        return True
    names = reviewed.FUNCTIONS.get(module, "")
    return names == reviewed.UFUNCS or name in names.split()


def listed_unseen(module: str, bases: list[str]) -> bool:
    """Return whether a class is listed though no recorded pickle named it."""
    if reviewed.NEVER.fullmatch(module) or "builtins.type" in bases:
        return False
    if any(base.startswith("builtins.") and base.endswith(("Error", "Warning")) for base in bases):
        return False
    return bool(reviewed.MODULES.fullmatch(module)) or not reviewed.BASES.isdisjoint(bases)


def version_of(record: dict[str, object], module: str) -> Version:
    """Return the version of the package that a module is of, or of Python."""
    versions = record["versions"]
    package = "sklearn" if module == "_loss" else module.partition(".")[0]
    found = Version(versions.get(package) or str(record["python"]))  # type: ignore[attr-defined]
    return Version(f"{found.major}.{found.minor}")


def file_of(module: str) -> str:
    """Return the file that a module's names are written to."""
    return reviewed.FILES.get(module.partition(".")[0], reviewed.STANDARD)


def written(file: str, names: dict[Name, Seen]) -> str:
    """Return a file of names, grouped by module."""
    lines = [
        f"# The names that pickles of {file} may ask for, and the versions they were seen in.",
        "# `called`: it may be called; the others are classes to make objects of, or are named.",
        "# Written by policy/generate.py: change policy/reviewed.py, and run it again.",
    ]
    last = ""
    for (module, name), seen in sorted(names.items()):
        if module != last:
            lines.append(module)
            last = module
        span = f"{min(seen.versions)}-{max(seen.versions)}"
        lines.append(f"  {name} {span}{' called' if 'called' in seen.uses else ''}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
