"""Hostile files, built by code that only writes opcodes: nothing here is ever called by it.

Each sample would make one empty file, its marker, if it were loaded as its `loader` loads files.
Where no loader of today does, or none that is installed, `refused` says why; such a sample must
not be called safe all the same.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import marshal
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

Build = Callable[[str], bytes]
Beside = Callable[[str], dict[str, bytes]]


@dataclass(frozen=True)
class Sample:
    """A hostile file.

    Attributes:
        name: of the sample, and of its marker.
        family: the way it attacks.
        build: gives the file's bytes, for the path of its marker.
        loader: how its victim loads it: `pickle`, `joblib`, `numpy`, `pandas`; or `transform`,
            `predict`: unpickled, and used so; empty where loading would not end.
        refused: why no loader here runs it; empty where one does.
        suffix: of the file's name.
        beside: files that lie beside it, for the path of its marker.
    """

    name: str
    family: str
    build: Build
    loader: str = "pickle"
    refused: str = ""
    suffix: str = ".pkl"
    beside: Beside = lambda _: {}

    def write(self, folder: Path, marker: Path) -> Path:
        """Return the file or the folder to scan, written into an empty folder."""
        folder.mkdir()
        for name, content in self.beside(str(marker)).items():
            (folder / name).write_bytes(content)
        content = self.build(str(marker))
        if self.suffix == "/":
            return folder
        path = folder / f"model{self.suffix}"
        path.write_bytes(content)
        return path


# An assembler: each gives the bytes that push one value.

STOP, NONE, TRUE, FALSE = b".", b"N", b"\x88", b"\x89"
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE = b"}", b"]", b")"
REDUCE, BUILD, POP, MARK = b"R", b"b", b"0", b"("


def proto(number: int) -> bytes:
    """The header of a protocol; the first two have none."""
    return b"\x80" + bytes([number]) if number > 1 else b""


def text(value: str) -> bytes:
    """A text."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def raw(value: bytes) -> bytes:
    """Bytes."""
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    """A number."""
    return b"J" + struct.pack("<i", value)


def many(*values: bytes) -> bytes:
    """A tuple."""
    return MARK + b"".join(values) + b"t"


def listed(*values: bytes) -> bytes:
    """A list."""
    return EMPTY_LIST + MARK + b"".join(values) + b"e"


def keyed(**values: bytes) -> bytes:
    """A dictionary with text keys."""
    return EMPTY_DICT + MARK + b"".join(text(k) + v for k, v in values.items()) + b"u"


def name(module: str, attribute: str) -> bytes:
    """A name, as protocols before 4 write it."""
    return f"c{module}\n{attribute}\n".encode()


def stacked(module: str, attribute: str) -> bytes:
    """A name, as protocol 4 writes it; a dotted attribute is looked up part by part."""
    return text(module) + text(attribute) + b"\x93"


def call(function: bytes, *arguments: bytes) -> bytes:
    """What a call gives."""
    return function + many(*arguments) + REDUCE


def new(class_: bytes, *arguments: bytes) -> bytes:
    """An object made without its constructor."""
    return class_ + many(*arguments) + b"\x81"


def whole(*opcodes: bytes, protocol: int = 4) -> bytes:
    """A pickle."""
    return proto(protocol) + b"".join(opcodes) + STOP


# What the payloads do.


def touch(marker: str) -> str:
    """A command that makes the marker."""
    return f"touch '{marker}'"


def python(marker: str) -> str:
    """An expression that makes the marker."""
    return f"__import__('pathlib').Path({marker!r}).touch()"


def system(marker: str) -> bytes:
    """The plainest payload."""
    return call(name("posix", "system"), text(touch(marker)))


def evil(marker: str) -> bytes:
    """The plainest hostile pickle."""
    return whole(system(marker))


def _calling(
    module: str,
    attribute: str,
    arguments: Callable[[str], tuple[bytes, ...]],
    *,
    refused: str = "",
    beside: Beside = lambda _: {},
) -> Sample:
    """A call of a name, which is what the sample is called."""

    def build(marker: str) -> bytes:
        return whole(call(stacked(module, attribute), *arguments(marker)))

    family = "a name that does harm"
    return Sample(f"{module}.{attribute}", family, build, refused=refused, beside=beside)


