"""Which literal paths a script reads and writes, found in its syntax tree.

A path begins with a literal: `'data/a.csv'`, `Path('data') / name`, `f'data/{name}.csv'`, or a name
that is given such a value once. What begins with anything else is not known before the script runs.
"""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from brinery.pipeline.notebook_source import chain, statements

_READS: Final = {
    "read_csv", "read_table", "read_parquet", "read_excel", "read_json", "read_pickle", "read_orc",
    "read_feather", "read_hdf", "read_fwf", "read_stata", "read_sas", "read_xml", "read_spss",
    "scan_csv", "scan_parquet", "read_ndjson", "read_ipc", "read_file", "read_image", "imread",
    "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "load_model", "ExcelFile", "safe_load",
    "load_npz", "loadmat", "log_artifact", "log_artifacts", "load_dataset", "ZipFile",
}  # fmt: skip
_LISTS: Final = {"listdir", "scandir", "walk", "glob", "iglob", "chdir"}
_WRITES: Final = {
    "to_csv", "to_parquet", "to_pickle", "to_json", "to_excel", "to_feather", "to_hdf", "to_html",
    "to_markdown", "to_stata", "to_orc", "to_file", "to_xml", "to_latex", "savefig", "savez",
    "savez_compressed", "savetxt", "imwrite", "imsave", "save_npz", "savemat", "ExcelWriter",
    "write_csv", "write_parquet", "write_html", "write_image", "save_weights", "tofile",
}  # fmt: skip
# The path is the second argument: `joblib.dump(model, path)`; where it is none, the first.
_WRITES_SECOND: Final = {"dump", "save", "save_model", "export"}
_MAKES: Final = {"mkdir", "makedirs"}
_ASKS: Final = {"exists", "isfile", "isdir", "getsize", "remove", "unlink", "rmtree", "is_file"}
_OF_PATH: Final = {
    "read_text": "read", "read_bytes": "read", "iterdir": "list", "glob": "list", "rglob": "list",
    "write_text": "write", "write_bytes": "write", "mkdir": "make", "exists": "ask",
    "is_file": "ask", "is_dir": "ask", "unlink": "ask", "touch": "write",
}  # fmt: skip
_PATHS: Final = {
    "filepath_or_buffer",
    "path",
    "path_or_buf",
    "io",
    "file",
    "fname",
    "filename",
    "dir",
}
_SAME: Final = {
    "Path",
    "PurePath",
    "str",
    "abspath",
    "normpath",
    "expanduser",
    "fspath",
    "realpath",
}
_SAME_METHODS: Final = {"resolve", "absolute", "expanduser", "as_posix"}


