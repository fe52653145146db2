"""Runs attempts as tasks of a Ray cluster: the same plan, on as many machines as there are.

A task starts its share of an attempt as `local` does, on the machine that it was sent to, so that
processes, limits and what they used are the same. Log lines come back over a wire (`ray_wire`), and
requests to end go the other way: Ray's own way, an interrupt of Python, is lost where Python waits
for a process. Ray repeats nothing: an attempt that is lost with its machine is told as lost,
because its folder must be made ready again first.

Machines that see the workspace's folder work in it. One that does not says so, and from then on
what attempts need is also put where such machines find it: see `interface.Carrier`.
"""

from __future__ import annotations

import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import msgspec
import ray
from msgspec.structs import replace
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from brinery.errors import BrineryError, EndpointUnreachable
from brinery.runners.interface import Attempt, Carrier, Ended, Line
from brinery.runners.ranks import Machine
from brinery.runners.ray_sizes import sizes, unmet, wanted
from brinery.runners.ray_task import Task
from brinery.runners.ray_tries import ENDED_BY_US, NOTHING, Answer, Share, Try
from brinery.runners.ray_wire import Chunk, Wire

_POLL_S: Final = 0.2
_PATIENCE_S: Final = 20.0
_END_S: Final = 10.0
_LOST_LINES_S: Final = 10.0
_AT_ONCE: Final = 1 << 20
_WAITERS: Final = 10_000
_THREADS: Final = 4

_ENCODER: Final = msgspec.msgpack.Encoder()
_SHARE: Final = msgspec.msgpack.Decoder(Share)
_ANSWER: Final = msgspec.msgpack.Decoder(Answer)
_FAULTS: Final = (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError)

# What the job's own threads put into the inbox: lines, or what is to be done by the loop's thread.
_News = Chunk | Callable[[], "list[Ended | Line]"] | None


