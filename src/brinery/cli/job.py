"""`brinery job`: the commands about jobs, each in a module that is imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

# Name, module and attribute, and what the help says, which must not cost an import.
_COMMANDS = {
    "archive": ("brinery.cli.jobs", "archive", "Have lists leave a job out."),
    "cancel": ("brinery.cli.jobs", "cancel", "Ask for the end of a job."),
    "create": ("brinery.cli.job_create", "create", "Run the job of a file."),
    "download": ("brinery.cli.jobs", "download", "Copy what a job left."),
    "explain": ("brinery.cli.job_create", "explain", "Say why each step ran or was reused."),
    "list": ("brinery.cli.jobs", "list_jobs", "List the jobs."),
    "logs": ("brinery.cli.jobs", "logs", "Print the log of a step."),
    "rerun": ("brinery.cli.job_create", "rerun", "Run the plan of an earlier job again."),
    "restore": ("brinery.cli.jobs", "restore", "Have lists have a job again."),
    "resume": ("brinery.cli.job_create", "resume", "Go on with a job that failed or was killed."),
    "show": ("brinery.cli.jobs", "show", "Show a job, or a step of it."),
    "stream": ("brinery.cli.jobs", "stream", "Print what a job says until it is over."),
    "update": ("brinery.cli.jobs", "update", "Change a job's tags or its name in lists."),
    "validate": ("brinery.cli.job_validate", "validate", "Check a file, and run nothing."),
}


class JobGroup(click.Group):
    """A group whose commands are imported one by one: a job of small steps has no time for all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - for the type checker
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; a wrong name is met with the nearest."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from brinery.specs.names import nearest

            near = nearest(args[0], _COMMANDS)
            message = f"there is no command 'job {args[0]}'" + (
                f": did you mean 'job {near}'?" if near else ""
            )
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in sorted(_COMMANDS)])


@click.group("job", cls=JobGroup)
def command() -> None:
    """Run the job YAML that people have: commands, pipelines and sweeps."""
