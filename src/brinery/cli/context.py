"""What the commands of one call share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from brinery.cli.output import Format

_F = TypeVar("_F", bound=Callable[..., Any])


class Session:
    """What the commands of one call share.

    Attributes:
        workspace: that was named.
        format: of the output.
        done: whether nothing is left to be taken down when the process ends.
    """

    def __init__(self) -> None:
        self.workspace: Path | None = None
        self.format = Format.AUTO
        self.done = False


def format_option(function: _F) -> _F:
    """Return a command with `--format`."""

    def _remember(ctx: click.Context, _: click.Parameter, value: str) -> None:
        ctx.ensure_object(Session).format = Format(value)

    return click.option(
        "--format",
        type=click.Choice([form.value for form in Format]),
        default=Format.AUTO.value,
        show_default=True,
        expose_value=False,
        callback=_remember,
        help="human for people, json for programs, quiet for names only; auto is human.",
    )(function)
