"""Which distributions a script imports from, and which versions the data scientist's list has."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from brinery.errors import InvalidNotebook
from brinery.pipeline.notebook_cells import commented
from brinery.pipeline.notebook_source import Edit, Source, alias_name, shares_a_line, statements
from brinery.records.conversion import Package

# Modules whose distribution has another name; what is not here is asked of the caller, and last
# taken to be of the module's own name.
_DISTRIBUTIONS: Final = {
    "attr": "attrs", "Bio": "biopython", "bs4": "beautifulsoup4", "cairo": "pycairo",
    "Crypto": "pycryptodome", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "docx": "python-docx", "dotenv": "python-dotenv", "fitz": "pymupdf", "git": "gitpython",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "haversine": "haversine", "igraph": "python-igraph", "imblearn": "imbalanced-learn",
    "imgaug": "imgaug", "jose": "python-jose", "jwt": "pyjwt", "kafka": "kafka-python",
    "keras": "keras", "lightning": "lightning", "magic": "python-magic", "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl", "osgeo": "gdal", "PIL": "pillow", "pkg_resources": "setuptools",
    "pptx": "python-pptx", "psycopg2": "psycopg2-binary", "pylab": "matplotlib",
    "pytorch_lightning": "pytorch-lightning", "ruamel": "ruamel.yaml", "serial": "pyserial",
    "skimage": "scikit-image", "sklearn": "scikit-learn", "skopt": "scikit-optimize",
    "slugify": "python-slugify", "sklearn_pandas": "sklearn-pandas", "tables": "tables",
    "tensorflow_hub": "tensorflow-hub", "umap": "umap-learn", "usb": "pyusb",
    "usearch": "usearch", "win32api": "pywin32", "yaml": "pyyaml", "zmq": "pyzmq",
    "xgboost": "xgboost", "category_encoders": "category-encoders", "mpl_toolkits": "matplotlib",
    "azureml": "azureml-core", "snowflake": "snowflake-connector-python", "faiss": "faiss-cpu",
}  # fmt: skip
# Other names that a list may have for the same distribution.
_OTHER_NAMES: Final = {
    "opencv-python": {"opencv-python-headless", "opencv-contrib-python", "opencv"},
    "psycopg2-binary": {"psycopg2"},
    "pytorch-lightning": {"lightning"},
    "scikit-learn": {"sklearn"},
    "tensorflow": {"tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel"},
    "torch": {"pytorch"},
    "xgboost": {"xgboost-cpu", "py-xgboost", "py-xgboost-cpu"},
    "mlflow": {"mlflow-skinny", "azureml-mlflow"},
    "matplotlib": {"matplotlib-base"},
    "faiss-cpu": {"faiss-gpu", "faiss"},
    "azureml-core": {"azureml-sdk"},
    "beautifulsoup4": {"bs4"},
    "pyyaml": {"yaml"},
    "tables": {"pytables"},
}
# A distribution of this name is not what was meant: a stand-in, long without content.
_STAND_INS: Final = {"sklearn": "scikit-learn", "bs4": "beautifulsoup4"}
_CONDA_NAMES: Final = {
    "pytorch": "torch", "py-xgboost": "xgboost", "py-xgboost-cpu": "xgboost-cpu",
    "matplotlib-base": "matplotlib", "opencv": "opencv-python", "pytables": "tables",
}  # fmt: skip
# Distributions whose module Python has itself.
_BACKPORTS: Final = {
    "pathlib2": "pathlib", "subprocess32": "subprocess", "configparser": "configparser",
    "functools32": "functools", "unittest2": "unittest", "importlib": "importlib",
    "backports-zoneinfo": "zoneinfo", "pysqlite3": "sqlite3", "futures": "concurrent.futures",
    "enum34": "enum", "typing": "typing", "dataclasses": "dataclasses", "statistics": "statistics",
    "contextvars": "contextvars", "asyncio": "asyncio", "argparse": "argparse",
    "ipaddress": "ipaddress", "mock": "unittest.mock", "ordereddict": "collections",
}  # fmt: skip
_STAND_IN_MODULES: Final = {
    "pathlib2": "pathlib", "subprocess32": "subprocess", "unittest2": "unittest", "mock":
    "unittest.mock", "functools32": "functools", "contextlib2": "contextlib", "backports.zoneinfo":
    "zoneinfo", "pysqlite3": "sqlite3",
}  # fmt: skip
# What pandas loads for a method that no import names.
_BEHIND: Final = {
    "read_parquet": "pyarrow", "to_parquet": "pyarrow", "read_feather": "pyarrow",
    "to_feather": "pyarrow", "read_excel": "openpyxl", "to_excel": "openpyxl",
    "read_hdf": "tables", "to_hdf": "tables", "read_sql": "sqlalchemy", "to_sql": "sqlalchemy",
    "read_html": "lxml", "read_xml": "lxml",
}  # fmt: skip
_FOR_EFFECT: Final = {"sklearn.experimental", "__future__"}
_CONDA_PIN: Final = re.compile(r"([A-Za-z0-9_.-]+)\s*(?:(?<![=<>!~])=(?!=)\s*([^=\s]+)(?:=\S+)?)?")
_SKIPPED: Final = re.compile(r"\s*(?:#|-|$)")


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a data scientist's list has.

    Attributes:
        name: of its file; empty where there is none.
        requirements: by canonical name, as the list has them.
        python: such as `3.10`; empty where it is not said.
        channels: of conda.
    """

    name: str = ""
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    python: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the script needs.

    Attributes:
        packages: in order.
        removed: of the list, each with the reason.
        local: modules that lie beside the notebook.
        notes: a line each.
    """

    packages: tuple[Package, ...]
    removed: dict[str, str]
    local: tuple[str, ...]
    notes: tuple[str, ...]


def stated(text: str, name: str) -> Stated:
    """Return what a requirements or conda file has.

    Raises:
        InvalidNotebook: it is neither.
    """
    if not name.endswith((".yml", ".yaml")):
        return Stated(name=name, requirements=_listed(text.splitlines()))
    try:
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidNotebook(f"{name} is no YAML: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("dependencies"), list):
        raise InvalidNotebook(f"{name} is no conda file: it has no list of dependencies")
    lines: list[str] = []
    python = ""
    for one in found["dependencies"]:
        if isinstance(one, dict):
            lines += [str(line) for line in one.get("pip") or []]
            continue
        pin = _CONDA_PIN.match(str(one).rpartition("::")[2])
        if pin is None:
            continue
        package, version = pin.group(1).lower(), pin.group(2) or ""
        if package == "python":
            python = version or _first_version(str(one))
        elif package != "pip":
            lines.append(_CONDA_NAMES.get(package, package) + _of_conda(str(one), version))
    channels = tuple(str(one) for one in found.get("channels") or ())
    return Stated(name=name, requirements=_listed(lines), python=python, channels=channels)


def _first_version(text: str) -> str:
    found = re.search(r"\d+(?:\.\d+)*", text)
    return found.group() if found else ""


def _of_conda(text: str, version: str) -> str:
    """Return conda's specification as pip's: one `=` is a prefix there."""
    if version:
        return f"=={version}" if version.count(".") > 1 or "*" in version else f"=={version}.*"
    found = re.search(r"[<>!~=]=?.*", text)
    return found.group() if found else ""


def _listed(lines: Iterable[str]) -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    for line in lines:
        text = re.split(r"\s#|\s--", line, maxsplit=1)[0].strip()
        if _SKIPPED.match(text):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        found[canonicalize_name(requirement.name)] = requirement
    return found


def unused(source: Source, needed: set[str]) -> tuple[list[ast.stmt], list[Edit]]:
    """Return the imports at the top level that nothing needs, and edits of those half needed."""
    whole: list[ast.stmt] = []
    edits: list[Edit] = []
    for node in source.tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or _for_effect(node):
            continue
        if shares_a_line(source, node):
            continue
        used = [alias for alias in node.names if alias.name == "*" or alias_name(alias) in needed]
        if not used:
            whole.append(node)
        elif len(used) < len(node.names):
            lines = commented(source.segment(node).splitlines(), "import", number=source.cell(node))
            trimmed = ast.unparse(_with_names(node, used))
            edits.append(
                Edit(
                    begin=source.begin(node),
                    end=source.end(node),
                    text="\n".join([*lines, trimmed]),
                )
            )
    return whole, edits


def _with_names(
    node: ast.Import | ast.ImportFrom, names: list[ast.alias]
) -> ast.Import | ast.ImportFrom:
    if isinstance(node, ast.ImportFrom):
        return ast.ImportFrom(module=node.module, names=names, level=node.level)
    return ast.Import(names=names)


def included(source: Source, left: Iterable[ast.stmt]) -> list[Edit]:
    """Return the edits that import from Python itself what stand-ins of other days gave."""
    away = set(left)
    edits = []
    for node in statements(source.tree.body):
        if node in away:
            continue
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module in _STAND_IN_MODULES:
                text = ast.unparse(
                    ast.ImportFrom(module=_STAND_IN_MODULES[module], names=names, level=0)
                )
            case ast.Import(names=[ast.alias(name=module) as alias]) if module in _STAND_IN_MODULES:
                text = f"import {_STAND_IN_MODULES[module]} as {alias_name(alias)}"
            case _:
                continue
        edits.append(Edit(begin=source.begin(node), end=source.end(node), text=text))
    return edits


def _for_effect(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module in _FOR_EFFECT
    return any(alias.name in _FOR_EFFECT for alias in node.names)


def modules(tree: ast.Module) -> dict[str, None]:
    """Return the full names of all modules that a script imports, in order."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found[node.module] = None
    return found


