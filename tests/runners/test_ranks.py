"""What the processes of a step are told of each other."""

from __future__ import annotations

import json

from brinery.records.plan import Spread
from brinery.runners.ranks import (
    Machine,
    filled,
    filled_here,
    free_ports,
    ports_wanted,
    ranks_of,
)


def test_ranks_over_machines() -> None:
    """Ranks go from machine to machine, and all meet at the first."""
    ranks = ranks_of(Spread(instances=2, processes=2, distribution="pytorch"))
    assert ranks.machines == (2, 2)
    assert [ports_wanted(ranks.processes, machine) for machine in range(2)] == [1, 0]
    told = filled(ranks.processes, [Machine("10.0.0.1", (4000,)), Machine("10.0.0.2", ())])
    assert [(each["RANK"], each["NODE_RANK"], each["LOCAL_RANK"]) for each in told] == [
        ("0", "0", "0"),
        ("1", "0", "1"),
        ("2", "1", "0"),
        ("3", "1", "1"),
    ]
    assert {each["WORLD_SIZE"] for each in told} == {"4"}
    assert {(each["MASTER_ADDR"], each["MASTER_PORT"]) for each in told} == {("10.0.0.1", "4000")}


def test_workers_and_servers() -> None:
    """As many workers as asked for, over the machines; servers last, each at an address."""
    spread = Spread(instances=2, workers=3, parameter_servers=1, distribution="tensorflow")
    ranks = ranks_of(spread)
    assert (ranks.machines, ranks.serving) == ((2, 1, 1), 1)
    here = [Machine(f"10.0.0.{number}", (5, 6, 7)) for number in range(3)]
    told = [json.loads(each["TF_CONFIG"]) for each in filled(ranks.processes, here)]
    assert told[0]["cluster"] == {
        "worker": ["10.0.0.0:6", "10.0.0.0:7", "10.0.0.1:6"],
        "ps": ["10.0.0.2:5"],
    }
    assert [each["task"] for each in told] == [
        *({"type": "worker", "index": index} for index in range(3)),
        {"type": "ps", "index": 0},
    ]


def test_one_machine() -> None:
    """On one machine all is at loopback, at ports that are free; Ray's address is not told."""
    ranks = ranks_of(Spread(instances=2, distribution="tensorflow"))
    told = filled_here(ranks.processes, 2)
    cluster = json.loads(told[0]["TF_CONFIG"])["cluster"]["worker"]
    assert len({*cluster, f"127.0.0.1:{told[0]['MASTER_PORT']}"}) == 3
    assert filled_here(ranks_of(Spread(distribution="ray")).processes, 1) == ({},)
    assert filled_here(({},), 1) == ({},)
    assert len({*free_ports(20)}) == 20


def test_one_program_for_all() -> None:
    """What MPI begins is on one machine, and takes a processor for each process there."""
    ranks = ranks_of(Spread(instances=2, processes=4, distribution="mpi"))
    assert (ranks.processes, ranks.machines) == (({},), (8,))
