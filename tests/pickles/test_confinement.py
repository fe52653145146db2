from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brinery.errors import ModelConfined, ModelProcessDied, SandboxUnavailable
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Kernel, Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")

# Runs what it is told, and answers what came of it: it is as hostile as a model can be.
ACTOR = """
import os, sys
from brinery.pickles import confinement
from brinery.pickles.frames import Channel

channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
names = {"confinement": confinement, "channel": channel}
while True:
    program, _ = channel.receive()
    try:
        exec(program.decode(), names)
        said = repr(names.pop("answer", None))
    except BaseException as error:
        said = type(error).__name__ + ": " + str(error)
    channel.send(said.encode())
"""

RAW = "import ctypes, os; call = ctypes.CDLL(None, use_errno=True).syscall; "
TOLD = "; answer = (call({}), ctypes.get_errno())"
X86 = platform.machine() == "x86_64"

Start = Callable[..., ChildProcess]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts confined children that run what they are sent; ends them."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "hostile_actor.py").write_text(ACTOR)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    started: list[ChildProcess] = []

    def start(limits: Limits | None = None, kernel: Kernel | None = None) -> ChildProcess:
        child = ChildProcess("hostile_actor", timeout_s=240, limits=limits, kernel=kernel)
        started.append(child)
        return child

    yield start
    for child in started:
        child.close()


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildProcess]:
    """A confined child, for what it survives."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "hostile_actor.py").write_text(ACTOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        child = ChildProcess("hostile_actor", timeout_s=240)
    with child:
        yield child


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What a home may hold: keys, in a folder of their own."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    (folder / ".ssh" / "id_rsa").write_text("secret")
    return folder


def told(child: ChildProcess, program: str) -> str:
    """Return what came of a program."""
    header, _ = child.ask(program.encode())
    return header.decode()


READS = [
    "open({home!r} + '/.ssh/id_rsa').read()",
    "import os; os.listdir({home!r})",
    "import os; os.open({home!r} + '/.ssh/id_rsa', os.O_RDONLY)",
    "import os; open('/proc/%d/environ' % os.getppid(), 'rb').read()",
    "import os; open('/proc/%d/mem' % os.getppid(), 'rb')",
    "import os; os.listdir('/proc/%d/fd' % os.getppid())",
    "import os; os.listdir('/proc')",
    "open('/etc/passwd').read()",
    "open('/etc/shadow').read()",
    "import os; os.listdir('/')",
    "import os; os.listdir('..')",
    "import os; os.listdir('/dev/shm')",
    "import os; os.listdir('/proc/self/root/root')",
    "open('/proc/self/net/tcp').read()",
    "open('/proc/net/unix').read()",
    "import os; os.listdir('/proc/self/net')",
    "import os; open('/proc/self/task/%d/net/route' % os.getpid()).read()",
    "open('/proc/thread-self/net/arp').read()",
    "open('/proc/self/environ').read()",
    "import os; at = os.open({home!r}, os.O_PATH); os.open('.ssh/id_rsa', os.O_RDONLY, dir_fd=at)",
]


@pytest.mark.parametrize("program", READS)
def test_reading(confined: ChildProcess, home: Path, program: str) -> None:
    """No key, no other process's memory or variables, no user, no socket, no folder can be read."""
    assert told(confined, program.format(home=str(home))).startswith("PermissionError")


def test_reading_of_itself(confined: ChildProcess) -> None:
    """What libraries read of their own process is open: its size, maps, mounts, threads, files."""
    program = """
import os
names = "auxv cgroup cmdline limits maps mountinfo mounts stat statm status".split()
for name in names:
    open(f"/proc/self/{name}", "rb").read()
answer = len(os.listdir("/proc/self/task")) >= 1 and "0" in os.listdir("/proc/self/fd")
"""
    assert told(confined, program) == "True"