def _calls() -> Iterator[Sample]:
    """Names that do harm when they are called."""
    one = _calling
    yield one("os", "system", _command)
    yield one("nt", "system", _command, refused="Windows only")
    yield one("os", "popen", _command)
    yield one("os", "mkdir", lambda m: (text(m),))
    yield one("subprocess", "Popen", _words)
    yield one("subprocess", "run", _words)
    yield one("subprocess", "check_output", _words)
    yield one("subprocess", "getoutput", _command)
    yield one("builtins", "eval", _code)
    yield one("builtins", "exec", _code)
    yield one("builtins", "open", _path)
    yield one("io", "open", _path)
    yield one("_io", "FileIO", _path)
    yield one("codecs", "open", _path)
    yield one("shutil", "copyfile", lambda m: (text("/dev/null"), text(m)))
    yield one("zipfile", "ZipFile", _path)
    yield one("gzip", "GzipFile", _path)
    yield one("logging", "FileHandler", lambda m: (text(m),))
    yield one("timeit", "timeit", lambda m: (text(python(m)), text("pass")))
    yield one("cProfile", "run", _code)
    yield one("profile", "run", _code)
    yield one("bdb", "Bdb.run", lambda m: (call(stacked("bdb", "Bdb")), text(python(m))))
    yield one("uuid", "_get_command_stdout", lambda m: (text("touch"), text(m)))
    yield one("_osx_support", "_read_output", _command)
    yield one("imaplib", "IMAP4_stream", _command)
    yield one("pydoc", "pipepager", lambda m: (text(""), text(touch(m))))
    yield one("atexit", "register", lambda m: (name("os", "system"), text(touch(m))))


def _loads() -> Iterator[Sample]:
    """Names that load another file, write one, or read one."""
    one = _calling
    yield one("pickle", "loads", _inner)
    yield one("_pickle", "loads", _inner)
    yield one("cloudpickle", "loads", _inner)
    yield one("multiprocessing.reduction", "ForkingPickler.loads", _inner)
    yield one("numpy", "savetxt", lambda m: (text(m), listed(number(1))))
    yield one("numpy", "save", lambda m: (text(m + ".npy"), listed(number(1))))
    yield one("joblib", "dump", lambda m: (EMPTY_LIST, text(m)))
    yield one("joblib", "Memory", lambda m: (text(m),))
    yield one("numpy.f2py.crackfortran", "myeval", _code)
    yield one("numpy.testing._private.utils", "runstring", lambda m: (text(python(m)), EMPTY_DICT))
    yield one("joblib", "load", _inner_path, beside=_inner_file)
    yield one("pandas", "read_pickle", _inner_path, beside=_inner_file)
    yield one("joblib.numpy_pickle", "load", _inner_path, beside=_inner_file)
    yield one("numpy", "load", lambda m: (*_inner_path(m), NONE, TRUE), beside=_inner_file)
    yield one("site", "addsitedir", _inner_folder, beside=_path_file)
    yield one("runpy", "run_path", _inner_script, beside=_script)
    reads = "it reads, and leaves no mark"
    yield one("sklearn.datasets", "load_files", _folder, refused=reads)
    yield one("sklearn.datasets._base", "load_files", _folder, refused=reads)
    yield one("numpy", "fromfile", lambda _: (text("/etc/hostname"),), refused=reads)
    yield one(
        "numpy.ctypeslib", "load_library", lambda m: (text(m), text("/")), refused="no library"
    )
    yield one("ctypes", "CDLL", lambda m: (text(m),), refused="there is no such library")
    yield one("pandas", "eval", lambda _: (text("@__import__('os')"),), refused="leaves no mark")
    yield one(
        "socket",
        "create_connection",
        lambda _: (many(text("127.0.0.1"), number(9)),),
        refused="no mark",
    )
    yield one("pty", "spawn", _words)
    yield one("pip", "main", lambda _: (listed(text("--version")),), refused="leaves no mark")
    yield one("torch", "load", lambda m: (text(m),), refused="torch is not installed")
    yield one("dill", "loads", _inner, refused="dill is not installed")


def _command(marker: str) -> tuple[bytes, ...]:
    return (text(touch(marker)),)


def _words(marker: str) -> tuple[bytes, ...]:
    return (listed(text("touch"), text(marker)),)


def _code(marker: str) -> tuple[bytes, ...]:
    return (text(python(marker)),)


def _path(marker: str) -> tuple[bytes, ...]:
    return (text(marker), text("w"))


def _inner(marker: str) -> tuple[bytes, ...]:
    return (raw(evil(marker)),)


def _folder(_: str) -> tuple[bytes, ...]:
    return (text("/etc"),)


def _here(marker: str) -> Path:
    """Return the folder that the sample of a marker lies in, as the tests lay them out."""
    return Path(marker).parent.parent / "samples" / Path(marker).name


def _inner_path(marker: str) -> tuple[bytes, ...]:
    return (text(str(_here(marker) / "inner.pkl")),)


def _inner_file(marker: str) -> dict[str, bytes]:
    return {"inner.pkl": evil(marker)}


