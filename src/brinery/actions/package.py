"""Package: a registered version becomes what runs elsewhere, and is run before it is shipped."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from brinery.actions import proving
from brinery.actions.packing import Packed, declined, facts_of, made_rows, pack
from brinery.actions.progress import Clock, result_of
from brinery.actions.proving import Rows
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import InvalidPackage, NotProven
from brinery.package import composing, proof, writer
from brinery.package.contents import Contents, Platform, Rendered
from brinery.package.runtime import verify
from brinery.package.runtime.facts import Facts
from brinery.records.event import Event, Step
from brinery.records.package import Engine, Package, Proof, Target
from brinery.records.version import Version
from brinery.registry.interface import askable, resolve
from brinery.specs.names import nearest
from brinery.specs.packaging import PackageSpec, WhoAnswers, module_name
from brinery.specs.reference import Reference
from brinery.store import fresh
from brinery.store.frames import Data, given

_LISTED = 5
MADE_UP = "made up"
_UNPROVEN = "It was made with `--no-verify`."


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asked to package.

    Attributes:
        version: which.
        target: what for.
        spec: what was declared.
        folder: to write to.
        verify: whether it is run first.
        data: rows to ask it; those of its evaluation when None.
        separator: of a csv file.
    """

    version: Version
    target: Target
    spec: PackageSpec
    folder: Path
    verify: bool = True
    data: Any = None
    separator: str | None = None


class Prepared:
    """What a version brings into a package, whatever platform it is for; each is found once.

    Args:
        rooms: of the workspace.
        asked: what was ordered; its target and folder are not looked at.

    Attributes:
        rows: to ask the package: those of the evaluation first, where it is run, then made-up ones.
    """

    def __init__(self, rooms: Rooms, asked: Order) -> None:
        self._rooms = rooms
        self._asked = asked
        self.rows = [Rows(made_rows(asked.version), MADE_UP)]
        if asked.verify or asked.spec.keep_rows:
            stored = proving.evaluation_rows(
                rooms, asked.version, data=asked.data, separator=asked.separator
            )
            self.rows.insert(0, stored)

    @cached_property
    def packed(self) -> Packed:
        """Return who answers: the scorer where it covers every stored row, else the library."""
        version, spec = self._asked.version, self._asked.spec
        registry, module = self._rooms.registry, module_name(version.name)
        packed = pack(registry, version, spec=spec, module=module)
        for each in self.rows[:-1]:
            reason = declined(packed, each.table)
            if reason and spec.engine is WhoAnswers.AUTO:
                library = spec.model_copy(update={"engine": WhoAnswers.LIBRARY})
                found = pack(registry, version, spec=library, module=module)
                said = f"the scorer leaves some of {each.words} to the library: {reason}"
                return Packed(**{**vars(found), "reason": said})
        return packed

    @cached_property
    def facts(self) -> Facts:
        """Return what the package knows of its model."""
        return facts_of(self._asked.version, self.packed, spec=self._asked.spec)

    @cached_property
    def answers(self) -> list[dict[str, Any] | None]:
        """Return the registered model's answers to the rows, kind by kind."""
        return proving.answered(self._rooms, self._asked.version, facts=self.facts, rows=self.rows)


def package_model(
    reference: str,
    *,
    to: Target | str,
    output: Folder | None = None,
    spec: PackageSpec | None = None,
    verify: bool = True,
    data: Data | None = None,
    workspace: Folder | None = None,
) -> Package:
    """Return the package that was written; as for `package_steps`."""
    return result_of(
        package_steps(
            reference,
            to=to,
            output=output,
            spec=spec,
            verify=verify,
            data=data,
            workspace=workspace,
        )
    )


def package_steps(
    reference: str,
    *,
    to: Target | str,
    output: Folder | None = None,
    spec: PackageSpec | None = None,
    verify: bool = True,
    data: Data | None = None,
    workspace: Folder | None = None,
) -> Generator[Event, None, Package]:
    """Return the package that was written, yielding each step that is done.

    Args:
        reference: which version.
        to: what for.
        output: folder to write to, new or empty; `bank-1-gcf` when None. The same files lie beside
            it as a zip file.
        spec: what is declared of it.
        verify: whether it is run in a fresh environment, and its answers compared, before it is
            written; else it says that it was not.
        data: rows to ask it; those of the version's evaluation when None.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such version.
        InvalidPackage: what is asked of it cannot be, or the folder is not free.
        NotPackageable: the model cannot travel.
        EnvironmentUnavailable: what it needs has no wheels for its Python.
        NotProven: it answers otherwise than the model, or no rows are left to ask it.
    """
    target, declared = _target(to), spec or PackageSpec()
    declared.check()
    rooms = open_rooms(workspace)
    version = resolve(rooms.registry, Reference.parse(reference))
    folder = Path(output or f"{version.name}-{version.number}-{target}")
    writer.check_free(folder)
    asked = Order(
        version=version,
        target=target,
        spec=declared,
        folder=folder,
        verify=verify,
        data=None if data is None else given(data),
    )
    return (yield from package_in(rooms, asked))