def choose(
    tree: ast.Module,
    listed: Stated,
    *,
    beside: Callable[[str], bool],
    installed: Callable[[str], str],
    added: frozenset[str] = frozenset(),
) -> Chosen:
    """Return what a script needs of a list.

    Args:
        tree: of the script.
        listed: what the data scientist has.
        beside: whether a module of a name lies beside the notebook.
        installed: the version that a distribution has where this runs; empty for none. It is asked
            where there is no list.
        added: distributions that the notebook did not import, and the script does.
    """
    used: dict[str, list[str]] = {}
    local: dict[str, None] = {}
    for module in modules(tree):
        root = module.partition(".")[0]
        if beside(root):
            local[root] = None
        elif root not in sys.stdlib_module_names and root != "__main__":
            name = _distribution(module, listed)
            used.setdefault(name, []).append(root)
    for method, name in _BEHIND.items():
        if name in listed.requirements and _calls(tree, method):
            used.setdefault(name, []).append(method)
    notes: list[str] = []
    packages = tuple(
        Package(requirement=name, modules=tuple(found), source="logs what is measured")
        if name in added and name not in listed.requirements
        else _package(name, tuple(dict.fromkeys(found)), listed, installed=installed, notes=notes)
        for name, found in sorted(used.items())
    )
    return Chosen(
        packages=packages,
        removed=_removed(listed, set(used)),
        local=tuple(local),
        notes=tuple(notes),
    )