WRITES = [
    "open({home!r} + '/new', 'w')",
    "open({home!r} + '/.ssh/id_rsa', 'a')",
    "import os; os.mkdir({home!r} + '/new')",
    "import os; os.remove({home!r} + '/.ssh/id_rsa')",
    "import os; os.rename({home!r} + '/.ssh/id_rsa', 'mine')",
    "import os; os.truncate({home!r} + '/.ssh/id_rsa', 0)",
    "import os; os.chmod({home!r} + '/.ssh/id_rsa', 0o777)",
    "import os; os.chown({home!r} + '/.ssh/id_rsa', 65534, -1)",
    "import os; os.utime({home!r} + '/.ssh/id_rsa', (0, 0))",
    "import os; os.setxattr({home!r} + '/.ssh/id_rsa', 'user.a', b'b')",
    "import os; os.link({home!r} + '/.ssh/id_rsa', 'mine')",
    "import os; os.symlink({home!r} + '/.ssh/id_rsa', 'mine')",
    "import os; os.mkfifo('pipe')",
    "import os; os.mknod('device', 0o20600, os.makedev(1, 1))",
    "import os; open(os.getcwd() + '/../in/model.pkl', 'w')",
    "import brinery; open(brinery.__file__, 'a')",
    "import os; open(os.__file__, 'a')",
    "open('/tmp/brinery-was-here', 'w')",
    "open('/dev/shm/brinery-was-here', 'w')",
    "open('/proc/self/oom_score_adj', 'w')",
    "from multiprocessing import shared_memory; shared_memory.SharedMemory(create=True, size=10)",
    "import os; os.memfd_create('more')",
    "open('k', 'w').close(); import os; os.link('k', 'k2')",
    "open('k', 'w').close(); import os; os.link('k', 'k2', src_dir_fd=os.open('.', os.O_RDONLY))",
]


@pytest.mark.parametrize("program", WRITES)
def test_writing(confined: ChildProcess, home: Path, program: str) -> None:
    """Nothing is written, removed, renamed or changed outside the scratch folder, or linked."""
    said = told(confined, program.format(home=str(home)))
    assert said.startswith(("PermissionError", "OSError: [Errno 18]"))  # as if on another disk
    assert (home / ".ssh" / "id_rsa").read_text() == "secret"
    assert [path.name for path in home.iterdir()] == [".ssh"]


def test_scratch(confined: ChildProcess) -> None:
    """The scratch folder is its home and its folder for temporary files, and it can write there."""
    program = (
        "import os, tempfile; file = tempfile.NamedTemporaryFile('w', delete=False); "
        "file.write('a'); file.close(); os.mkdir('sub'); os.rename(file.name, 'sub/b'); "
        "answer = open(os.path.expanduser('~/sub/b')).read()"
    )
    assert told(confined, program) == "'a'"
    assert (confined.outbox / "sub" / "b").read_text() == "a"


MODES = [
    "os.open('s', os.O_CREAT | os.O_WRONLY, 0o4777)",
    "os.open('s', os.O_CREAT | os.O_WRONLY, 0o2755)",
    "os.open('s', os.O_CREAT | os.O_WRONLY, 0o6755, dir_fd=os.open('.', os.O_RDONLY))",
    "os.open('.', os.O_TMPFILE | os.O_WRONLY, 0o4777)",
    "os.mkdir('s', 0o2777)",
    "os.mknod('s', 0o104755)",
    "os.mknod('s', 0o102755, dir_fd=os.open('.', os.O_RDONLY))",
]


@pytest.mark.parametrize("program", MODES)
def test_modes(confined: ChildProcess, program: str) -> None:
    """No file is made that would run with its owner's or its group's rights."""
    assert told(confined, f"import os; {program}").startswith("PermissionError")
    assert not (confined.outbox / "s").exists()


def test_modes_that_are_harmless(confined: ChildProcess) -> None:
    """Other modes are let through, and one is read only where a file is made."""
    program = """
import os
os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o1777))
os.close(os.open("made", os.O_RDONLY, 0o4777))
os.mkdir("folder", 0o755)
os.mknod("node", 0o100644)
os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o600))
answer = sorted(os.stat(name).st_mode & 0o6000 for name in ("made", "folder", "node"))
"""
    assert told(confined, program) == "[0, 0, 0]"


SOCKETS = [
    "socket.socket()",
    "socket.socket(type=socket.SOCK_DGRAM)",
    "socket.socket(socket.AF_INET6)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "socket.create_connection(('127.0.0.1', {port}))",
    "__import__('urllib.request').request.urlopen('http://127.0.0.1:{port}')",
]


@pytest.mark.parametrize("program", SOCKETS)
def test_network(confined: ChildProcess, program: str) -> None:
    """No socket of any kind can be opened, not even to this machine or to a path."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = told(confined, f"import socket; {program.format(port=server.getsockname()[1])}")
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
    assert "Operation not permitted" in said


def test_abstract_socket(confined: ChildProcess) -> None:
    """A pair of its own, which event loops need, cannot be aimed at another's abstract socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0brinery-{os.getpid()}")
        program = (
            "import socket; one, other = socket.socketpair(); "
            f"one.sendto(b'hi', '\\0brinery-{os.getpid()}')"
        )
        assert "Error" in told(confined, program)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.recv(2)


