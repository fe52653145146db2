"""`brinery job`: the commands about jobs, each in a module that is imported when it is used."""

from __future__ import annotations

import click

from brinery.cli.lazy import LazyGroup

_COMMANDS = {
    "archive": ("brinery.cli.jobs:archive", "Have lists leave a job out."),
    "cancel": ("brinery.cli.jobs:cancel", "Ask for the end of a job."),
    "create": ("brinery.cli.job_create:create", "Run the job of a file."),
    "download": ("brinery.cli.jobs:download", "Copy what a job left."),
    "explain": ("brinery.cli.job_create:explain", "Say why each step ran or was reused."),
    "list": ("brinery.cli.jobs:list_jobs", "List the jobs."),
    "logs": ("brinery.cli.jobs:logs", "Print the log of a step."),
    "prune": ("brinery.cli.jobs:prune", "Remove old jobs, and what only they left."),
    "rerun": ("brinery.cli.job_create:rerun", "Run the plan of an earlier job again."),
    "restore": ("brinery.cli.jobs:restore", "Have lists have a job again."),
    "resume": ("brinery.cli.job_create:resume", "Go on with a job that failed or was killed."),
    "show": ("brinery.cli.jobs:show", "Show a job, or a step of it."),
    "stream": ("brinery.cli.jobs:stream", "Print what a job says until it is over."),
    "update": ("brinery.cli.jobs:update", "Change a job's tags or its name in lists."),
    "validate": ("brinery.cli.job_validate:validate", "Check a file, and run nothing."),
}


@click.group("job", cls=LazyGroup, entries=_COMMANDS)
def command() -> None:
    """Run the job YAML that people have: commands, pipelines and sweeps."""
