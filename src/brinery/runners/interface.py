"""What a runner is given, and what it gives back: attempts, each a command in a folder of its own.

A runner starts processes and tells of their ends; which steps are ready, what they read and what
becomes of what they leave is none of its business. `local` runs them here, `ray` on a cluster.
A step that is more than one command is a driver's: it asks for attempts and is sent their ends.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Protocol

from msgspec import Struct

from brinery.records.job import Usage
from brinery.records.plan import Needs, Software, Step


class Shared(Struct, frozen=True, kw_only=True):
    """The mini-batches that an attempt takes its own from, as others do while it runs.

    Attributes:
        folder: absolute; `batch_folder` says what lies in it.
        worker: number of the attempt among those.
        workers: how many there are at once, at most.
        timeout_s: seconds for a try of a mini-batch.
    """

    folder: str
    worker: int
    workers: int
    timeout_s: float


class Attempt(Struct, frozen=True, kw_only=True):
    """One command to be run, in a folder that is ready.

    Attributes:
        name: unique in the job: the step's, or `step/trial_3`.
        command: one text for bash.
        folder: absolute; its working directory.
        variables: its whole environment.
        log: absolute; standard output and error, each line behind its time.
        processes: variables of each process beside those; more than one are started together. A
            text may have marks, which `ranks` fills in.
        machines: how many processes there are on each machine; more than are begun where one of
            those begins the others.
        serving: how many of the last processes only serve the others, and end with them.
        needs: what each machine must have free.
        program: that must be on its `PATH`; empty for none.
        place: absolute; everything that it makes lies below it.
        reads: absolute paths that it reads, beside those.
        shared: what it shares with other attempts while they run; None for nothing.
        overlay: absolute folder of the Python that it has to itself; empty for none.
        software: what that is made of; None for nothing.
        imported: names that its code imports, which the environment has then, too.
        timeout_s: seconds until it is ended; None without end.
        told: whether each line that it writes is told as it comes.
        waits: whether what it leaves in the background is waited for; it is killed otherwise.
    """

    name: str
    command: str
    folder: str
    variables: dict[str, str]
    log: str
    processes: tuple[dict[str, str], ...] = ({},)
    machines: tuple[int, ...] = (1,)
    serving: int = 0
    needs: Needs = Needs()
    program: str = ""
    place: str = ""
    reads: tuple[str, ...] = ()
    shared: Shared | None = None
    overlay: str = ""
    software: Software | None = None
    imported: tuple[str, ...] = ()
    timeout_s: float | None = None
    told: bool = False
    waits: bool = True


class Ended(Struct, frozen=True, kw_only=True):
    """How an attempt ended.

    Attributes:
        name: of the attempt.
        exit_status: of bash, the first that is not 0; 128 and the signal's number where one ended
            it.
        usage: of all its processes.
        late: whether it was ended because its time was over.
        stopped: whether it was ended because that was asked for.
        lost: why it could not be run or was lost with its machine, which is worth another attempt;
            empty where it ended by itself.
    """

    name: str
    exit_status: int
    usage: Usage
    late: bool = False
    stopped: bool = False
    lost: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """One line that an attempt wrote, as it came.

    Attributes:
        name: of the attempt.
        text: without its end.
    """

    name: str
    text: str


class Runner(Protocol):
    """Runs attempts. All but `wake` is called by one thread."""

    @property
    def name(self) -> str:
        """Return what it is called: `local`, `ray`."""
        ...

    @property
    def capacity(self) -> int:
        """Return how many attempts run at once where nobody says otherwise."""
        ...

    def start(self, attempt: Attempt, /) -> None:
        """Begin an attempt."""
        ...

    def stop(self, name: str, /) -> None:
        """End an attempt and everything it started; its end is told like any other."""
        ...

    def wait(self, timeout_s: float, /) -> list[Ended | Line]:
        """Return what happened, in order, waiting until something has or the time is over."""
        ...

    def wake(self) -> None:
        """Have `wait` return at once; called by any thread."""
        ...

    def close(self) -> None:
        """End everything that still runs."""
        ...


class Carrier(Protocol):
    """Brings what an attempt needs to machines that see none of our folders, and back.

    It is sent to those machines as it is. What they and we both reach is its own business.
    """

    def send(self, attempt: Attempt, /) -> bytes:
        """Put what an attempt needs where they find it; return what tells them of it.

        Raises:
            UserError: it cannot be put there.
            OSError: it cannot be read.
        """
        ...

    def receive(self, package: bytes, /) -> Attempt:
        """Return the attempt with the paths of the machine that this is called on."""
        ...

    def protected(self) -> list[str]:
        """Return the absolute folders of this machine that no attempt may write to."""
        ...

    def send_back(self, attempt: Attempt, /) -> bytes:
        """Put what an attempt of this machine made where we find it; return what tells of it."""
        ...

    def take_back(self, package: bytes, /) -> None:
        """Put what was made where the attempt that was sent would have made it.

        Raises:
            UserError: it is not there.
            OSError: it cannot be written.
        """
        ...


class Ask(Struct, frozen=True, kw_only=True):
    """What a driver wants next.

    Attributes:
        start: attempts, each begun as soon as there is room.
        stop: names of attempts that are to end.
        wake_s: seconds after which it is sent an empty list where nothing ended; None for never.
    """

    start: tuple[Attempt, ...] = ()
    stop: tuple[str, ...] = ()
    wake_s: float | None = None


class Discovered(Struct, frozen=True, kw_only=True):
    """What a recipe turned out to read and write, once it ran.

    Attributes:
        step: with the inputs and outputs that it had.
        inputs: what is compared of each: BLAKE3 of its version.
        outputs: the absolute place of each output.
    """

    step: Step
    inputs: dict[str, str]
    outputs: dict[str, str]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a step.

    Attributes:
        exit_status: 0 where it is complete.
        usage: of all its attempts.
        error: why it failed, one line; empty where it did not.
        label: of the attempt whose outputs are the step's; empty for the step's own.
        found: what it turned out to be, where that was not known before; None where it was.
    """

    exit_status: int
    usage: Usage
    error: str = ""
    label: str = ""
    found: Discovered | None = None