PROGRAMS = [
    "import os; os.fork()",
    "import os; os.forkpty()",
    "import os; os.execv('/bin/true', ['true'])",
    "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "import subprocess; subprocess.run(['true'])",
    "import subprocess; subprocess.run('true', shell=True)",
    "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()",
    "import multiprocessing; multiprocessing.get_context('spawn').Process(target=print).start()",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(confined: ChildProcess, program: str) -> None:
    """No program is run, and no process is started."""
    assert told(confined, program).startswith("PermissionError")


def test_shell(confined: ChildProcess, tmp_path: Path) -> None:
    """The C library's own way to run a command fails too."""
    marker = tmp_path / "marker"
    assert told(confined, f"import os; answer = os.system('touch {marker}')") != "0"
    assert not marker.exists()


def test_fork_bomb(confined: ChildProcess) -> None:
    """A fork bomb does not go off: a thousand tries leave one process."""
    program = """
import os
refused = 0
for _ in range(1000):
    try:
        os.fork()
    except PermissionError:
        refused += 1
answer = refused
"""
    assert told(confined, program) == "1000"
    children = Path(f"/proc/{confined.pid}/task/{confined.pid}/children")
    assert not children.exists() or children.read_text() == ""


SIGNALS = [
    "os.kill(os.getppid(), 0)",
    "os.kill(os.getppid(), signal.SIGTERM)",
    "os.kill(1, 0)",
    "os.kill(-1, 0)",
    "os.kill(0, 0)",
    "os.killpg(os.getpgid(os.getppid()), 0)",
    "os.pidfd_open(os.getppid())",
    "fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)",
    "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (10, 10))",
    "os.sched_setaffinity(os.getppid(), {0})",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0))",
]


@pytest.mark.parametrize("program", SIGNALS)
def test_signals(confined: ChildProcess, program: str) -> None:
    """The parent can be neither signalled, nor slowed down, nor limited, by any road."""
    said = told(confined, f"import fcntl, os, resource, signal; {program}")
    assert said.startswith("PermissionError")


def test_its_own_signals(confined: ChildProcess) -> None:
    """To itself a process may send signals: aborting and alarms work."""
    program = (
        "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: None); "
        "os.kill(os.getpid(), signal.SIGUSR1); signal.raise_signal(signal.SIGUSR1); answer = 1"
    )
    assert told(confined, program) == "1"


@pytest.mark.skipif(not X86, reason="the numbers are of x86_64")
@pytest.mark.parametrize(
    "call",
    [
        "57",  # fork
        "58",  # vfork
        "56, 17, 0, 0, 0, 0",  # clone, not of a thread
        "59, b'/bin/true', 0, 0",  # execve
        "41, 2, 1, 0",  # socket
        "62, os.getppid(), 0",  # kill
        "200, os.getppid(), 0",  # tkill
        "234, os.getppid(), os.getppid(), 0",  # tgkill
        "62, os.getppid() | 1 << 32, 0",  # kill, with high bits that the kernel drops
        "425, 8, ctypes.create_string_buffer(200)",  # io_uring_setup
        "298, ctypes.create_string_buffer(200), 0, -1, -1, 0",  # perf_event_open
        "250, 0, -3, 0",  # keyctl
        "29, 1, 4096, 0o1600",  # shmget
        "135, 8",  # personality
        "157, 1, 0, 0, 0, 0",  # prctl: not to be ended with the parent
        "90, b'/tmp', 0o777",  # chmod
        "254, 0, b'/', 2",  # inotify_add_watch
        "265, -100, b'/proc/self/fd/0', -100, b'linked', 0x400",  # linkat
        "85, b's', 0o4777",  # creat
        "162",  # sync
        "306, 0",  # syncfs
    ],
)
def test_raw_calls(confined: ChildProcess, call: str) -> None:
    """Native code that calls the kernel itself is refused by the kernel itself."""
    assert told(confined, RAW + TOLD[2:].format(call)) == "(-1, 1)"


@pytest.mark.skipif(not X86, reason="the numbers are of x86_64")
@pytest.mark.parametrize("number", [435, 437, 463, 480, 2000])
def test_calls_that_do_not_exist(confined: ChildProcess, number: int) -> None:
    """A call whose flags a filter cannot see, or that is newer than it, does not exist."""
    assert told(confined, RAW + TOLD[2:].format(f"{number}, 0, 0")) == "(-1, 38)"