class Use(StrEnum):
    """What is done with a path."""

    READ = "read"
    LIST = "list"
    WRITE = "write"
    MAKE = "make"
    ASK = "ask"

    @property
    def of_folder(self) -> bool:
        """Return whether it is done with folders only."""
        return self in (Use.LIST, Use.MAKE)

    @property
    def writes(self) -> bool:
        """Return whether something is there afterwards."""
        return self in (Use.WRITE, Use.MAKE)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A path that begins with a literal.

    Attributes:
        root: the literal.
        path: as far as it is known, with `/`.
        exact: whether that is all of it.
        name: the name that stands for the literal here; None where it stands here itself.
        glued: whether text is put behind the literal without a separator.
    """

    root: ast.Constant | ast.JoinedStr
    path: str
    exact: bool
    name: ast.Name | None = None
    glued: bool = False


@dataclass(frozen=True, kw_only=True)
class Access:
    """Something done with such a path.

    Attributes:
        use: what.
        found: the path.
        call: that does it.
    """

    use: Use
    found: Found
    call: ast.Call


@dataclass(frozen=True, kw_only=True)
class Constants:
    """The names that are given a value once, at the top level.

    Attributes:
        values: name to the value's expression.
    """

    values: Mapping[str, ast.expr] = field(default_factory=dict)

    def found(self, node: ast.expr, depth: int = 20) -> Found | None:
        """Return the path that an expression is; None where it begins with no literal."""
        match node:
            case ast.Constant(value=str(text)) if text:
                return _of_text(node, text)
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                return Found(root=node, path=text, exact=False)
            case ast.Name(id=name) if name in self.values and depth:
                inner = self.found(self.values[name], depth - 1)
                return inner and _named(inner, node)
            case _:
                parts = _parts(node)
                return self._joined(parts, depth - 1) if parts is not None and depth else None

    def _joined(self, parts: _Parts, depth: int) -> Found | None:
        inner = self.found(parts.first, depth)
        if inner is None:
            return None
        path, exact = inner.path, inner.exact
        for part in parts.rest:
            text = part.value if isinstance(part, ast.Constant) else None
            if not exact or not isinstance(text, str):
                exact = False
                continue
            path = path + text if parts.glued else posixpath.join(path, text)
        return Found(
            root=inner.root,
            path=path,
            exact=exact,
            name=inner.name,
            glued=inner.glued or (parts.glued and bool(parts.rest)),
        )


class _Parts(NamedTuple):
    """An expression that puts paths together: what comes first, what follows, and how."""

    first: ast.expr
    rest: Sequence[ast.expr | None]
    glued: bool = False


def _parts(node: ast.expr) -> _Parts | None:
    match node:
        case ast.JoinedStr(values=[ast.FormattedValue(value=value), *rest]):
            return _Parts(value, rest, glued=True)
        case ast.BinOp(left=left, op=ast.Div() | ast.Add() as sign, right=right):
            return _Parts(left, [right], glued=isinstance(sign, ast.Add))
        case ast.BinOp(left=left, op=ast.Mod()):
            return _Parts(left, [None], glued=True)
        case ast.Call(func=ast.Name(id=name), args=[first, *rest]) if name in _SAME:
            return _Parts(first, rest)
        case ast.Call(func=ast.Attribute(attr=name, value=owner)):
            return _parts_of_method(node, name, owner)
        case _:
            return None


def _parts_of_method(node: ast.Call, name: str, owner: ast.expr) -> _Parts | None:
    joins = name == "join" and chain(owner)[1][-1:] == ("path",)
    if node.args and (name in _SAME or joins):
        return _Parts(node.args[0], node.args[1:])
    if name in {"joinpath", *_SAME_METHODS}:
        return _Parts(owner, node.args)
    return _Parts(owner, [None], glued=True) if name == "format" else None


def _of_text(node: ast.Constant, text: str) -> Found:
    known = text.replace("\\", "/")
    wild = min((known.find(sign) for sign in "{%*?[" if sign in known), default=-1)
    if wild >= 0 and "://" not in known:
        return Found(root=node, path=known[:wild], exact=False)
    return Found(root=node, path=known, exact=True)


def _named(inner: Found, node: ast.Name) -> Found:
    """Return a path by the name nearest to its literal, which is where it can be changed."""
    return Found(
        root=inner.root,
        path=inner.path,
        exact=inner.exact,
        name=inner.name or node,
        glued=inner.glued,
    )


def is_same(node: ast.Call) -> bool:
    """Return whether a call gives the path that it is given: `Path`, `str`, `abspath`."""
    name, attributes = chain(node.func)
    return (attributes or (name,))[-1] in _SAME


def constants(tree: ast.Module) -> Constants:
    """Return the names that are given a value once in a script, at the top level."""
    stores = Counter(
        one.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
    )
    stores.update(one.arg for one in ast.walk(tree) if isinstance(one, ast.arg))
    values = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if stores[name] == 1:
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                stores[name] == 1
            ):
                values[name] = value
            case _:
                continue
    return Constants(values=values)


def accesses(tree: ast.Module) -> list[Access]:
    """Return what a script does with literal paths, in no order."""
    known = constants(tree)
    functions = _path_functions(tree)
    found = []
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        for use, argument in [*_uses(call), *_through(call, functions)]:
            path = known.found(argument)
            if path is not None and _is_path(path, use):
                found.append(Access(use=use, found=path, call=call))
    return found


def _is_path(found: Found, use: Use) -> bool:
    if "://" in found.path:
        return use is Use.READ and found.exact and found.path.startswith(("http://", "https://"))
    return not found.path.startswith("models:/") and not found.path.startswith("runs:/")


def _uses(call: ast.Call) -> Iterator[tuple[Use, ast.expr]]:
    """Yield what a call does with which of its arguments."""
    match call.func:
        case ast.Name(id=name):
            owner = None
        case ast.Attribute(attr=name, value=owner):
            pass
        case _:
            return
    first = _argument(call, 0)
    if name == "open" and (
        owner is None or chain(owner)[0] in {"io", "codecs", "gzip", "bz2", "lzma"}
    ):
        yield from [(_opened(call, 1), first)] if first else []
    elif name == "open" and owner is not None and chain(owner)[0] == "Image":
        yield from [(Use.READ, first)] if first else []
    elif name == "open" and owner is not None:
        yield _opened(call, 0), owner
    elif name in _OF_PATH and owner is not None and not call.args[:1] and name != "exists":
        yield Use(_OF_PATH[name]), owner
    elif name in {"copy", "copyfile", "copy2", "move", "copytree"} and len(call.args) > 1:
        yield Use.READ, call.args[0]
        yield Use.WRITE, call.args[1]
    else:
        yield from _by_name(call, name, owner=owner, first=first)


def _by_name(
    call: ast.Call, name: str, *, owner: ast.expr | None, first: ast.expr | None
) -> Iterator[tuple[Use, ast.expr]]:
    second = _second(call)
    if name in _WRITES_SECOND:
        argument = second if second is not None else first
        yield from [(Use.WRITE, argument)] if argument is not None else []
        return
    if name in _OF_PATH and owner is not None and chain(owner)[0] not in {"os", "glob", "shutil"}:
        yield Use(_OF_PATH[name]), owner
        return
    for names, use in (
        (_READS, Use.READ),
        (_LISTS, Use.LIST),
        (_WRITES, Use.WRITE),
        (_MAKES, Use.MAKE),
        (_ASKS, Use.ASK),
    ):
        if name in names and first is not None:
            yield use, first
            return


def _second(call: ast.Call) -> ast.expr | None:
    if len(call.args) > 1:
        return call.args[1]
    named = [one.value for one in call.keywords if one.arg in _PATHS]
    return named[0] if named else None


def _argument(call: ast.Call, at: int) -> ast.expr | None:
    if len(call.args) > at and not any(isinstance(one, ast.Starred) for one in call.args[: at + 1]):
        return call.args[at]
    named = [one.value for one in call.keywords if one.arg in _PATHS]
    return named[0] if named else None


def _opened(call: ast.Call, at: int) -> Use:
    modes = [one.value for one in call.keywords if one.arg == "mode"] + call.args[at : at + 1]
    mode = modes[0] if modes else None
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    return Use.WRITE if set(text) & set("wax+") else Use.READ


def _through(
    call: ast.Call, functions: Mapping[str, Mapping[str | int, Use]]
) -> Iterator[tuple[Use, ast.expr]]:
    """Yield what the script's own functions do with what they are given."""
    if not isinstance(call.func, ast.Name) or call.func.id not in functions:
        return
    for place, use in functions[call.func.id].items():
        if isinstance(place, int):
            yield from [(use, call.args[place])] if place < len(call.args) else []
        else:
            yield from ((use, one.value) for one in call.keywords if one.arg == place)


