"""What brinery.toml says for jobs, read in a millisecond: `[datastores]`, `[map]`, environments.

A job of small steps has no time for the models of all other settings; whoever reads those checks
these by the same rules.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from brinery.errors import SettingsError
from brinery.specs.compatibility import unknown_step
from brinery.specs.software_names import CURRENT, Table

SECTIONS: Final = ("datastores", "map", "environments", "run")

_EXAMPLES: Final = {
    "datastores": 'full = "s3://bucket/prefix"',
    "map": '"https://host/data" = "data"',
}


class JobSettings(Struct, frozen=True):
    """What brinery.toml says for jobs.

    Attributes:
        datastores: name to URI or path.
        maps: address, or the beginning of addresses, to the path or URI that stands for it.
        environments: the section as it stands there.
        run: the section as it stands there.
    """

    datastores: dict[str, str] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def without(self) -> tuple[str, ...]:
        """Return the compatibility steps that no script is run with."""
        return tuple(self.run.get("without", ()))

    @property
    def environment_map(self) -> Table:
        """Return names of environments and images to what stands for them."""
        table: Table = self.environments.get("map", {})
        return table


def read(file: Path) -> JobSettings:
    """Return what brinery.toml, which need not exist, says for jobs.

    Raises:
        SettingsError: it cannot be read, or one of these sections is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8")
        # Most say nothing, and what reads them takes as long to import as a step to begin.
        declared = import_module("tomllib").loads(text) if text.strip(" \t\r\n") else {}
    except FileNotFoundError:
        return JobSettings()
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}", hint=f"ls -l {file} shows who may read it"
        ) from None
    except ValueError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}", hint=f"edit {file}") from None
    if found := faults(declared, where=str(file)):
        raise SettingsError("; ".join(found), hint="docs/how-to/assets.md shows these sections")
    sections = [declared.get(section, {}) for section in SECTIONS]
    return JobSettings(*sections)


def faults(declared: dict[str, Any], *, where: str) -> list[str]:
    """Return what is wrong with these sections of a settings file, a sentence each."""
    found = []
    for section, example in _EXAMPLES.items():
        values = declared.get(section, {})
        if not isinstance(values, dict):
            found.append(f"{where}: {section} is no section: write [{section}] and {example}")
            continue
        found += [
            f"{where}: {section}.{key} is no text: write {example}"
            for key, value in values.items()
            if not isinstance(value, str) or not value
        ]
    found += _of_environments(declared.get("environments", {}), where)
    return [*found, *_of_run(declared.get("run", {}), where)]


def _of_run(declared: Any, where: str) -> list[str]:
    """Return what is wrong with the section of scripts, a sentence each."""
    example = 'without = ["xgboost-labels"]'
    if not isinstance(declared, dict):
        return [f"{where}: run is no section: write [run] and {example}"]
    found = [
        f"{where}: run.{key} is not a setting: did you mean run.without?"
        for key in declared
        if key != "without"
    ]
    names = declared.get("without", [])
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return [*found, f"{where}: run.without is no list of names: write {example}"]
    wrong = unknown_step(names)
    return [*found, f"{where}: run.without: {wrong}"] if wrong else found


def _of_environments(declared: Any, where: str) -> list[str]:
    """Return what is wrong with the table of environments, a sentence each."""
    example = '"sklearn-1.5" = ["scikit-learn~=1.5.0"]'
    if not isinstance(declared, dict) or not isinstance(declared.get("map", {}), dict):
        return [f"{where}: environments.map is no section: write [environments.map] and {example}"]
    found = [
        f"{where}: environments.{key} is not a setting: did you mean environments.map?"
        for key in declared
        if key != "map"
    ]
    for name, value in declared.get("map", {}).items():
        listed = isinstance(value, list) and all(isinstance(each, str) for each in value)
        if not listed and value != CURRENT:
            found.append(
                f"{where}: environments.map: {name} is neither a list of requirements nor "
                f'"{CURRENT}": write {example}'
            )
    return found