def package_in(
    rooms: Rooms, asked: Order, *, prepared: Prepared | None = None
) -> Generator[Event, None, Package]:
    """Return the package of a version in these rooms, yielding each step that is done.

    Args:
        rooms: of the workspace.
        asked: what was ordered.
        prepared: of the same order for another platform; made here when None.
    """
    clock, version = Clock(), asked.version
    prepared = prepared or Prepared(rooms, asked)
    packed, facts = prepared.packed, prepared.facts
    yield clock.event(Step.PACKAGE, _engine_line(packed))
    if packed.left:
        yield clock.event(Step.PACKAGE, _left_line(packed.left), warning=True)
    telling = packed.telling(Path.home(), rooms.workspace.root)
    if telling:
        yield clock.event(Step.PACKAGE, _telling_line(telling), warning=True)
    on = composing.PLATFORMS[asked.target]
    python = asked.spec.python or _python(version, packed, on=on)
    needs = [*packed.needs, *on.needs]
    pins, requirements = fresh.pins(needs, python=python, hashes=asked.spec.hashes)
    yield clock.event(Step.PACKAGE, f"{len(pins)} requirements for Python {python}, all pinned")
    answers = prepared.answers
    contents = Contents(
        facts=facts,
        module=module_name(version.name),
        code=packed.code,
        python=python,
        pins=pins,
        requirements=requirements,
        compiled=packed.compiled,
        proof=_within(asked, answers),
        unproven="" if asked.verify else _UNPROVEN,
        layer=fresh.layer(requirements, python=python) if on.layered else {},
        tools=_tools(on, pins, python=python, hashes=asked.spec.hashes),
    )
    files, rendered = composing.render(contents, asked.target)
    made = _record(asked, contents, packed=packed, files=files)
    if asked.verify:
        proven = _prove(made, rendered, contents=contents, answers=answers, files=files)
        made = replace(made, proof=proven)
        yield clock.event(Step.PROOF, _proof_line(proven))
    made = replace(made, archive_bytes=writer.place(asked.folder, files))
    yield clock.event(Step.PACKAGE, f"{len(files)} files, {made.archive_bytes / 1e6:.2f} MB zipped")
    if made.proof is not None and (why := proving.keep(rooms, version, proof=made.proof)):
        yield clock.event(Step.PROOF, why, warning=True)
    return made


def verify_package(file: Folder, *, digest: str = "") -> Proof:
    """Return what was proven of a package, run again in a fresh environment on this machine.

    Args:
        file: its zip file, or its folder.
        digest: that it must have; any when empty.

    Raises:
        InvalidPackage: it is no package.
        NotProven: it was altered, or answers otherwise than the registered model did.
        EnvironmentUnavailable: its requirements cannot be installed here.
    """
    path = Path(file)
    with tempfile.TemporaryDirectory(prefix="brinery-") as temporary:
        folder = writer.unpack(path, into=Path(temporary))
        found = proof.check_bytes(folder, name=path.name)
        if digest and found != digest.removeprefix("sha256:"):
            raise NotProven(
                f"{path.name} is another package: its digest is sha256:{found}",
                hint="brinery package list NAME@VERSION shows the digests that were proven",
            )
        start = json.loads((folder / verify.START).read_bytes())
        requirements = (folder / "requirements.txt").read_text(encoding="utf-8")
        rows = json.loads((folder / verify.ROWS).read_bytes())
        wheels = sorted(folder.glob("*.whl"))
        tools = folder / verify.TOOLS
        every = requirements + (tools.read_text(encoding="utf-8") if tools.is_file() else "")
        with fresh.environment(every, python=start["python"], wheels=wheels) as python:
            outcome = proof.run(folder, python, proof=rows)
        made = Package(
            version=start["version"],
            target=Target(start["target"]),
            folder=str(path),
            archive="",
            digest=found,
            files=(),
            archive_bytes=0,
            unpacked_bytes=0,
            engine=Engine(start["engine"]),
            reason="",
            python=start["python"],
            requirements=_pins(requirements),
        )
        words = f"{outcome.rows} {rows['words']}"
        made_up = outcome.rows - rows["kept"]
        return proving.record(made, outcome, made_up=made_up, words=words, ran=start["ran"])


def package_proofs(reference: str, *, workspace: Folder | None = None) -> list[Proof]:
    """Return what was proven of the packages of a version, the newest first.

    Raises:
        NotFound: there is no such version.
    """
    rooms = open_rooms(workspace)
    version = resolve(rooms.registry, Reference.parse(reference))
    askable(version)
    return proving.kept(rooms, version)