def _inner_folder(marker: str) -> tuple[bytes, ...]:
    return (text(str(_here(marker))),)


def _path_file(marker: str) -> dict[str, bytes]:
    return {"evil.pth": f"import pathlib; {python(marker)}\n".encode()}


def _inner_script(marker: str) -> tuple[bytes, ...]:
    return (text(str(_here(marker) / "script.py")),)


def _script(marker: str) -> dict[str, bytes]:
    return {"script.py": python(marker).encode()}


def _chains() -> Iterator[Sample]:
    """Names that reach others: by text, by attribute, by a function that calls a function."""
    family = "a name reached by another"
    os_module = call(stacked("importlib", "import_module"), text("os"))

    def one(label: str, build: Build, *, refused: str = "") -> Sample:
        return Sample(label, family, build, refused=refused)

    yield one(
        "pkgutil.resolve_name",
        lambda m: whole(
            call(call(name("pkgutil", "resolve_name"), text("os:system")), text(touch(m)))
        ),
    )
    yield one(
        "pydoc.locate",
        lambda m: whole(call(call(name("pydoc", "locate"), text("os.system")), text(touch(m)))),
    )
    yield one(
        "import_module and getattr",
        lambda m: whole(
            call(call(name("builtins", "getattr"), os_module, text("system")), text(touch(m)))
        ),
    )
    yield one(
        "__import__ and getattr",
        lambda m: whole(
            call(
                call(
                    name("builtins", "getattr"),
                    call(name("builtins", "__import__"), text("os")),
                    text("system"),
                ),
                text(touch(m)),
            )
        ),
    )
    yield one(
        "operator.attrgetter",
        lambda m: whole(
            call(
                call(call(name("operator", "attrgetter"), text("system")), os_module),
                text(touch(m)),
            )
        ),
    )
    yield one(
        "operator.methodcaller",
        lambda m: whole(
            call(call(name("operator", "methodcaller"), text("system"), text(touch(m))), os_module)
        ),
    )
    yield one(
        "operator.call",
        lambda m: whole(call(name("operator", "call"), name("os", "system"), text(touch(m)))),
    )
    yield one(
        "functools.partial",
        lambda m: whole(
            call(call(name("functools", "partial"), name("os", "system"), text(touch(m))))
        ),
    )
    yield one(
        "functools.reduce",
        lambda m: whole(
            call(
                name("functools", "reduce"),
                name("operator", "call"),
                listed(name("os", "system"), text(touch(m))),
            )
        ),
    )
    yield one(
        "builtins.map",
        lambda m: whole(
            call(
                name("builtins", "list"),
                call(name("builtins", "map"), name("os", "system"), listed(text(touch(m)))),
            )
        ),
    )
    yield one(
        "marshal and FunctionType",
        lambda m: whole(
            call(
                call(
                    name("types", "FunctionType"),
                    call(
                        name("marshal", "loads"),
                        raw(marshal.dumps(compile(python(m), "x", "eval"))),
                    ),
                    EMPTY_DICT,
                )
            )
        ),
    )
    yield one(
        "threading.Thread",
        lambda m: whole(
            call(
                stacked("threading", "Thread.start"),
                call(
                    name("threading", "Thread"),
                    *(NONE, name("os", "system"), NONE, many(text(touch(m)))),
                ),
            )
        ),
    )
    yield one(
        "weakref.finalize",
        lambda m: whole(
            call(
                name("weakref", "finalize"),
                name("os", "system"),
                name("os", "system"),
                text(touch(m)),
            )
        ),
    )
    yield one(
        "collections.defaultdict",
        lambda m: whole(
            call(
                stacked("collections", "defaultdict.__missing__"),
                call(
                    name("collections", "defaultdict"),
                    call(name("functools", "partial"), name("os", "system"), text(touch(m))),
                ),
                number(1),
            )
        ),
    )


def _aliases() -> Iterator[Sample]:
    """Modules under the names that other modules know them by."""
    for module, attribute in (
        ("random", "_os.system"),
        ("tempfile", "_os.system"),
        ("shutil", "os.system"),
        ("logging", "os.system"),
        ("pandas.io.common", "os.system"),
        ("joblib.numpy_pickle", "os.system"),
        ("joblib.memory", "os.system"),
        ("sklearn.datasets._base", "os.system"),
        ("numpy.lib._datasource", "os.system"),
        ("numpy.ctypeslib._ctypeslib", "os.system"),
        ("xgboost.core", "os.system"),
        ("scipy._lib._ccallback", "ctypes.sys.modules.__class__.__base__"),
        ("fileinput", "os.system"),
        ("sklearn.base", "BaseEstimator.get_params.__globals__.__class__"),
    ):

        def build(marker: str, *, asked: tuple[str, str] = (module, attribute)) -> bytes:
            return whole(call(stacked(*asked), text(touch(marker))))

        leaves = "" if attribute.endswith("system") else "it reaches far, and leaves no mark"
        yield Sample(f"{module}.{attribute}", "a module under another name", build, refused=leaves)


