"""A Ray cluster of the tests' own: two nodes on this machine, in a process that ends with us."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Read a line each: `lose` kills the second node with all its workers, `add` starts another.
_PROGRAM = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
second = cluster.add_node(num_cpus=1, resources={"second": 1})
print(cluster.address, flush=True)
for line in sys.stdin:
    if line == "lose\\n":
        cluster.remove_node(second, allow_graceful=False)
    else:
        second = cluster.add_node(num_cpus=1, resources={"second": 1})
        cluster.wait_for_nodes()
    print("done", flush=True)
cluster.shutdown()
"""


class Cluster:
    """Two nodes, each with one processor; the second offers a resource `second`.

    Args:
        process: that keeps them.
        address: of the head.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address

    def lose_node(self) -> None:
        """Kill the second node, and everything on it."""
        self._tell("lose")

    def add_node(self) -> None:
        """Start a second node again."""
        self._tell("add")

    def _tell(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == "done"


@contextmanager
def running() -> Iterator[Cluster]:
    """Run a cluster while the block runs."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield Cluster(process, address)
    finally:
        process.stdin.close()
        process.wait(timeout=120)
        process.stdout.close()
