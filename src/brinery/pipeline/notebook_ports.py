"""The literal paths of a script as the inputs and outputs of a job, and as arguments of the script.

What is read is an input: a file, or the folder of several. What is written is an output, and an
output is a folder always, so that files keep the names that their formats are told by. What the
script wrote and reads again is no input.
"""

from __future__ import annotations

import ast
import keyword
import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from brinery.pipeline.notebook_access import Access, Found, Use, accesses, constants, is_same
from brinery.pipeline.notebook_source import Edit, Source
from brinery.records.conversion import Port
from brinery.records.plan import DataType

_OF_FILE: Final = re.compile(r"(?:_|^)(?:path|file|filename|file_path|dir|folder|directory)$")


@dataclass
class Names:
    """The names of a script's arguments; each is given once."""

    taken: set[str] = field(default_factory=set)

    def draw(self, wish: str) -> str:
        """Return a name near to a wish that an argument may have and that no other has."""
        base = re.sub(r"\W+", "_", wish, flags=re.ASCII).strip("_") or "data"
        base = f"input_{base}" if base[0].isdigit() else base
        base = f"{base}_" if keyword.iskeyword(base) else base
        name, number = base, 2
        while name in self.taken:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        return name


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What was found.

    Attributes:
        inputs: in order.
        outputs: likewise.
        edits: that put arguments in the place of literals.
        notes: a line each.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    edits: tuple[Edit, ...]
    notes: tuple[str, ...]


def ports(
    source: Source,
    left: Iterable[ast.stmt],
    *,
    kind: Callable[[str], str],
    names: Names,
    arguments: str = "args",
) -> Ports:
    """Return the inputs and outputs of a script.

    Args:
        source: the script.
        left: statements that are left out.
        kind: what is found at a path: `file`, `folder`, or empty where nothing is.
        names: that are taken already; those drawn here are taken afterwards.
        arguments: name of what the parsed arguments are kept in.
    """
    away = {id(one) for node in left for one in ast.walk(node)}
    found = [one for one in accesses(source.tree) if id(one.call) not in away]
    found.sort(key=lambda one: (one.call.lineno, one.call.col_offset))
    finder = _Finder(source, found, kind=kind, names=names, arguments=arguments)
    finder.run()
    return Ports(
        inputs=tuple(finder.inputs.values()),
        outputs=tuple(finder.outputs.values()),
        edits=tuple(finder.edits.values()),
        notes=tuple(finder.notes),
    )