_RUNS = {"posix": "system", "os": "system", "subprocess": "getoutput"}


def _spelling() -> Iterator[Sample]:
    """Names written so that a reader of opcodes does not see them."""
    family = "a name that is hard to read"

    def one(label: str, build: Build, *, refused: str = "", loader: str = "pickle") -> Sample:
        return Sample(label, family, build, refused=refused, loader=loader)

    def argument(marker: str) -> bytes:
        return many(text(touch(marker))) + REDUCE

    yield one(
        "memoised parts",
        lambda m: whole(text("posix") + b"q\x05" + POP + text("system") + b"q\x06" + POP
                        + b"h\x05h\x06\x93" + argument(m)),
    )  # fmt: skip
    yield one(
        "a memo that is put over",
        lambda m: whole(text("math") + b"q\x01" + POP + text("posix") + b"q\x01" + POP
                        + b"h\x01" + text("system") + b"\x93" + argument(m)),
    )  # fmt: skip
    yield one(
        "a memo far away",
        lambda m: whole(text("posix") + b"r\xff\xff\x0f\x00" + POP + b"j\xff\xff\x0f\x00"
                        + text("system") + b"\x93" + argument(m)),
    )  # fmt: skip
    yield one(
        "a name that is doubled",
        lambda m: whole(text("posix") + b"2" + POP + text("system") + b"\x93" + argument(m)),
    )
    yield one(
        "joined text",
        lambda m: whole(
            call(stacked("builtins", "str.join"), text(""), listed(text("po"), text("six"))),
            text("system"),
            b"\x93",
            argument(m),
        ),
    )
    yield one(
        "decoded text",
        lambda m: whole(
            text("posix"),
            call(name("codecs", "decode"), text("flfgrz"), text("rot13")),
            b"\x93",
            argument(m),
        ),
    )
    yield one(
        "text of numpy",
        lambda m: whole(
            text("posix"),
            call(stacked("builtins", "str"), call(stacked("numpy", "str_"), text("system"))),
            b"\x93",
            argument(m),
        ),
    )
    yield one(
        "text of Python 2",
        lambda m: whole(b"S'posix'\nS'system'\n\x93", argument(m)),
    )
    yield one(
        "escaped text",
        lambda m: whole(b"V\\u0070osix\nVsyste\\u006d\n\x93", argument(m)),
    )
    extensions = ((b"\x82", "B", "posix"), (b"\x83", "<H", "os"), (b"\x84", "<i", "subprocess"))
    for code, width, module in extensions:
        place = 70 + struct.calcsize(width)

        def extended(
            marker: str,
            *,
            asked: tuple[bytes, str, int] = (code + struct.pack(width, place), module, place),
        ) -> bytes:
            opcode, module, place = asked
            add = call(
                name("copyreg", "add_extension"), text(module), text(_RUNS[module]), number(place)
            )
            return whole(add, POP, opcode, argument(marker))

        yield one(f"extension of {struct.calcsize(width)} bytes", extended)
    yield one("extension unknown", lambda _: whole(b"\x82\x05"), refused="no such extension")
    yield one(
        "Cyrillic letters",
        lambda m: whole(stacked("\u043es", "system"), argument(m)),
        refused="there is no such module",
    )
    yield one(
        "wide letters",
        lambda m: whole(stacked("\uff4f\uff53", "system"), argument(m)),
        refused="there is no such module",
    )
    yield one(
        "a line in a name",
        lambda m: whole(stacked("os\nsystem", "sklearn"), argument(m)),
        refused="there is no such module",
    )
    yield one(
        "a name with a return",
        lambda m: whole(b"cposix\r\nsystem\r\n", argument(m)),
        refused="there is no such module",
    )
    yield one(
        "a space after",
        lambda m: whole(name("posix ", "system"), argument(m)),
        refused="there is no such module",
    )
    yield one(
        "a safe name, dotted on",
        lambda _: whole(stacked("sklearn.pipeline", "Pipeline.fit.__globals__.clear")),
        refused="leaves no mark",
    )
    yield one(
        "a safe class, another module",
        lambda m: whole(name("posix", "system"), argument(m)).replace(b"cposix", b"csklearn.os"),
        refused="there is no such module",
    )
    for module, attribute in (
        ("__builtin__", "eval"),
        ("__builtin__", "execfile"),
        ("commands", "getoutput"),
        ("cPickle", "loads"),
        ("copy_reg", "add_extension"),
    ):

        def build(marker: str, *, asked: tuple[str, str] = (module, attribute)) -> bytes:
            given = {"eval": text(python(marker)), "loads": raw(evil(marker))}.get(
                asked[1], text(touch(marker))
            )
            return whole(call(name(*asked), given), protocol=2)

        missing = {"execfile": "Python 3 has none", "add_extension": "leaves no mark"}
        yield one(f"Python 2: {module}.{attribute}", build, refused=missing.get(attribute, ""))