class RayRunner:
    """Tasks of a cluster.

    Args:
        address: of the cluster, `auto`, `HOST:PORT` or `ray://HOST:PORT`; one is started on this
            machine when empty.
        protected: absolute folders that no attempt may write to, where the system can hold it.
        carrier: brings what attempts need to machines that do not see the workspace's folder; None
            where all must.

    Raises:
        EndpointUnreachable: no cluster answers there.
    """

    def __init__(
        self, address: str = "", protected: Sequence[str] = (), *, carrier: Carrier | None = None
    ) -> None:
        self._ours = not ray.is_initialized()
        if self._ours:
            _join(address)
        self._cluster = _Cluster(protected, carrier)
        self._carrier = carrier
        self._apart = False
        self._tries: dict[str, Try] = {}
        self._tickets = count()
        self._inbox: SimpleQueue[_News] = SimpleQueue()
        self._waited: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ray")
        listen = partial(self._cluster.listen, self._inbox.put)
        threading.Thread(target=listen, name="ray-lines", daemon=True).start()

    @property
    def name(self) -> str:
        """Return `ray`."""
        return "ray"

    @property
    def capacity(self) -> int:
        """Return the number of processors of the cluster."""
        return max(1, int(sum(each.get("CPU", 0) for each in _machines())))

    def start(self, attempt: Attempt, /) -> None:
        """Send an attempt to the cluster, which begins it where there is room."""
        running = Try(attempt, f"{attempt.name}#{next(self._tickets)}")
        self._tries[attempt.name] = running
        self._send(running)

    def stop(self, name: str, /) -> None:
        """End an attempt: its tasks are told, and end what they started."""
        running = self._tries.get(name)
        if running is not None and not running.stopped:
            running.stopped = True
            self._cluster.end(running)

    def wait(self, timeout_s: float, /) -> list[Ended | Line]:
        """Return what happened, waiting until something has or the time is over."""
        found: list[Ended | Line] = []
        end = time.monotonic() + timeout_s
        while True:
            told = self._news(0.0 if found else max(0.0, end - time.monotonic()))
            for news in told:
                if isinstance(news, Chunk):
                    found += self._hear(news)
                elif news is not None:
                    found += news()
            found += self._ends()
            if found or None in told or time.monotonic() >= end:
                return found

    def wake(self) -> None:
        """Have `wait` return at once."""
        self._inbox.put(None)

    def close(self) -> None:
        """End everything that still runs; leave the cluster, or end it where it is ours."""
        for name in [*self._tries]:
            self.stop(name)
        self._cluster.close([*self._tries.values()])
        self._tries.clear()
        self._pool.shutdown(wait=True)
        if self._ours:
            ray.shutdown()

    def _send(self, running: Try) -> None:
        """Begin a try, once what it needs is where its machines find it."""
        carrier = self._carrier
        if self._apart and carrier is not None:
            running.carried = True
            attempt = running.attempt
            self._aside(
                lambda: carrier.send(attempt), partial(self._begin, running), running=running
            )
        else:
            self._begin(running, b"")

    def _begin(self, running: Try, package: bytes) -> list[Ended | Line]:
        """Have the cluster begin each share of a try where there is room."""
        try:
            told = self._cluster.begin(running, partial(self._done, running), package=package)
        except _FAULTS as error:
            del self._tries[running.attempt.name]
            return [_lost(running.attempt, f"the cluster takes no tasks: {_first_line(error)}")]
        if running.stopped:
            self._cluster.end(running)
        return [*running.say(told)] if told else []

    def _aside(
        self, work: Callable[[], bytes], then: Callable[[bytes], Any], *, running: Try
    ) -> None:
        """Have a thread do what takes long; what follows is done by the loop's own."""

        def _do() -> None:
            try:
                result = work()
            except (BrineryError, OSError) as error:
                said = str(error)
                self._inbox.put(lambda: self._gave_up(running, said))
            else:
                self._inbox.put(lambda: then(result) or [])

        self._pool.submit(_do)

    def _gave_up(self, running: Try, why: str) -> list[Ended | Line]:
        self._tries.pop(running.attempt.name, None)
        self._clear(running)
        return [_lost(running.attempt, why)]

    def _done(self, running: Try, number: int) -> None:
        self._inbox.put(partial(self._answered, running, number))

    def _answered(self, running: Try, number: int) -> list[Ended | Line]:
        """Take the answer of a task that is over."""
        ref = running.refs.get(number)
        if ref is None or self._tries.get(running.attempt.name) is not running:
            return []
        answer = _answer(running, ref)
        if answer.apart and not running.carried and not running.stopped:
            return self._elsewhere(running, number, answer)
        running.answer(number, answer)
        self._waited[running.ticket] = time.monotonic() + _LOST_LINES_S
        if not running.ending and running.to_be_ended:
            self._cluster.end(running)
        return list(self._hear(Chunk(running.ticket, number, 0, b"")))

    def _elsewhere(self, running: Try, number: int, answer: Answer) -> list[Ended | Line]:
        """Begin a try anew whose machine does not see our folders, with what brings them along."""
        running.refs.pop(number)
        if self._carrier is None:
            failed = replace(answer, ended=_lost(running.attempt, answer.apart))
            running.answer(number, failed)
            if not running.ending:
                self._cluster.end(running)
            return []
        self._apart = True
        self._cluster.end(running)
        self._clear(running)
        again = Try(running.attempt, f"{running.attempt.name}#{next(self._tickets)}")
        self._tries[running.attempt.name] = again
        self._send(again)
        return []

    def _hear(self, chunk: Chunk) -> Iterable[Line]:
        name = chunk.ticket.rpartition("#")[0]
        running = self._tries.get(name)
        return running.hear(chunk) if running and running.ticket == chunk.ticket else ()

    def _ends(self) -> list[Ended | Line]:
        """Return the ends of the tries whose tasks are over, and whose lines were heard."""
        found: list[Ended | Line] = []
        now = time.monotonic()
        for running in [*self._tries.values()]:
            if running.refs or not running.answers:
                continue
            if not running.heard and now < self._waited[running.ticket]:
                continue
            if not running.heard:
                found += running.say("some lines were lost with the machine that passes them on")
            found += self._over(running)
        return found

    def _over(self, running: Try) -> list[Ended | Line]:
        packages = [each.package for each in running.answers.values() if each.package]
        running_end = running.end()
        self._clear(running)
        carrier = self._carrier
        if not packages or carrier is None:
            del self._tries[running.attempt.name]
            return [running_end]
        running.answers.clear()

        def _take() -> bytes:
            for package in packages:
                carrier.take_back(package)
            return b""

        def _told(_: bytes) -> list[Ended | Line]:
            self._tries.pop(running.attempt.name, None)
            return [running_end]

        self._aside(_take, _told, running=running)
        return []

    def _news(self, timeout_s: float) -> list[_News]:
        found = []
        # A machine that passes lines on may be lost: then nobody wakes us.
        timeout_s = min(timeout_s, _POLL_S) if self._waited else timeout_s
        try:
            found.append(
                self._inbox.get(timeout=timeout_s) if timeout_s else self._inbox.get_nowait()
            )
            while True:
                found.append(self._inbox.get_nowait())
        except Empty:
            return found

    def _clear(self, running: Try) -> None:
        self._waited.pop(running.ticket, None)
        self._cluster.clear(running)