def _path_functions(tree: ast.Module) -> dict[str, dict[str | int, Use]]:
    """Return which parameters of the script's functions are paths, by place and name."""
    found: dict[str, dict[str | int, Use]] = {}
    for _ in range(2):
        for node in statements(tree.body):
            if not isinstance(node, ast.FunctionDef):
                continue
            parameters = [one.arg for one in node.args.posonlyargs + node.args.args]
            places = found.setdefault(node.name, {})
            for call in ast.walk(node):
                if not isinstance(call, ast.Call):
                    continue
                for use, argument in [*_uses(call), *_through(call, found)]:
                    name = _leftmost(argument)
                    if name in parameters and use is not Use.ASK:
                        places[parameters.index(name)] = use
                        places[name] = use
    return {name: places for name, places in found.items() if places}


def _leftmost(node: ast.expr) -> str:
    """Return the name that a path expression begins with; empty where it is no name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.BinOp(left=left, op=ast.Div() | ast.Add()):
            return _leftmost(left)
        case ast.JoinedStr(values=[ast.FormattedValue(value=value), *_]):
            return _leftmost(value)
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _SAME:
            return _leftmost(first)
        case ast.Call(func=ast.Attribute(attr=name), args=[first, *_]) if name in _SAME | {"join"}:
            return _leftmost(first)
        case _:
            return ""