def _plain(protocol: int, marker: str) -> bytes:
    return whole(system(marker), protocol=protocol)


def _opcodes() -> Iterator[Sample]:
    """Calls by opcodes other than REDUCE, and calls whose result is thrown away."""
    family = "a call that is hard to see"

    def one(label: str, build: Build, *, refused: str = "") -> Sample:
        return Sample(label, family, build, refused=refused)

    for protocol in range(6):
        yield one(f"protocol {protocol}", partial(_plain, protocol))
    yield one("INST", lambda m: whole(MARK + text(touch(m)) + b"iposix\nsystem\n"))
    yield one(
        "OBJ",
        lambda m: whole(MARK + name("subprocess", "Popen") + listed(text("touch"), text(m)) + b"o"),
    )
    yield one(
        "INST of a class",
        lambda m: whole(MARK + listed(text("touch"), text(m)) + b"isubprocess\nPopen\n"),
    )
    yield one(
        "NEWOBJ of memmap",
        lambda m: whole(
            new(name("numpy", "memmap"), text(m), text("u1"), text("w+"), number(0), number(4))
        ),
    )
    yield one(
        "NEWOBJ_EX of memmap",
        lambda m: whole(
            name("numpy", "memmap"),
            many(text(m)),
            keyed(dtype=text("u1"), mode=text("w+"), shape=number(4)),
            b"\x92",
        ),
    )
    yield one("POP", lambda m: whole(system(m), POP, EMPTY_LIST))
    yield one("POP_MARK", lambda m: whole(MARK, system(m), b"1", EMPTY_LIST))
    yield one(
        "a model around it",
        lambda m: whole(
            new(name("sklearn.linear_model._logistic", "LogisticRegression")),
            keyed(C=system(m), _sklearn_version=text("1.9.1")),
            BUILD,
        ),
    )
    yield one(
        "BUILD sets __setstate__",
        lambda m: whole(
            call(name("types", "SimpleNamespace")),
            keyed(__setstate__=name("posix", "system")),
            BUILD,
            text(touch(m)),
            BUILD,
        ),
    )
    yield one(
        "BUILD of a class",
        lambda m: whole(
            stacked("sklearn.base", "BaseEstimator"),
            many(NONE, keyed(__setstate__=name("posix", "system"))),
            BUILD, POP,
            new(stacked("sklearn.linear_model._logistic", "LogisticRegression")),
            text(touch(m)),
            BUILD,
        ),
        refused="it was a method once: it would be called with one argument more",
    )  # fmt: skip
    yield one(
        "sys.modules",
        lambda m: whole(
            stacked("sys", "modules"),
            text("harmless"),
            call(name("builtins", "__import__"), text("os")),
            b"s",
            POP,
            stacked("harmless", "system"),
            many(text(touch(m))),
            REDUCE,
        ),
    )
    yield one(
        "_reconstructor of Popen",
        lambda m: whole(
            call(
                name("copyreg", "_reconstructor"),
                name("subprocess", "Popen"),
                name("subprocess", "Popen"),
                listed(text("touch"), text(m)),
            )
        ),
    )
    yield one(
        "an item of a frame",
        lambda m: whole(
            call(name("pandas", "DataFrame")),
            call(name("functools", "partial"), name("subprocess", "getoutput"), text(touch(m))),
            b"q\x01",
            number(1),
            b"s",
        ),
        refused="the function takes one argument too many",
    )
    yield one(
        "PERSID",
        lambda m: whole(b"P" + touch(m).encode() + b"\n"),
        refused="pickle.load refuses it",
    )
    yield one("BINPERSID", lambda m: whole(system(m), b"Q"))
    yield one("NEXT_BUFFER", lambda m: whole(system(m), POP, b"\x97", protocol=5))


