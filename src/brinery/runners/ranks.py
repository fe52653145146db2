"""The processes of a step that is several: what each is told of itself and of the others.

Where they run is not known when a step is made ready, so addresses and ports are written as marks,
`<host:0>` and `<port:0:1>`, for the machine that begins them to fill in.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

import msgspec

from brinery.records.plan import Spread
from brinery.runners.addresses import LOOPBACK

# The address of the Ray cluster that a step runs on; dropped where there is none.
CLUSTER: Final = "<cluster>"
_HOST: Final = re.compile(r"<host:(\d+)>")
_PORT: Final = re.compile(r"<port:(\d+):(\d+)>")

Variables = dict[str, str]


class Machine(NamedTuple):
    """Where some of the processes run.

    Attributes:
        address: that the others reach it under.
        ports: that nobody uses there.
    """

    address: str
    ports: tuple[int, ...]


class Ranks(NamedTuple):
    """The processes of a step.

    Attributes:
        processes: variables of each, those of a machine behind each other.
        machines: how many of them are on each.
        serving: how many of the last only serve the others, and end with them.
    """

    processes: tuple[Variables, ...] = ({},)
    machines: tuple[int, ...] = (1,)
    serving: int = 0


def ranks_of(spread: Spread) -> Ranks:
    """Return the processes of a step, with marks for what depends on where they run."""
    if spread.distribution == "ray":
        return Ranks(({"RAY_ADDRESS": CLUSTER},))
    if not spread.distribution and spread.instances == 1:
        return Ranks()
    if spread.distribution == "mpi":
        # One program begins all of them, on one machine.
        return Ranks(machines=(spread.instances * spread.processes,))
    if spread.distribution == "tensorflow":
        return _tensorflow(spread)
    found = []
    for rank in range(spread.instances * spread.processes):
        node, local = divmod(rank, spread.processes)
        found.append(_variables(spread, rank, node=node, local=local))
    return Ranks(tuple(found), (spread.processes,) * spread.instances)


def command_of(spread: Spread, command: str) -> str:
    """Return the text for bash that a step is begun with: MPI's begins all processes itself."""
    if spread.distribution != "mpi":
        return command
    world = spread.instances * spread.processes
    # Other kinds of MPI let root run it, and more processes than there are processors.
    return (
        f"mpirun --version 2>&1 | grep -qE 'Open ?MPI|OpenRTE' && "
        f"more='--allow-run-as-root --oversubscribe'; "
        f"exec mpirun $more -np {world} /bin/bash -c {shlex.quote(command)}"
    )


def program_of(spread: Spread) -> str:
    """Return the program that a step cannot do without; empty for none."""
    return "mpirun" if spread.distribution == "mpi" else ""


def ports_wanted(processes: Sequence[Variables], machine: int) -> int:
    """Return how many ports marks ask for on a machine."""
    marks = [
        int(number)
        for variables in processes
        for text in variables.values()
        for at, number in _PORT.findall(text)
        if int(at) == machine
    ]
    return max(marks, default=-1) + 1


def filled(
    processes: Sequence[Variables], machines: Sequence[Machine], *, cluster: str = ""
) -> tuple[Variables, ...]:
    """Return the variables of processes, with what the marks stand for."""

    def _fill(text: str) -> str:
        text = _HOST.sub(lambda mark: machines[int(mark[1])].address, text)
        text = text.replace(CLUSTER, cluster)
        return _PORT.sub(lambda mark: str(machines[int(mark[1])].ports[int(mark[2])]), text)

    return tuple(
        {name: _fill(text) for name, text in each.items() if text != CLUSTER or cluster}
        for each in processes
    )


def filled_here(processes: Sequence[Variables], machines: int) -> tuple[Variables, ...]:
    """Return the variables of processes that all run on this machine."""
    if not any("<" in text for each in processes for text in each.values()):
        return tuple(processes)
    here = [
        Machine(LOOPBACK, free_ports(ports_wanted(processes, number))) for number in range(machines)
    ]
    return filled(processes, here)


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports that nobody on this machine uses now, each another."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            probe = stack.enter_context(socket.socket())
            probe.bind(("", 0))
            found.append(int(probe.getsockname()[1]))
        return tuple(found)


def _variables(spread: Spread, rank: int, *, node: int, local: int) -> Variables:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(local),
        "NODE_RANK": str(node),
        "GROUP_RANK": str(node),
        "WORLD_SIZE": str(spread.instances * spread.processes),
        "LOCAL_WORLD_SIZE": str(spread.processes),
        "NODE_COUNT": str(spread.instances),
        "MASTER_ADDR": "<host:0>",
        "MASTER_PORT": "<port:0:0>",
        "AZUREML_CR_NODE_RANK": str(node),
        "AZUREML_PROCESS_NAME": f"rank_{rank}",
    }


def _tensorflow(spread: Spread) -> Ranks:
    """Return workers, then parameter servers, which have a machine of their own."""
    workers = spread.workers or spread.instances * spread.processes
    per = [workers // spread.instances] * spread.instances
    for node in range(workers % spread.instances):
        per[node] += 1
    places = [(node, local) for node, count in enumerate(per) for local in range(count)]
    last, servers = spread.instances, spread.parameter_servers
    cluster = {"worker": [f"<host:{node}>:<port:{node}:{local + 1}>" for node, local in places]}
    if servers:
        cluster["ps"] = [f"<host:{last}>:<port:{last}:{number}>" for number in range(servers)]
    found: list[Variables] = []
    for rank, (node, local) in enumerate(places):
        own = _variables(spread, rank, node=node, local=local)
        sizes = {"WORLD_SIZE": str(workers), "LOCAL_WORLD_SIZE": str(per[node])}
        found.append(own | sizes | {"TF_CONFIG": _task(cluster, "worker", rank)})
    for number in range(servers):
        name = {"AZUREML_PROCESS_NAME": f"ps_{number}"}
        found.append(name | {"TF_CONFIG": _task(cluster, "ps", number)})
    return Ranks(tuple(found), (*per, *([servers] if servers else [])), servers)


def _task(cluster: dict[str, list[str]], kind: str, index: int) -> str:
    told = {"cluster": cluster, "task": {"type": kind, "index": index}, "environment": "cloud"}
    return msgspec.json.encode(told).decode()