def _target(to: Target | str) -> Target:
    """Return the target of that name.

    Raises:
        InvalidPackage: there is none.
    """
    try:
        return Target(to)
    except ValueError:
        near = nearest(str(to), list(Target))
        raise InvalidPackage(
            f"there is no target '{to}'",
            hint=f"did you mean --to {near}?" if near else f"--to {', '.join(Target)}",
        ) from None


def _python(version: Version, packed: Packed, *, on: Platform) -> str:
    """Return the minor version that a package is for, where none was said.

    A scorer runs on any: it is for the Python of its platform's own program, where one is here.
    """
    if packed.engine is Engine.LIBRARY:
        said = askable(version).environment.python
    elif on.tools and fresh.is_here(on.tools_python):
        said = on.tools_python
    else:
        said = platform.python_version()
    return ".".join(said.split(".")[:2])


def _tools(on: Platform, pins: Sequence[str], *, python: str, hashes: bool) -> str:
    """Return the requirements of what runs a package as its platform does; empty without any."""
    if not on.tools or _number(python) < _number(on.tools_python):
        return ""
    return fresh.more_pins(on.tools, beside=pins, python=python, hashes=hashes)


def _number(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))


def _within(asked: Order, answers: list[Any]) -> Mapping[str, Any]:
    """Return the rows that lie in the package, with the answers: made up, unless asked otherwise.

    Raises:
        NotProven: the model refuses every row that was made up.
    """
    made: dict[str, Any] | None = answers[-1]
    if asked.spec.keep_rows and answers[0] is not None:
        return {**answers[0], "kept": len(answers[0]["rows"])}
    if made is None:
        raise NotProven(
            f"{asked.version.reference} refuses every row that was made up for its package",
            hint="--keep-rows puts rows of the evaluation data into the package instead",
        )
    return made


def _prove(
    made: Package,
    rendered: Rendered,
    *,
    contents: Contents,
    answers: list[Any],
    files: Mapping[str, bytes],
) -> Proof:
    """Return what was proven of a package, which is run where only its own files are.

    Raises:
        NotProven: it answers otherwise than the registered model.
        EnvironmentUnavailable: an environment of its requirements cannot be made here.
    """
    asked = [one for one in answers if one is not None]
    rows = sum(len(one["rows"]) for one in asked)
    if answers[0] is None or rows < proving.LEAST_ROWS:
        raise NotProven(
            f"the model answers {rows} rows, and {proving.LEAST_ROWS} are asked of a package",
            hint="name more rows with --data FILE; or --no-verify, which the package then says",
        )
    with tempfile.TemporaryDirectory(prefix="brinery-") as temporary:
        folder = Path(temporary)
        writer.fill(folder, files)
        wheels = sorted(folder.glob("*.whl"))
        requirements = contents.requirements + contents.tools
        with fresh.environment(requirements, python=contents.python, wheels=wheels) as python:
            outcome = proof.run(folder, python, proof=proof.joined(asked))
    made_up = 0 if answers[-1] is None else len(answers[-1]["rows"])
    words = ", ".join(f"{len(one['rows'])} {one['words']}" for one in asked)
    return proving.record(made, outcome, made_up=made_up, words=words, ran=rendered.ran)


def _record(
    asked: Order, contents: Contents, *, packed: Packed, files: Mapping[str, bytes]
) -> Package:
    return Package(
        version=asked.version.reference,
        target=asked.target,
        folder=str(asked.folder),
        archive=f"{asked.folder}.zip",
        digest=composing.digest(files),
        files=tuple(sorted(files)),
        archive_bytes=0,
        unpacked_bytes=sum(map(len, files.values())),
        engine=packed.engine,
        reason=packed.reason,
        python=contents.python,
        requirements=contents.pins,
        unproven=contents.unproven,
    )


def _pins(requirements: str) -> tuple[str, ...]:
    lines = (line.split()[0] for line in requirements.splitlines() if line.strip())
    return tuple(line for line in lines if "==" in line)


def _engine_line(packed: Packed) -> str:
    if packed.engine is Engine.SCORER:
        return "the compiled scorer answers: the model's library stays behind"
    return f"the model's own library answers, because {packed.reason}"


def _left_line(left: Sequence[str]) -> str:
    """Return what stays behind of the user's own files."""
    more = f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
    return f"stays behind, for it holds rows or is hidden: {', '.join(left[:_LISTED])}{more}"


def _telling_line(telling: Sequence[str]) -> str:
    """Return which files of a model say where it was made."""
    more = f" and {len(telling) - _LISTED} more" if len(telling) > _LISTED else ""
    return (
        f"names a folder of this machine: {', '.join(telling[:_LISTED])}{more}; "
        "a class that is pickled whole names its file: import it from a module to leave that out"
    )


def _proof_line(proven: Proof) -> str:
    return (
        f"{proven.ran}: {proven.rows} rows answered as the registered model does, largest "
        f"difference {proven.max_difference:.3g}; {proven.refused} bad requests refused"
    )