def _broken() -> Iterator[Sample]:
    """Streams that do their harm before they fail."""
    family = "a broken stream"

    def one(label: str, build: Build, *, refused: str = "", loader: str = "pickle") -> Sample:
        return Sample(label, family, build, refused=refused, loader=loader)

    yield one("no end", lambda m: evil(m)[:-1])
    yield one("an opcode that is none", lambda m: evil(m)[:-1] + b"\xff.")
    yield one("an empty stack", lambda m: evil(m)[:-1] + b"00000.")
    yield one("a memo without the place", lambda m: evil(m)[:-1] + b"h\x63.")
    yield one("a text cut off", lambda m: evil(m)[:-1] + b"X\xff\xff\xff\x7fabc")
    yield one("a protocol of the future", lambda m: evil(m)[:-1] + b"\x80\x7f.")
    yield one("left over on the stack", lambda m: whole(system(m), EMPTY_DICT, EMPTY_LIST))
    yield one(
        "a frame too long",
        lambda m: proto(4) + b"\x95" + struct.pack("<Q", len(system(m)) + 1) + system(m) + STOP,
    )
    yield one(
        "a frame too short",
        lambda m: proto(4) + b"\x95" + struct.pack("<Q", 5) + system(m) + STOP,
    )
    yield one(
        "a frame in a frame",
        lambda m: (
            proto(4)
            + b"\x95"
            + struct.pack("<Q", 9)
            + b"\x95"
            + struct.pack("<Q", 1)
            + system(m)
            + STOP
        ),
    )
    yield one(
        "a second pickle",
        lambda m: whole(EMPTY_DICT) + evil(m),
        refused="only the first is loaded at once",
    )
    yield one(
        "noise behind",
        lambda _: whole(EMPTY_DICT) + b"cposix\nsystem",
        refused="what is behind is not read",
    )


def _containers() -> Iterator[Sample]:
    """Hostile pickles in what holds pickles."""
    family = "a container"

    def one(
        label: str, build: Build, suffix: str, *, loader: str = "joblib", refused: str = ""
    ) -> Sample:
        return Sample(label, family, build, loader=loader, refused=refused, suffix=suffix)

    yield one("joblib", evil, ".joblib")
    yield one("zlib", lambda m: zlib.compress(evil(m), 3), ".joblib")
    yield one("gzip", lambda m: gzip.compress(evil(m)), ".pkl.gz")
    yield one("bz2", lambda m: bz2.compress(evil(m)), ".pkl.bz2")
    yield one("xz", lambda m: lzma.compress(evil(m)), ".pkl.xz")
    yield one("lzma", lambda m: lzma.compress(evil(m), lzma.FORMAT_ALONE), ".pkl.lzma")
    yield one("gzip of pandas", lambda m: gzip.compress(evil(m)), ".pkl.gz", loader="pandas")
    yield one("zip of pandas", lambda m: _zip(("model.pkl", evil(m))), ".pkl.zip", loader="pandas")
    yield one("zlib cut off", lambda m: zlib.compress(evil(m) + bytes(100), 0)[:-6], ".joblib")
    yield one(
        "gzip twice",
        lambda m: gzip.compress(gzip.compress(evil(m))),
        ".pkl.gz",
        refused="one layer is opened",
    )
    seven = "only a loader that unpacks it would run it"
    yield one(
        "7z", lambda m: b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24) + evil(m), ".pt", refused=seven
    )
    yield one("tar", _tar, ".tar", refused=seven)
    yield one(
        "lz4", lambda m: b"\x04\x22\x4d\x18" + evil(m), ".joblib", refused="it is no lz4 frame"
    )
    yield one("npy", _npy, ".npy", loader="numpy")
    yield one("npz", lambda m: _zip(("a.npy", _npy(m))), ".npz", loader="numpy")
    yield one("pickle named npy", evil, ".npy", loader="numpy")
    yield one("array of objects", _object_array, ".pkl", loader="pickle")
    yield one("array of objects, raw", _joblib_array, ".joblib")
    torch = "torch is not installed"
    data = ("model/version", b"3\n")
    yield one("torch", lambda m: _zip(("model/data.pkl", evil(m)), data), ".pt", refused=torch)
    yield one(
        "torch, wrong sum",
        lambda m: _wrong_sum(_zip(("model/data.pkl", evil(m)), data)),
        ".pt",
        refused=torch,
    )
    yield one(
        "torch, another name",
        lambda m: _zip(("model/weights.bin", evil(m)), data),
        ".pt",
        refused=torch,
    )
    yield one(
        "torch, two names",
        lambda m: _renamed(_zip(("model/data.pkl", evil(m)))),
        ".pt",
        refused=torch,
    )
    yield one(
        "torch, twice",
        lambda m: _zip(("model/data.pkl", whole(EMPTY_DICT)), ("model/data.pkl", evil(m))),
        ".pt",
        refused=torch,
    )
    yield one(
        "torch, before the archive",
        lambda m: evil(m) + _zip(("model/data.pkl", whole(EMPTY_DICT))),
        ".pt",
        loader="pickle",
    )
    yield one(
        "torch, of old",
        lambda m: whole(number(119547037)) + whole(number(1001)) + evil(m),
        ".pt",
        refused=torch,
    )
    keras = "Keras is not installed"
    yield one("Keras Lambda", _keras, ".keras", refused=keras)
    skops = "the skops of today asks first"
    for node in ("OperatorFuncNode", "MethodNode", "JoblibNode", "FunctionNode", "ReduceNode"):
        yield one(f"skops {node}", partial(_skops, node), ".skops", refused=skops)
    mlflow = "mlflow.pyfunc.load_model is not called here"
    yield Sample(
        "MLmodel with code", family, lambda _: b"", suffix="/", refused=mlflow, beside=_mlmodel_code
    )
    yield Sample(
        "MLmodel with a pickle",
        family,
        lambda _: b"",
        suffix="/",
        refused=mlflow,
        beside=_mlmodel_pickle,
    )