Drive = Generator[Ask, list[Ended], Outcome]


class Bench(Protocol):
    """Where the attempts of one step are made ready."""

    @property
    def step(self) -> Step:
        """Return the step as it was planned."""
        ...

    @property
    def folder(self) -> str:
        """Return the absolute folder of the step, in its job's."""
        ...

    @property
    def key(self) -> str:
        """Return what names the step's code, inputs and environment by their content."""
        ...

    @property
    def inputs(self) -> Mapping[str, str]:
        """Return what the command is told for each input; a path where it is data."""
        ...

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return the absolute place of each output of the step itself."""
        ...

    @property
    def python(self) -> str:
        """Return the absolute interpreter of the step's environment."""
        ...

    @property
    def cores(self) -> int:
        """Return how many attempts may run at once."""
        ...

    def attempt(
        self, label: str = "", *, searched: Mapping[str, str] | None = None, command: str = ""
    ) -> Attempt:
        """Return an attempt whose folder, outputs and variables are ready.

        Args:
            label: of one of several, `trial_3`: it has a folder `steps/STEP/LABEL/`, outputs and an
                MLflow run of its own. Empty for the step itself.
            searched: values of `${{search_space.x}}`, and of the inputs of those names.
            command: for bash, instead of the step's; a template as that is.
        """
        ...

    def outputs_of(self, label: str) -> Mapping[str, str]:
        """Return the absolute place of each output of an attempt with a label."""
        ...

    def run_of(self, label: str) -> str:
        """Return the id of the MLflow run of an attempt with a label, or of the step."""
        ...


class Driver(Protocol):
    """Runs one step of some kind as attempts."""

    def __call__(self, bench: Bench, /) -> Drive:
        """Return what asks for attempts and is sent their ends, until it returns the outcome.

        It is closed where the step is cancelled; its attempts are ended by then.
        """
        ...