class _Finder:
    """Goes over the literals, outputs first: what was written is known before reads are judged."""

    def __init__(
        self,
        source: Source,
        found: list[Access],
        *,
        kind: Callable[[str], str],
        names: Names,
        arguments: str,
    ) -> None:
        self._source = source
        self._kind = kind
        self._names = names
        self._arguments = arguments
        self._owners = _owners(source.tree)
        self._uses: dict[int, list[Access]] = {}
        for one in found:
            self._uses.setdefault(id(one.found.root), []).append(one)
        self._written = {
            _normal(one.found.path) for one in found if one.use is Use.WRITE and one.found.exact
        }
        self._filled = {posixpath.dirname(path) or "." for path in self._written} | {
            _normal(_folder_of(one.found.path)[0])
            for one in found
            if one.use is Use.WRITE and not one.found.exact
        }
        self._together = _together(found, self._is_own)
        self.inputs: dict[str, Port] = {}
        self.outputs: dict[str, Port] = {}
        self.edits: dict[tuple[int, int], Edit] = {}
        self.notes: list[str] = []

    def run(self) -> None:
        """Find the ports and the edits."""
        for uses in self._uses.values():
            self._of_output(uses)
        for uses in self._uses.values():
            self._of_input(uses)
        for uses in self._uses.values():
            self._of_question(uses)

    def _is_own(self, one: Access) -> bool:
        """Return whether a path is one that the script writes, then or before."""
        path = _normal(one.found.path)
        match one.use:
            case Use.WRITE:
                return True
            case Use.MAKE:
                return path in self._filled or not self._kind(one.found.path)
            case Use.LIST:
                return path in self._filled and not self._kind(one.found.path)
            case _:
                return one.found.exact and path in self._written

    def _of_output(self, uses: list[Access]) -> None:
        writes = [one for one in uses if self._is_own(one)]
        reads = [one for one in uses if one.use in (Use.READ, Use.LIST) and not self._is_own(one)]
        if not writes:
            return
        owner = self._owners.get(id(uses[0].found.root))
        folder, rest = _split(writes)
        wish = "" if owner is None or (rest and not _OF_FILE.search(owner)) else owner
        port = self._output(folder, f"{wish}_output" if reads and wish else wish)
        if not reads:
            self._put(uses, port, rest)
        else:
            for one in writes:
                self._put_in_place(one, port, rest)
        for one in uses:
            self._make_again(one)

    def _output(self, folder: str, wish: str) -> str:
        key = _normal(folder)
        if key not in self.outputs:
            plain = _OF_FILE.sub("", wish) or wish or posixpath.basename(key).strip(".")
            self.outputs[key] = Port(
                name=self._names.draw(plain or "output"), type=DataType.FOLDER, path=folder or "."
            )
        return self.outputs[key].name

    def _of_input(self, uses: list[Access]) -> None:
        reads = [one for one in uses if one.use in (Use.READ, Use.LIST) and not self._is_own(one)]
        if not reads:
            return
        owner = self._owners.get(id(reads[0].found.root)) or ""
        path = _root_path(reads[0].found)
        own = any(_root_is_all(one) and not one.use.of_folder for one in reads)
        whole = own and not _is_pattern(reads[0].found)
        where = self._kind(path)
        rest = ""
        if not whole and not path.endswith("/") and where != "folder" and _is_prefix(reads[0]):
            path, rest = _folder_of(path)
            where = self._kind(path)
        elif whole and not owner and posixpath.dirname(path) in self._together:
            path, rest = posixpath.split(path)
            where = self._kind(path)
        is_file = whole and not rest and where != "folder"
        name = self._input(path, owner, is_file=is_file, where=where)
        self._put([one for one in uses if not self._is_own(one)], name, rest)

    def _input(self, path: str, owner: str, *, is_file: bool, where: str) -> str:
        key = path if "://" in path else _normal(path)
        if key not in self.inputs:
            base = posixpath.basename(key)
            there = bool(where) or "://" in path
            plain = _OF_FILE.sub("", owner) or owner or base.partition(".")[0]
            name = self._names.draw(plain or ("data" if not is_file else base))
            self.inputs[key] = Port(
                name=name,
                type=DataType.FILE if is_file else DataType.FOLDER,
                path=path or ".",
                there=there,
            )
            if not there:
                self.notes.append(f"{path} is read, and is not there: say where in inputs.{name}")
        return self.inputs[key].name

    def _put(self, uses: Iterable[Access], port: str, rest: str) -> None:
        """Have a literal taken from an argument, wherever it is used."""
        for one in uses:
            self._change_root(one.found, port, rest)

    def _put_in_place(self, one: Access, port: str, rest: str) -> None:
        """Have the name of a literal replaced where it is used, for it stands for an input too."""
        name = one.found.name
        if name is None:
            self._change_root(one.found, port, rest)
            return
        text = self._argument(
            port, rest, glued=one.found.glued and _root_path(one.found)[-1:] == "/"
        )
        self._edit(self._source.replaced(name, text))

    def _change_root(self, found: Found, port: str, rest: str) -> None:
        root = found.root
        segment = self._source.segment(root)
        literal = _root_path(found)
        if isinstance(root, ast.JoinedStr) or _is_pattern(found):
            folder, _ = _folder_of(literal)
            cut = segment.find(folder + "/") if folder else -1
            body = segment if cut < 0 else segment[:cut] + segment[cut + len(folder) + 1 :]
            text = f"os.path.join({self._arguments}.{port}, {body})"
        else:
            glued = found.glued or self._may_be_glued(root)
            text = self._argument(port, rest, glued=glued and literal.endswith("/"))
        self._edit(self._source.replaced(root, text))

    def _may_be_glued(self, root: ast.expr) -> bool:
        """Return whether text may be put behind a literal somewhere that is not known."""
        owner = self._owners.get(id(root))
        if owner is None:
            return False
        known = {id(one.found.name) for one in self._uses[id(root)] if not one.found.glued}
        return any(
            isinstance(one, ast.Name) and one.id == owner and isinstance(one.ctx, ast.Load)
            for one in ast.walk(self._source.tree)
            if id(one) not in known
        )

    def _argument(self, port: str, rest: str, *, glued: bool) -> str:
        whole = f"{self._arguments}.{port}"
        if rest:
            return f'os.path.join({whole}, "{rest}")'
        return f'os.path.join({whole}, "")' if glued else whole

    def _of_question(self, uses: list[Access]) -> None:
        """Have `exists('model')` ask for the argument, where `model` became one."""
        asked = [one for one in uses if one.use is Use.ASK]
        if len(asked) < len(uses):
            return
        for one in asked:
            path = _normal(one.found.path)
            folder, rest = posixpath.split(path)
            for known, inner in ((path, ""), (folder, rest)):
                port = self.outputs.get(known) or self.inputs.get(known)
                if port is not None and one.found.exact:
                    self._change_root(one.found, port.name, inner)
                    break

    def _make_again(self, one: Access) -> None:
        """Have a folder made without a complaint that it is there: the job makes it first."""
        if one.use is not Use.MAKE or any(k.arg == "exist_ok" for k in one.call.keywords):
            return
        function = one.call.func
        if isinstance(function, ast.Attribute) and function.attr == "mkdir" and one.call.args:
            self._edit(self._source.replaced(function, "os.makedirs"))
        end = self._source.end(one.call) - 1
        given = bool(one.call.args or one.call.keywords)
        self._edit(Edit(begin=end, end=end, text=f"{', ' if given else ''}exist_ok=True"))

    def _edit(self, edit: Edit) -> None:
        self.edits.setdefault((edit.begin, edit.end), edit)