def _zip(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for member, content in members:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name that is there twice is the attack
                archive.writestr(zipfile.ZipInfo(member), content)
    return held.getvalue()


def _wrong_sum(archive: bytes) -> bytes:
    """Spoil the checksum of the first member in both of its headers."""
    spoilt = bytearray(archive)
    spoilt[14:18] = b"\xde\xad\xbe\xef"
    place = archive.index(b"PK\x01\x02")
    spoilt[place + 16 : place + 20] = b"\xde\xad\xbe\xef"
    return bytes(spoilt)


def _renamed(archive: bytes) -> bytes:
    """Give the first member another name in its own header than in the directory."""
    return archive.replace(b"model/data.pkl", b"model/note.txt", 1)


def _tar(marker: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("data.pkl")
        content = evil(marker)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


def _npy(marker: str) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + evil(marker)


def _dtype_of_objects() -> bytes:
    return (
        call(name("numpy", "dtype"), text("O8"), FALSE, TRUE)
        + many(number(3), text("|"), NONE, NONE, NONE, number(-1), number(-1), number(63))
        + BUILD
    )


def _object_array(marker: str) -> bytes:
    return whole(
        call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"),
             many(number(0)), raw(b"b")),
        many(number(1), many(number(1)), _dtype_of_objects(), FALSE, listed(system(marker))),
        BUILD,
    )  # fmt: skip


def _joblib_array(marker: str) -> bytes:
    return (
        proto(4)
        + new(name("joblib.numpy_pickle", "NumpyArrayWrapper"))
        + keyed(
            subclass=name("numpy", "ndarray"),
            shape=many(number(1)),
            order=text("C"),
            dtype=_dtype_of_objects(),
            allow_mmap=FALSE,
            numpy_array_alignment_bytes=NONE,
        )
        + BUILD
        + evil(marker)
        + STOP
    )


def _keras(marker: str) -> bytes:
    code = base64.b64encode(marshal.dumps(compile(python(marker), "x", "eval"))).decode()
    function = {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": None, "closure": None},
    }
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}}
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
    return _zip(("metadata.json", b"{}"), ("config.json", json.dumps(config).encode()))


def _skops(loader: str, marker: str) -> bytes:
    attributes = json.dumps(touch(marker))
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": loader,
        "__id__": 1,
        "type": "joblib",
        "file": "inner.joblib",
        "attrs": {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
                  "content": attributes},
        "content": {"module_path": "os", "function": "system", "func": "system",
                    "obj": {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}},
        "protocol": 2,
        "_skops_version": "0.16.0",
    }  # fmt: skip
    return _zip(("schema.json", json.dumps(schema).encode()), ("inner.joblib", evil(marker)))


def _mlmodel_code(marker: str) -> dict[str, bytes]:
    model = b"flavors:\n  python_function:\n    loader_module: evil\n    code: .\n    env: {}\n"
    return {"MLmodel": model, "evil.py": f"{python(marker)}\n".encode()}


def _mlmodel_pickle(marker: str) -> dict[str, bytes]:
    model = (
        b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"
        b"    model_path: model.pkl\n"
        b"  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n"
    )
    return {"MLmodel": model, "model.pkl": evil(marker)}


