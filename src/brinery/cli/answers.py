"""What the commands about jobs and assets print: `--query` asks, `-o` says in which form.

The keys and the forms are those that scripts for such files expect. Data go to standard output,
all else to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format

_F = TypeVar("_F", bound=Callable[..., Any])

_CELL = 60


class Form(StrEnum):
    """The form of an answer."""

    JSON = "json"
    YAML = "yaml"
    TABLE = "table"
    TSV = "tsv"
    NONE = "none"


def name_options(argument: str, metavar: str = "NAME") -> Callable[[_F], _F]:
    """Return what gives a command a name, as an argument or with `--name`.

    Args:
        argument: what the name is called where the command takes it.
        metavar: what the help calls it.
    """

    def add(function: _F) -> _F:
        option = click.option("-n", "--name", help="The same, as scripts write it.")
        return click.argument(argument, metavar=f"[{metavar}]", required=False)(option(function))

    return add


def answer_options(function: _F) -> _F:
    """Return a command with `--query`, `-o` and `--format`; what it returns is for `answer`."""
    query = click.option("--query", metavar="JMESPATH", help="What of the answer is printed.")
    form = click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice([form.value for form in Form]),
        help="The form of the answer. Default: a table, or JSON with --query.",
    )
    return query(form(format_option(function)))


def answer(
    session: Session,
    value: Any,
    *,
    query: str | None,
    form: str | None,
    columns: Sequence[str] = (),
) -> None:
    """Print an answer, or what is asked of it.

    Args:
        session: which knows of `--format`.
        value: made of dicts, lists and plain values.
        query: what is asked of it, in JMESPath; all where it is None.
        form: in which it is printed; where it is None a table, or JSON.
        columns: of the table, each a path of keys such as `creation_context.created_at`.

    Raises:
        click.UsageError: the query is none.
    """
    if query:
        value = _asked(query, value)
    if form is None:
        chosen = {Format.JSON: Form.JSON, Format.QUIET: Form.TSV}.get(session.format)
        chosen = chosen or (Form.JSON if query else Form.TABLE)
        if session.format is Format.QUIET and not query:
            value = _asked("[].name" if isinstance(value, list) else "name", value)
    else:
        chosen = Form(form)
    match chosen:
        case Form.JSON:
            import json

            print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
        case Form.YAML:
            import yaml

            plain = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            print(plain.removesuffix("...\n").rstrip("\n"))
        case Form.TABLE:
            _table(value, columns if not query else ())
        case Form.TSV:
            for row in value if isinstance(value, list) else [value]:
                print(_row(row))
        case Form.NONE:
            pass


def _asked(query: str, value: Any) -> Any:
    import jmespath

    try:
        return jmespath.search(query, value)
    except jmespath.exceptions.JMESPathError as error:
        said = " ".join(str(error).split())
        raise click.UsageError(f"--query {query} is no JMESPath: {said}") from None


def _table(value: Any, columns: Sequence[str]) -> None:
    from brinery.cli.output import note, print_facts, print_table

    if isinstance(value, list):
        rows = [row if isinstance(row, dict) else {"value": row} for row in value]
        if not rows:
            note("there are none")
            return
        shown = list(columns) or [key for key, one in rows[0].items() if not _deep(one)]
        heads = [column.rpartition(".")[2].replace("_", " ") for column in shown]
        print_table(heads, [[_cell(_at(row, column)) for column in shown] for row in rows])
    elif isinstance(value, dict):
        print_facts(
            [(key, _flat(one)) for key, one in value.items() if one not in (None, {}, [], "")]
        )
    elif value is not None:
        print(value)


def _deep(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _at(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> str:
    text = " ".join(_flat(value).split())
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_flat(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(one) for one in value)
    return "" if value is None else str(value)


def _row(value: Any) -> str:
    """Return a value as a line of tab-separated texts, as scripts read it into variables."""
    if isinstance(value, dict):
        return "\t".join(_text(one) for one in value.values())
    if isinstance(value, list):
        return "\t".join(_text(one) for one in value)
    return _text(value)


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return str(len(value))
    return str(value)


def named(ctx: click.Context, argument: str | None, *, option: str | None = None) -> str:
    """Return the name that was given, as an argument or with `--name`.

    Raises:
        click.UsageError: none was, or two.
    """
    if argument and option and argument != option:
        raise click.UsageError(f"{argument} and --name {option} are two names", ctx)
    found = argument or option
    if not found:
        raise click.UsageError("a name is missing", ctx)
    return found