class _Cluster:
    """What is asked of Ray: tasks begun and ended, and the wire to them.

    Args:
        protected: absolute folders that no attempt may write to.
        carrier: what brings attempts to machines that see none of our folders; None for nothing.
    """

    def __init__(self, protected: Sequence[str], carrier: Carrier | None) -> None:
        self._more = {"protected": list(protected), "carrier": carrier}
        self._task = ray.remote(max_retries=0)(_run)
        self._wire = _new_wire()
        self._closed = False

    def begin(self, running: Try, done: Callable[[int], None], *, package: bytes) -> str:
        """Begin each share of a try where there is room; return what it waits for, if anything.

        Args:
            running: the try.
            done: told the number of each share that is over, by another thread.
            package: of the carrier; empty where none is needed.
        """
        attempt = running.attempt
        shares = [*running.shares()]
        machines = _machines()
        cores = sizes(attempt, machines)
        if len(shares) > 1:
            bundles = [wanted(attempt, size) for size in cores]
            running.group = placement_group(bundles, strategy="SPREAD")
        for share, size in zip(shares, cores, strict=True):
            task = self._placed(running, share, size=size)
            ref = task.remote(_ENCODER.encode(share), self._wire, package, **self._more)
            running.refs[share.number] = ref
            ref.future().add_done_callback(partial(_call, done, share.number))
        return unmet(attempt, machines)

    def end(self, running: Try) -> None:
        """Tell the tasks of a try to end; those that still wait for room end at once."""
        running.ending = True
        with suppress(*_FAULTS):
            self._wire.stop.remote(running.ticket)
            for number, ref in running.refs.items():
                if number not in running.begun:
                    ray.cancel(ref, force=False)

    def clear(self, running: Try) -> None:
        """Give back what was kept for a try."""
        with suppress(*_FAULTS):
            self._wire.forget.remote(running.ticket)
            if running.group is not None:
                remove_placement_group(running.group)

    def listen(self, hear: Callable[[Chunk], None]) -> None:
        """Tell of the lines that come, until this is closed; a wire that is lost is replaced."""
        while not self._closed:
            try:
                for chunk in ray.get(self._wire.hear.remote(_PATIENCE_S)):
                    hear(chunk)
            except _FAULTS:
                if self._closed:
                    return
                time.sleep(_POLL_S)
                with suppress(*_FAULTS):
                    self._wire = _new_wire()

    def close(self, tries: Sequence[Try]) -> None:
        """Wait a while for the tasks of tries that were told to end."""
        self._closed = True
        left = [ref for running in tries for ref in running.refs.values()]
        with suppress(*_FAULTS):
            if left:
                ray.wait(left, num_returns=len(left), timeout=_END_S)
            for running in tries:
                self.clear(running)
            ray.kill(self._wire)

    def _placed(self, running: Try, share: Share, *, size: float) -> Any:
        asked = wanted(running.attempt, size)
        options: dict[str, Any] = {
            "num_cpus": asked.pop("CPU"),
            "num_gpus": asked.pop("GPU", 0),
            "memory": asked.pop("memory", None),
            "resources": asked or None,
            "name": running.attempt.name,
        }
        if running.group is not None:
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                running.group, placement_group_bundle_index=share.number
            )
        return self._task.options(**options)


def _call(done: Callable[[int], None], number: int, future: Future[Any]) -> None:
    del future
    done(number)