def _calls(tree: ast.Module, method: str) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr == method for one in ast.walk(tree))


def _distribution(module: str, listed: Stated) -> str:
    """Return the distribution that has a module; the list's own name for it, where it has one."""
    root = module.partition(".")[0]
    longest = [name for name in (module, root) if name in _DISTRIBUTIONS]
    name = canonicalize_name(_DISTRIBUTIONS[longest[0]] if longest else root)
    if name in listed.requirements:
        return name
    for other in sorted(_OTHER_NAMES.get(name, ())):
        if other in listed.requirements and other not in _STAND_INS:
            return other
    return name


def _package(
    name: str,
    found: tuple[str, ...],
    listed: Stated,
    *,
    installed: Callable[[str], str],
    notes: list[str],
) -> Package:
    requirement = listed.requirements.get(name)
    if requirement is not None:
        return Package(requirement=str(requirement), modules=found, source=listed.name)
    if listed.name:
        notes.append(f"{name} is imported, but {listed.name} has no version of it")
        return Package(requirement=name, modules=found)
    version = installed(name)
    if version:
        return Package(requirement=f"{name}=={version}", modules=found, source="installed here")
    notes.append(f"{name} is imported, and its version is not known")
    return Package(requirement=name, modules=found)


def _removed(listed: Stated, used: set[str]) -> dict[str, str]:
    removed: dict[str, str] = {}
    for name, requirement in listed.requirements.items():
        if name in used:
            continue
        if name in _BACKPORTS:
            removed[str(requirement)] = f"Python has {_BACKPORTS[name]} itself"
        elif name in sys.stdlib_module_names:
            removed[str(requirement)] = f"Python has {name} itself"
        elif name in _STAND_INS:
            removed[str(requirement)] = f"a stand-in for {_STAND_INS[name]}"
        else:
            removed[str(requirement)] = "not imported by what is left"
    return removed