MACHINE_CODE_32 = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 2 (fork of i386); int 0x80; ret
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
answer = ctypes.CFUNCTYPE(ctypes.c_int)(at)()
"""


@pytest.mark.skipif(not X86, reason="the numbers are of x86_64")
@pytest.mark.parametrize(
    "program",
    [
        RAW + "call(101, 16, os.getppid(), 0, 0)",  # ptrace
        RAW + "call(310, os.getppid(), 0, 0, 0, 0, 0)",  # process_vm_readv
        RAW + "call(311, os.getppid(), 0, 0, 0, 0, 0)",  # process_vm_writev
        RAW + "call(438, 3, 0, 0)",  # pidfd_getfd
        RAW + "call(272, 0x10000000)",  # unshare
        RAW + "call(165, b'/', b'/', 0, 0, 0)",  # mount
        RAW + "call(321, 0, 0, 0)",  # bpf
        RAW + "call(323, 0)",  # userfaultfd
        RAW + "call(0x40000000 | 57)",  # fork of x32
        RAW + "call(0x40000000 | 39)",  # getpid of x32
        "import os; os.chroot('.')",
        MACHINE_CODE_32,
    ],
)
def test_calls_that_end_it(start: Start, program: str) -> None:
    """A call that no library makes, or of another architecture, ends the process, and is told."""
    child = start()
    with pytest.raises(ModelConfined, match="a system call that its sandbox forbids"):
        told(child, program)
    assert not child.alive


def test_threads(confined: ChildProcess) -> None:
    """Every thread of the numeric libraries is under the filter: none began before it."""
    program = "import numpy\nanswer = (numpy.ones((600, 600)) @ numpy.ones((600, 600))).shape"
    assert told(confined, program) == "(600, 600)"
    tasks = list(Path(f"/proc/{confined.pid}/task").iterdir())
    assert tasks
    for task in tasks:
        status = (task / "status").read_text()
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status


def test_threads_of_its_own(confined: ChildProcess, home: Path) -> None:
    """A thread that it starts is confined as it is."""
    program = f"""
import threading
said = []
def read():
    try:
        open({str(home / ".ssh" / "id_rsa")!r})
    except PermissionError:
        said.append("refused")
thread = threading.Thread(target=read); thread.start(); thread.join()
answer = said
"""
    assert told(confined, program) == "['refused']"


def test_environment(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the parent's is passed on but those that change text, time and arithmetic."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    program = "import os; answer = (os.environ.get('OMP_NUM_THREADS'), 'secret' in str(os.environ))"
    assert told(start(), program) == "('1', False)"


def test_descriptors(start: Start, tmp_path: Path) -> None:
    """No file that the parent holds open reaches the process, though it may be inherited."""
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)  # noqa: FBT003 - it takes no name
        program = (
            "import os; answer = [os.readlink(f'/proc/self/fd/{n}') "
            "for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')]"
        )
        said = told(start(), program)
    assert "/open" not in said
    assert said.count("pipe:") == 4
    assert said.count("/dev/null") == 1


def test_limits_stay(confined: ChildProcess) -> None:
    """A limit cannot be lifted, by root neither."""
    program = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (-1, -1))"
    assert "Error" in told(confined, program)


SMALL = Limits(memory_gb=0.3, scratch_gb=0.05)


@pytest.mark.parametrize(
    "program",
    [
        "held = bytearray(600_000_000)",
        "held = [bytes(1_000_000) for _ in range(600)]",
        "import mmap; held = [mmap.mmap(-1, 100_000_000) for _ in range(2000)]",
    ],
)
def test_memory(start: Start, program: str) -> None:
    """Memory beyond the limit is not given, shared or not, and the process lives on."""
    child = start(SMALL)
    said = told(child, f"confinement.close_in(); {program}")
    assert said.startswith(("MemoryError", "OSError: [Errno 12]"))
    assert told(child, "answer = 1") == "1"


def test_one_large_file(start: Start) -> None:
    """A file ends where the limit is."""
    assert "File too large" in told(start(SMALL), "open('a', 'wb').write(bytes(100_000_000))")


FILLING = """
import os
for number in range(100):
    file = os.open(str(number), os.O_CREAT | os.O_WRONLY)
    os.write(file, bytes(20_000_000))
    {then}