def _run(
    told: bytes, wire: Any, package: bytes, *, protected: Sequence[str], carrier: Carrier | None
) -> bytes:
    """Run a share of an attempt where this task is; return what came of it."""
    share = _SHARE.decode(told)
    here = share.attempt
    carried = False
    if not Path(here.folder).is_dir():
        if carrier is None or not package:
            address = ray.util.get_node_ip_address()
            said = f"the machine {address} does not see the folder {here.folder}"
            hint = (
                "share it under one path, or set [store] artifacts to a bucket or a shared folder"
            )
            return _ENCODER.encode(Answer(apart=f"{said}: {hint}"))
        here = carrier.receive(package)
        here = replace(here, processes=share.attempt.processes, serving=share.attempt.serving)
        protected, carried = carrier.protected(), True
    folder = tempfile.mkdtemp(prefix="brinery-task-")
    try:
        answer = Task(share, here, link=_Link(share, wire), log=Path(folder, "log")).run(protected)
        if carried and carrier is not None:
            answer = replace(answer, package=carrier.send_back(here))
        return _ENCODER.encode(answer)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Link:
    """A task's end of the wire.

    Args:
        share: that the task runs.
        wire: to the job.
    """

    def __init__(self, share: Share, wire: Any) -> None:
        self._share = share
        self._wire = wire
        self._stop = wire.stopped.remote(share.ticket)

    @property
    def address(self) -> str:
        """Return that of this machine."""
        found: str = ray.util.get_node_ip_address()
        return found

    @property
    def cluster(self) -> str:
        """Return the address of the cluster."""
        found: str = ray.get_runtime_context().gcs_address
        return found

    @property
    def gpus(self) -> list[str]:
        """Return the graphics processors that this task has to itself."""
        found = ray.get_runtime_context().get_accelerator_ids().get("GPU") or ()
        return [str(each) for each in found]

    def say(self, chunk: Chunk) -> None:
        """Send lines, once there is room for them; that a task has begun is not waited for."""
        said = self._wire.say.remote(chunk)
        if chunk.content:
            ray.get(said)

    def stopped(self) -> bool:
        """Return whether the try is to end."""
        return bool(ray.wait([self._stop], timeout=0)[0])

    def meet(self, machine: Machine) -> list[Machine] | None:
        """Return the machines of the try, once all are there; None where it is to end."""
        share = self._share
        meeting = self._wire.meet.remote(share.ticket, machine, number=share.number, of=share.of)
        ready, _ = ray.wait([meeting, self._stop], num_returns=1)
        found: list[Machine] | None = ray.get(meeting) if meeting in ready else None
        return found


def _join(address: str) -> None:
    """Join a cluster, or start one on this machine.

    Raises:
        EndpointUnreachable: none answers.
    """
    try:
        _probe(address)
        ray.init(
            address=address or "local",
            log_to_driver=False,
            include_dashboard=False if not address else None,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError, TimeoutError, AssertionError) as error:
        hint = "ray start --head, on the machine that is to be its head"
        if address and not address.startswith("ray://"):
            hint += "; from a machine outside of the cluster: --address ray://HEAD:10001"
        raise EndpointUnreachable(
            f"no Ray cluster answers at {address}: {_first_line(error)}", hint=hint
        ) from None


def _probe(address: str) -> None:
    """Raise ConnectionError where nobody listens: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").partition(":")
    if port.isdigit():
        with socket.create_connection((host, int(port)), timeout=5.0):
            return


def _new_wire() -> Any:
    """Return a wire on the cluster's head, without which there is no cluster."""
    actor = ray.remote(Wire)
    head = {"node:__internal_head__": 0.001}
    return actor.options(num_cpus=0, resources=head, max_concurrency=_WAITERS).remote()


def _machines() -> list[dict[str, float]]:
    """Return what each machine of the cluster has in all."""
    return [each["Resources"] for each in ray.nodes() if each["Alive"]]


def _answer(running: Try, ref: Any) -> Answer:
    """Return what a task that is over said, or why it said nothing."""
    attempt = running.attempt
    try:
        return _ANSWER.decode(ray.get(ref))
    except ray.exceptions.TaskCancelledError:
        end = Ended(name=attempt.name, exit_status=ENDED_BY_US, usage=NOTHING, stopped=True)
        return Answer(ended=end)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        return Answer(ended=_lost(attempt, f"{type(cause).__name__}: {_first_line(cause)}"))
    except _FAULTS as error:
        return Answer(ended=_lost(attempt, f"lost with its machine: {_first_line(error)}"))


def _lost(attempt: Attempt, why: str) -> Ended:
    return Ended(name=attempt.name, exit_status=1, usage=NOTHING, lost=why)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")