def _gadgets() -> Iterator[Sample]:
    """Objects of honest classes that do harm by what they are given, or when they are used."""
    family = "an honest class, misused"
    version = text("1.9.1")

    def one(label: str, build: Build, *, loader: str = "pickle", refused: str = "") -> Sample:
        return Sample(label, family, build, loader=loader, refused=refused)

    yield one(
        "FunctionTransformer of os.system",
        lambda m: whole(
            new(name("sklearn.preprocessing._function_transformer", "FunctionTransformer")),
            keyed(
                **dict.fromkeys(
                    ("inverse_func", "kw_args", "inv_kw_args", "feature_names_out"), NONE
                ),
                **dict.fromkeys(("validate", "accept_sparse", "check_inverse"), FALSE),
                func=call(
                    name("functools", "partial"), name("subprocess", "getoutput"), text(touch(m))
                ),
                _sklearn_version=version,
            ),
            BUILD,
        ),
        loader="transform",
        refused="the function takes one argument too many",
    )
    yield one(
        "FunctionTransformer of np.save",
        lambda m: whole(
            new(name("sklearn.preprocessing._function_transformer", "FunctionTransformer")),
            keyed(
                **dict.fromkeys(("inverse_func", "inv_kw_args", "feature_names_out"), NONE),
                **dict.fromkeys(("validate", "accept_sparse", "check_inverse"), FALSE),
                func=call(name("functools", "partial"), name("numpy", "savetxt"), text(m)),
                kw_args=NONE,
                _sklearn_version=version,
            ),
            BUILD,
        ),
        loader="transform",
    )
    yield one(
        "FunctionTransformer of pandas.eval",
        lambda _: whole(
            new(name("sklearn.preprocessing._function_transformer", "FunctionTransformer")),
            keyed(func=name("pandas", "eval"), _sklearn_version=version),
            BUILD,
        ),
        loader="transform",
        refused="leaves no mark",
    )
    yield one(
        "a distribution of scipy that runs its state",
        lambda m: whole(
            new(name("scipy.stats._continuous_distns", "uniform_gen")),
            keyed(_parse_arg_template=text(python(m)), _stats_has_moments=FALSE),
            BUILD,
        ),
    )
    yield one(
        "a distribution of scipy, state as pairs",
        lambda m: whole(
            new(name("scipy.stats._continuous_distns", "norm_gen")),
            many(many(text("_parse_arg_template"), text(python(m))), many(text("a"), NONE)),
            BUILD,
        ),
    )
    yield one(
        "a formula of statsmodels",
        lambda m: whole(
            new(name("statsmodels.base.data", "PandasData")),
            keyed(
                frame=call(
                    name("pandas", "DataFrame"), keyed(y=listed(number(1)), x=listed(number(2)))
                ),
                formula=text(f"y ~ np.abs(x) + I({python(m)} or 1)"),
                restore_design_info=TRUE,
                restore_model_spec=TRUE,
            ),
            BUILD,
        ),
    )
    yield one(
        "xgboost.Booster from a file",
        lambda _: whole(
            call(name("xgboost.core", "Booster"), NONE, EMPTY_TUPLE, text("/etc/passwd"))
        ),
        refused="it reads, and leaves no mark",
    )
    yield one(
        "lightgbm.Booster from a file",
        lambda _: whole(call(name("lightgbm.basic", "Booster"), NONE, NONE, text("/etc/passwd"))),
        refused="it reads, and leaves no mark",
    )
    yield one(
        "numpy.core._ufunc_reconstruct",
        lambda m: whole(
            call(
                call(name("numpy.core", "_ufunc_reconstruct"), text("os"), text("system")),
                text(touch(m)),
            )
        ),
    )
    yield one(
        "NDArrayWrapper of old joblib",
        lambda _: whole(
            new(name("joblib.numpy_pickle_compat", "NDArrayWrapper")),
            keyed(
                filename=text("../inner.pkl"), subclass=name("numpy", "ndarray"), allow_mmap=TRUE
            ),
            BUILD,
        ),
        refused="only the loader of joblib before 0.10 reads it",
    )
    yield one(
        "a class of the script",
        lambda _: whole(new(name("__main__", "Model")), keyed(a=number(1)), BUILD),
        refused="there is no such class",
    )
    yield one(
        "a class nobody knows",
        lambda m: whole(call(name("sklearn.pipeline_extras", "Pipeline"), text(m))),
        refused="there is no such module",
    )
    yield one(
        "type makes a class",
        lambda _: whole(
            call(
                call(name("builtins", "type"), text("X"), EMPTY_TUPLE,
                     keyed(__init__=name("subprocess", "getoutput"))),
            )
        ),
        refused="leaves no mark",
    )  # fmt: skip


def samples() -> tuple[Sample, ...]:
    """Return all of them."""
    makers = (
        _calls,
        _loads,
        _chains,
        _aliases,
        _spelling,
        _opcodes,
        _broken,
        _containers,
        _gadgets,
    )
    return tuple(sample for maker in makers for sample in maker())