import time; time.sleep(30)
"""


@pytest.mark.parametrize("then", ["os.close(file)", "os.unlink(str(number))"])
def test_many_files(start: Start, then: str) -> None:
    """A process that fills the disk is ended, with files that have no name too."""
    with pytest.raises(ModelConfined, match=r"wrote more than 0.05 GB.*scratch_gb"):
        told(start(SMALL), FILLING.format(then=then))


def test_deep_folders(start: Start) -> None:
    """Folders within folders end the process, and are cleared away with it."""
    child = start()
    program = (
        "import os, time\nfor _ in range(5000):\n    os.mkdir('a'); os.chdir('a')\ntime.sleep(30)"
    )
    with pytest.raises(ModelConfined, match=r"folders too deep|cannot be listed"):
        told(child, program)
    assert not child.outbox.exists()


def test_many_threads(start: Start) -> None:
    """A process that starts threads without end is ended."""
    program = """
import threading, time
threading.stack_size(65536)
while True:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""
    with pytest.raises(ModelConfined, match=r"started more than \d+ threads"):
        told(start(), program)


def test_processor_time(start: Start) -> None:
    """A process that computes for longer than it may is ended, and told which setting says so."""
    with pytest.raises(ModelConfined, match=r"1 seconds of processor time: timeout_s"):
        told(start(Limits(cpu_s=1)), "while True: pass")


def test_output(start: Start) -> None:
    """What is printed is neither kept nor waited for, but for its end."""
    child = start()
    program = "for _ in range(200_000): print('word ' * 20)\nanswer = 1"
    assert told(child, program) == "1"
    with pytest.raises(ModelProcessDied) as caught:
        told(child, "import os; print('\\x1b[2Jlast\\x07 words', flush=True); os._exit(3)")
    assert caught.value.hint.startswith("its last words: [2Jlast words; ")


@pytest.mark.parametrize("program", ["os.close(channel.writing)", "os.closerange(0, 100)"])
def test_closed_channel(start: Start, program: str) -> None:
    """A process that closes its channel is ended."""
    child = start()
    with pytest.raises(ModelProcessDied):
        told(child, f"import os, time; {program}; time.sleep(60)")
    assert not child.alive


@pytest.mark.parametrize(
    "frame",
    ["2**63, 2**63", "2**40, 0", "0, 2**40", "65 << 20, 0", "2**64 - 1, 1"],
)
def test_lies_about_lengths(start: Start, frame: str) -> None:
    """A frame that states more than an answer may have is refused before a byte of it is read."""
    child = start()
    program = f"import os, struct; os.write(channel.writing, struct.pack('<QQ', {frame}))"
    with pytest.raises(ModelProcessDied, match="what is no answer, and was ended"):
        child.ask(program.encode(), most_bytes=100)
    assert not child.alive


def test_flood(start: Start) -> None:
    """A process that writes without end ends, and the parent keeps its memory."""
    child = start()
    program = (
        "import os\nos.set_blocking(channel.writing, True)\n"
        "while True: os.write(channel.writing, b'\\xff' * 65536)"
    )
    with pytest.raises(ModelProcessDied, match="what is no answer"):
        child.ask(program.encode(), most_bytes=0)
    assert not child.alive


def test_taking_a_file(start: Start, tmp_path: Path) -> None:
    """The parent takes files that the process wrote, and follows no link out of its folder."""
    child = start()
    assert told(child, "open('good', 'w').write('made')") == "None"
    child.take("good", tmp_path / "good")
    assert (tmp_path / "good").read_text() == "made"
    (child.outbox / "link").symlink_to("/etc/passwd")
    (child.outbox / "hard").hardlink_to(tmp_path / "good")
    os.mkfifo(child.outbox / "pipe")
    (child.outbox / "folder").mkdir()
    for name in ("link", "hard", "pipe", "folder", "absent"):
        with pytest.raises(ModelConfined, match="no plain file"):
            child.take(name, tmp_path / "taken")
        (tmp_path / "taken").unlink(missing_ok=True)


def in_force(child: ChildProcess) -> dict[str, bool]:
    return {layer.name: layer.in_force for layer in child.sandbox.layers}


def test_every_layer(start: Start) -> None:
    """Where the kernel has all of it, every layer was tried and held, and the sandbox is whole."""
    child = start(Limits(require=True))
    assert child.sandbox.complete
    assert list(in_force(child)) == [
        "filesystem",
        "network",
        "processes",
        "signals",
        "privileges",
        "memory",
        "time",
        "disk",
        "environment",
        "descriptors",
    ]


