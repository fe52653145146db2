"""What the original has and Brinery does not: it says so, and what does the same here."""

from __future__ import annotations

import sys
from opcode import opmap
from typing import Any, Callable, Dict

# Parts of the names of methods, and what to do instead; the first that fits is told.
_INSTEAD = (
    (
        ("analysis", "ml_task", "create_prediction", "train"),
        "a script of scikit-learn's own, and mlflow",
    ),
    (("scenario", "trigger"), "brinery schedule"),
    (("job",), "brinery job create FILE, or brinery run SCRIPT"),
    (("recipe",), "a script, which brinery run SCRIPT records in the flow"),
    (("databricks", "snowflake"), "brinery export REFERENCE"),
    (("jar", "pmml", "scoring_python"), "brinery export REFERENCE --to onnx"),
    (("zone", "flow", "bundle", "deployer"), "brinery flow"),
    (("permission", "user", "group", "acl", "auth"), "the rights of the system"),
    (("llm", "agent", "knowledge", "retrieval", "semantic"), "a library of its own"),
    (("notebook",), "brinery notebook convert"),
    (("wiki", "discussion", "dashboard", "insight"), "files beside the scripts"),
    (("webapp", "code_studio"), "brinery up"),
    (("create_external_model_version", "proxy"), "import_mlflow_version_from_path"),
    (("plugin", "macro", "app"), "a Python package"),
    (("connection",), "[datastores] of brinery.toml"),
    (("sql",), "SQLAlchemy, or brinery dataset create NAME --table TABLE"),
    (
        ("metadata", "tags"),
        "brinery dataset show, and brinery project variables for what is said of a thing",
    ),
    (("dataset",), "dataiku.Dataset, or brinery dataset create"),
    (("tree", "coef", "hyperparameter"), "get_scoring_mlflow, and the library's own attributes"),
)


class NotHere(NotImplementedError, AttributeError):
    """A name of the original that is not here: `hasattr` is False, and who uses it is told."""


class Partial:
    """A class of the original, some of whose methods are not here."""

    def __getattr__(self, name: str) -> Any:
        """Raise for a method that is not here.

        Raises:
            NotHere: it names what does the same.
            AttributeError: it is a name of Python's own.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        raise not_implemented(type(self).__name__ + "." + name)

    def __getstate__(self) -> Dict[str, Any]:
        """Return what a copy needs."""
        return self.__dict__

    def __setstate__(self, state: Dict[str, Any]) -> None:
        """Be a copy."""
        self.__dict__.update(state)


def not_implemented(name: str) -> NotHere:
    """Return the error for a name of the original that means nothing here."""
    plain = name.rpartition(".")[2].lower()
    found = next((told for words, told in _INSTEAD if any(one in plain for one in words)), "")
    instead = "; the nearest is: " + found if found else ""
    return NotHere(name + " is not supported by Brinery" + instead)


def refusal(said: str) -> NotImplementedError:
    """Return what the `__getattr__` of a module raises for a name that is not here.

    `hasattr` is False, and pickle, which looks for a name in all modules, goes on. Of an
    `AttributeError` an import by `from` would tell nothing, so that it gets another.

    Args:
        said: what is not here, and what does the same.
    """
    return NotImplementedError(said) if _is_import(sys._getframe(2)) else NotHere(said)


def _is_import(frame: Any) -> bool:
    """Return whether a name is asked for by `from module import name`."""
    code = frame.f_code
    if code.co_name == "_handle_fromlist":  # of a package
        return True
    return bool(code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"])


def absent(module: str, instead: str, **others: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that can be imported and has nothing in it.

    Args:
        module: its name.
        instead: what does the same here.
        others: likewise, by name, for names that something else does.
    """

    def refuse(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        raise refusal(
            f"{module}.{name} is not supported by Brinery; use {others.get(name, instead)}"
        )

    return refuse
