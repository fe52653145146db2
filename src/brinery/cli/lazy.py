"""A group of commands that are imported one by one, when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

# Its command's module, with the attribute where that is not `command`; and what the group's help
# says of it, which must not cost an import.
Entry = tuple[str, str]


class LazyGroup(click.Group):
    """A group whose commands are imported only when one of them is used.

    Args:
        entries: name to entry, in the order that the help lists them.
    """

    entries: Mapping[str, Entry]

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        del ctx
        if cmd_name not in self.entries:
            return None
        module, _, attribute = self.entries[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute or "command")
        assert isinstance(found, click.Command)  # noqa: S101 - for the type checker
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; a wrong name is met with the nearest."""
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            from brinery.specs.names import nearest

            # The first name of the path is the program's.
            above = "".join(f"{name} " for name in ctx.command_path.split()[1:])
            near = nearest(args[0], self.entries)
            told = f": did you mean '{above}{near}'?" if near else ""
            raise click.UsageError(f"there is no command '{above}{args[0]}'{told}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in self.entries.items()])