@pytest.mark.parametrize(
    ("kernel", "missing"),
    [
        (Kernel(landlock=False), {"filesystem"}),
        (Kernel(seccomp=False), {"network", "processes"}),  # signals are Landlock's too
        (
            Kernel(landlock=False, seccomp=False),
            {"filesystem", "network", "processes", "signals"},
        ),
    ],
)
def test_lesser_kernels(start: Start, kernel: Kernel, missing: set[str]) -> None:
    """What a kernel lacks is reported with the reason, the rest holds, and a model still runs."""
    child = start(kernel=kernel)
    assert {layer.name for layer in child.sandbox.layers if not layer.in_force} == missing
    assert all(layer.reason for layer in child.sandbox.layers if not layer.in_force)
    assert not child.sandbox.complete
    assert told(child, "answer = 1") == "1"


def test_processes_are_counted_where_they_are_not_refused(start: Start) -> None:
    """Without seccomp a number bounds what a model starts; root, whom it does not hold, is told."""
    child = start(kernel=Kernel(seccomp=False))
    (reason,) = (layer.reason for layer in child.sandbox.layers if layer.name == "processes")
    found = told(child, "import resource; answer = resource.getrlimit(resource.RLIMIT_NPROC)")
    soft, hard = map(int, found.strip("()").split(","))
    assert soft == hard >= 512
    if os.getuid() == 0:
        assert reason.endswith("RLIMIT_NPROC does not hold root, so nothing counts what it starts")
    else:
        assert reason.endswith("RLIMIT_NPROC lets it start 512")


FORK_BOMB = """
import json, os, resource, signal, sys
from brinery.pickles import tasks

if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)  # a user that the kernel counts, with nothing of its own
tasks.SPARE = 20
counted = tasks.are_counted()
tasks.limit()
started = []
try:
    while len(started) < 1000:
        child = os.fork()
        if child == 0:
            signal.pause()
        started.append(child)
except BlockingIOError:
    pass
for child in started:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps([counted, len(started)]))
"""


def test_a_fork_bomb_of_another_user_ends() -> None:
    """A user that is not root starts as many processes as it has to spare, and no more."""
    done = subprocess.run(
        [sys.executable, "-c", FORK_BOMB], capture_output=True, text=True, check=True, timeout=240
    )
    counted, started = json.loads(done.stdout)
    assert counted
    assert 0 < started <= 20


def test_without_landlock(start: Start, home: Path) -> None:
    """The report is of what holds: where files are said to be open, they are."""
    child = start(kernel=Kernel(landlock=False))
    key = str(home / ".ssh" / "id_rsa")
    assert told(child, f"answer = open({key!r}).read()") == "'secret'"
    assert told(child, "import os; os.fork()").startswith("PermissionError")


@pytest.mark.parametrize("kernel", [Kernel(landlock=False), Kernel(seccomp=False)])
def test_required(start: Start, kernel: Kernel) -> None:
    """A process that must be wholly confined answers nothing where a layer is missing."""
    child = start(Limits(require=True), kernel)
    with pytest.raises(SandboxUnavailable, match="not in force are: ") as caught:
        told(child, "answer = 1")
    assert caught.value.hint == "brinery doctor shows what this machine has"
    assert not child.alive


def test_home_on_the_path(tmp_path: Path, home: Path) -> None:
    """A folder on the import path that holds the home does not open the home."""
    (tmp_path / "hostile_actor.py").write_text(ACTOR)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "hostile_actor.py").write_text(ACTOR)
    reading = f"open({str(home / '.ssh' / 'id_rsa')!r})".encode()
    program = (
        "from brinery.pickles.child import ChildProcess\n"
        "with ChildProcess('hostile_actor', timeout_s=240) as child:\n"
        f"    print(child.ask({reading!r})[0].decode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": str(home), "PYTHONPATH": f"{tmp_path}:{home}:{tmp_path / 'path'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("PermissionError"), done.stderr


def test_parent_that_is_killed(tmp_path: Path) -> None:
    """A model that ignores the end of its channel ends with its parent nonetheless."""
    (tmp_path / "hostile_actor.py").write_text(ACTOR)
    program = (
        "import os, signal\n"
        "from brinery.pickles.child import ChildProcess\n"
        "child = ChildProcess('hostile_actor', timeout_s=240)\n"
        "print(child.pid, flush=True)\n"
        "child.ask(b'import time; channel.send(b\"x\")\\nwhile True: time.sleep(1)')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},  # noqa: TID251 - what a shell would pass on
        capture_output=True,
        text=True,
        check=False,
    )
    pid = int(done.stdout)
    end = time.monotonic() + 240
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