def _owners(tree: ast.Module) -> dict[int, str]:
    """Return the names that literals were given: `data = 'a'`, `data = Path('a')`."""
    owners = {}
    for name, value in constants(tree).values.items():
        node = value
        while isinstance(node, ast.Call) and len(node.args) == 1 and is_same(node):
            node = node.args[0]
        if isinstance(node, ast.Constant):
            owners[id(node)] = name
    return owners


def _together(found: list[Access], is_own: Callable[[Access], bool]) -> set[str]:
    """Return the folders that several literals name files of."""
    roots: dict[str, set[str]] = {}
    for one in found:
        whole = one.use is Use.READ and not is_own(one) and _root_is_all(one)
        if whole and one.found.name is None and "://" not in one.found.path:
            folder = posixpath.dirname(one.found.path)
            roots.setdefault(folder, set()).add(one.found.path)
    return {folder for folder, files in roots.items() if folder and len(files) > 1}


def _root_path(found: Found) -> str:
    root = found.root
    if isinstance(root, ast.Constant):
        return str(root.value).replace("\\", "/")
    first = root.values[0]
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _root_is_all(one: Access) -> bool:
    return one.found.exact and one.found.path == _root_path(one.found)


def _is_pattern(found: Found) -> bool:
    """Return whether a literal has places within: `data/*.csv`, `data/{}.csv`."""
    return isinstance(found.root, ast.JoinedStr) or (
        any(sign in _root_path(found) for sign in "{%*?[") and "://" not in _root_path(found)
    )


def _is_prefix(one: Access) -> bool:
    return _is_pattern(one.found) or one.found.glued


def _folder_of(path: str) -> tuple[str, str]:
    """Return the folder that a beginning of paths lies in, and what follows it."""
    wild = min((path.find(sign) for sign in "{%*?[" if sign in path), default=len(path))
    folder, _, rest = path[:wild].rpartition("/")
    return folder, rest


def _split(writes: list[Access]) -> tuple[str, str]:
    """Return the folder that is written to by a literal, and the file where it names one."""
    found = writes[0].found
    path = _root_path(found)
    if _is_pattern(found):
        return _folder_of(path)[0], ""
    whole = any(_root_is_all(one) and one.use in (Use.WRITE, Use.READ) for one in writes)
    if whole and not path.endswith("/") and not any(one.use is Use.MAKE for one in writes):
        return posixpath.split(path)
    return path, ""


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path else "."
