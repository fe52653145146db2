"""Writes what the documentation takes from the code: the reference, and the README's outputs.

`python docs/generate.py` writes; the tests compare what it would write with what is there.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import console

import brinery
from brinery import errors
from brinery.cli.main import cli
from brinery.specs.settings import Settings

DOCS = Path(__file__).parent
_BY_HAND = "<!-- made by docs/generate.py -->\n\n"


def pages() -> dict[Path, Callable[[], str]]:
    """Return every generated file with what writes it; the slow one last."""
    readme = DOCS.parent / "README.md"
    return {
        DOCS / "reference" / "cli.md": command_line,
        DOCS / "reference" / "settings.md": settings,
        DOCS / "reference" / "errors.md": error_tree,
        DOCS / "reference" / "api.md": api,
        readme: lambda: console.rendered(readme.read_text(encoding="utf-8")),
    }


def command_line() -> str:
    """Return the page of every command's help."""
    parts = [_BY_HAND, "# The command line\n"]
    for context in _contexts(_context(cli, "brinery")):
        told = context.command.get_help(context)
        parts.append(f"\n## {context.command_path}\n\n```text\n{told}\n```\n")
    return "".join(parts)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    """Give what a command's help is asked in, and that of each command beneath it."""
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            inner = group.get_command(context, name)
            if inner is not None:
                yield from _contexts(_context(inner, name, parent=context))


def _context(
    command: click.Command, name: str, *, parent: click.Context | None = None
) -> click.Context:
    settings = {**command.context_settings, "terminal_width": 80}
    return click.Context(command, info_name=name, parent=parent, **settings)


_GATES = """
## [gates]

Each `[gates.NAME]` is a gate, and `[[gates.NAME.rule]]` its rules.
[How to write a gate](../how-to/gate.md) has every key; no variable sets them.
"""
_DATA = """
## [datastores] and [map]

Names to folders or addresses, and addresses to what stands for them.
[Where data lie](../how-to/assets.md) shows both; no variable sets them.
"""
_ENVIRONMENTS = """
## [environments.map]

Names of environments and images of jobs, each to a list of requirements or to `current`.
[How jobs get their environments](../how-to/job-environments.md) shows them; no variable sets them.
"""


def settings() -> str:
    """Return the page of every setting."""
    parts = [
        _BY_HAND,
        "# Settings\n\n",
        "A setting is taken from its default, then `brinery.toml` in the workspace, then a ",
        "variable, then a flag; the last one wins.\n\n",
        "`BRINERY_WORKSPACE` names the workspace itself.\n",
    ]
    for section, field in Settings.model_fields.items():
        if section == "gates":
            parts += [_GATES, _DATA, _ENVIRONMENTS]
            continue
        parts.append(f"\n## [{section}]\n\n| setting | default | variable | what it is |\n")
        parts.append("|---|---|---|---|\n")
        for name, one in type(field.default).model_fields.items():
            value = one.default.value if isinstance(one.default, StrEnum) else one.default
            default = "none" if value is None else f"`{_in_toml(value)}`"
            variable = f"BRINERY_{section}_{name}".upper()
            parts.append(f"| `{name}` | {default} | `{variable}` | {one.description} |\n")
    return "".join(parts)


def _in_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def error_tree() -> str:
    """Return the page of every error, as a tree and as a table of codes."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    rows = "".join(
        f"| `{kind.code}` | `{kind.__name__}` | {kind.exit_status} | {_first_line(kind)} |\n"
        for _, kind in sorted(inspect.getmembers(errors, inspect.isclass), key=lambda m: m[0])
        if issubclass(kind, errors.BrineryError)
    )
    return (
        f"{_BY_HAND}# Errors\n\nEvery error has a code, a message that names the thing at fault, "
        "and a hint that is the next thing to do.\n"
        f"\n```text\n{inspect.cleandoc(tree)}\n```\n"
        f"\n| code | class in `brinery.errors` | exit status | meaning |\n|---|---|--:|---|\n{rows}"
    )


def api() -> str:
    """Return the page of the Python API."""
    head = "# The Python API\n\n`import brinery` costs nothing; a call loads what it needs.\n"
    names = [name for name in brinery.__all__ if not name.startswith("_")]
    entries = [_entry(f"brinery.{name}", getattr(brinery, name)) for name in names]
    return "".join([_BY_HAND, head, *entries])


def _entry(path: str, thing: Any) -> str:
    text = inspect.cleandoc(thing.__doc__ or "")
    parameters = "" if inspect.isclass(thing) else str(inspect.signature(thing))
    parameters = parameters.replace("'", "")
    parts = [f"\n## {path}\n\n```python\n{path}{parameters}\n```\n\n```text\n{text}\n```\n"]
    if inspect.isclass(thing):
        for name, method in inspect.getmembers(thing, inspect.isfunction):
            if not name.startswith("_") and method.__qualname__.startswith(thing.__name__):
                parts.append(_entry(f"{path}.{name}", method).replace("\n## ", "\n### ", 1))
    return "".join(parts)


def _first_line(kind: type[errors.BrineryError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def main() -> None:
    """Write every page, and say which changed."""
    for path, page in pages().items():
        text = page()
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        print(f"{'written' if changed else 'as it was':<10} {path.relative_to(DOCS.parent)}")
    sys.exit(0)


if __name__ == "__main__":
    main()
