"""A script or a notebook run as a tracked job: one step, in a copy of its folder, never reused.

A notebook is converted first, so that what it reads and writes are inputs and outputs; a script is
run as it is.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import yaml
from blake3 import blake3

from brinery.actions.job import How, Running, run_plan
from brinery.actions.job_rooms import JobRooms, open_job_rooms
from brinery.actions.notebook import LISTS, conversion, text_of
from brinery.errors import InvalidNotebook, SettingsError
from brinery.pipeline import notebook_cells
from brinery.pipeline.notebook_settings import options, settable, text_with_values
from brinery.pipeline.recipes import counted
from brinery.records.conversion import Conversion
from brinery.records.flow import RecipeCall
from brinery.records.plan import (
    Data,
    Kept,
    Output,
    Plan,
    Shims,
    Software,
    Step,
    StepKind,
    Text,
    Value,
)
from brinery.specs import job_settings
from brinery.specs.compatibility import ALL, COMPATIBILITY, LIBRARIES, unknown_step
from brinery.specs.names import nearest
from brinery.store.workspace import Workspace

CURRENT: Final = "current"
# What may name another file of its folder.
_TEXTS: Final = frozenset({".py", ".toml", ".yml", ".yaml", ".json", ".cfg", ".ini"})
_SMALL_BYTES: Final = 1 << 18
_MODULES: Final = 200
_NEVER: Final = frozenset({".brinery", ".git", "__pycache__", ".ipynb_checkpoints", ".venv"})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a run.

    Attributes:
        values: `NAME` to a value: of a top-level name, of an argument that the script declares, or
            of a path that the notebook reads.
        arguments: that the script is given, as they are.
        environment: a requirements or conda file, or `current`; when empty, a file that lies
            beside the script, and our own Python where there is none.
        name: of the job; drawn when empty.
        experiment: MLflow's; the script's name when empty.
        project: key of what `dataiku` takes for the default project.
        without: names of compatibility steps that are switched off; `all` for every one.
        mirrors: addresses, or beginnings of addresses, to the paths that stand for them.
        inputs: what `dataiku.recipe` says that the script reads; what its last run did where
            neither is named.
        outputs: likewise, what it writes.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    environment: str = ""
    name: str = ""
    experiment: str = ""
    project: str = ""
    without: Sequence[str] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()


def open_rooms(
    script: Path,
    asked: Asked,
    *,
    workspace: Path | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> JobRooms:
    """Return the rooms of a run, in which its environment is the one that was asked for."""
    current = asked.environment == CURRENT or _listed(script.resolve(), asked.environment) is None
    return open_job_rooms(workspace, environment=CURRENT if current else "", note=note)


def run_script(
    rooms: JobRooms, script: Path, *, asked: Asked | None = None, how: How | None = None
) -> Running:
    """Run a script or a notebook as a job, and return it, whatever became of it.

    Args:
        rooms: of the workspace.
        script: a `.py` or a `.ipynb`.
        asked: of the run.
        how: it is run.

    Yields:
        What happens.

    Raises:
        InvalidNotebook: it cannot be read, is no Python, or has nothing of a name that is set.
    """
    return (yield from run_plan(rooms, planned(rooms, script, asked=asked or Asked()), how=how))


def planned(rooms: JobRooms, script: Path, *, asked: Asked) -> Plan:
    """Return the plan of a run: one step.

    Raises:
        InvalidNotebook: it cannot be read, is no Python, or has nothing of a name that is set.
    """
    path = script.resolve()
    make = _of_notebook if path.suffix == ".ipynb" else _of_script
    step, notes = make(path, asked, rooms.workspace.cache / "scripts")
    shims = shims_of(
        rooms.workspace, project=asked.project, without=asked.without, mirrors=asked.mirrors
    )
    shims = msgspec.structs.replace(shims, inputs=tuple(asked.inputs), outputs=tuple(asked.outputs))
    step = msgspec.structs.replace(
        step,
        kind=StepKind.RECIPE,
        shims=shims,
        recipe=_call(path, asked),
        watched=_watched(path, shims.libraries) if path.suffix == ".py" else (),
    )
    return Plan(
        name=asked.name,
        pipeline=False,
        steps=(step,),
        outputs={
            name: Kept(step=step.name, output=name, settings=each)
            for name, each in step.outputs.items()
        },
        display_name=path.stem,
        experiment=asked.experiment or path.stem,
        file=str(path),
        notes=notes,
    )


def _call(path: Path, asked: Asked) -> RecipeCall:
    """Return how a recipe is called, so that it can be called again."""
    return RecipeCall(
        script=str(path),
        values=dict(asked.values),
        arguments=tuple(asked.arguments),
        environment=asked.environment,
        project=asked.project,
        experiment=asked.experiment,
        without=tuple(asked.without),
        mirrors=dict(asked.mirrors),
        inputs=tuple(asked.inputs),
        outputs=tuple(asked.outputs),
    )


def asked_again(call: RecipeCall) -> Asked:
    """Return what is asked of a run that is to be like another."""
    return Asked(
        values=call.values,
        arguments=call.arguments,
        environment=call.environment,
        experiment=call.experiment,
        project=call.project,
        without=call.without,
        mirrors=call.mirrors,
        inputs=call.inputs,
        outputs=call.outputs,
    )


def _watched(path: Path, libraries: Sequence[str]) -> tuple[str, ...]:
    """Return what decides what a script does: itself, and what it names beside it or of libraries.

    Not all of its folder does: other recipes lie there, and data.
    """
    places: dict[str, Path] = {}
    for folder in (path.parent, *map(Path, libraries)):
        for one in sorted(folder.iterdir()):
            if one.name not in _NEVER and not one.name.startswith("."):
                places.setdefault(one.name, one)
    texts = {name: _told_in(one) for name, one in places.items()}
    return tuple(str(places[name]) for name in counted(path.name, texts))


def _told_in(path: Path) -> str:
    """Return the text of a small file that may name others; of a package, that of its modules."""
    if path.is_dir():
        modules = sorted(path.rglob("*.py"))[:_MODULES]
        return "\n".join(_told_in(one) for one in modules)
    try:
        small = path.suffix in _TEXTS and path.stat().st_size <= _SMALL_BYTES
        return path.read_text("utf-8", "replace") if small else ""
    except OSError:
        return ""


def shims_of(
    workspace: Workspace,
    *,
    project: str,
    without: Sequence[str],
    mirrors: Mapping[str, str],
) -> Shims:
    """Return what a script finds under the name of `dataiku`.

    Args:
        workspace: of the script.
        project: key of the default one; empty for the workspace's own.
        without: names of compatibility steps that are switched off.
        mirrors: addresses, or beginnings of addresses, to the paths that stand for them.

    Raises:
        SettingsError: a compatibility step is none, or what a mirror names is not there.
    """
    if wrong := unknown_step(without):
        raise SettingsError(wrong, hint=f"there are {', '.join([*COMPATIBILITY, ALL])}")
    told = job_settings.read(workspace.settings_file)
    base = workspace.root / "projects" / project if project else workspace.root
    own = [one / "lib" / "python" for one in dict.fromkeys([base, workspace.root])]
    off = dict.fromkeys([*told.without, *without]).keys()
    maps = {
        url: path
        for url, path in told.maps.items()
        if "://" in url and "://" not in path and (workspace.root / path).exists()
    }
    found = {url: str(workspace.root / path) for url, path in maps.items()}
    for url, path in mirrors.items():
        if not Path(path).exists():
            raise SettingsError(
                f"--mirror {url}={path}: there is no {path}", hint=f"--mirror {url}=PATH"
            )
        found[url] = str(Path(path).resolve())
    return Shims(
        project=project,
        libraries=tuple(str(one) for one in own if one.is_dir() and not {LIBRARIES, ALL} & off),
        without=tuple(off),
        mirrors=found,
    )


def _of_notebook(path: Path, asked: Asked, cache: Path) -> tuple[Step, tuple[str, ...]]:
    text = text_of(path)
    listed = None if asked.environment in ("", CURRENT) else Path(asked.environment)
    names = settable(notebook_cells.read(text, path.name).cells)
    script = Path(f"{path.stem}.py")
    done = conversion(
        path,
        text,
        script=script,
        folder=Path(),
        requirements=listed,
        values={name: value for name, value in asked.values.items() if name in names},
    )
    ports = {one.name for one in (*done.inputs, *done.outputs)}
    _check_names(asked.values, {*names, *ports}, path)
    inputs: dict[str, Value] = {
        one.name: _data(one.path, beside=path.parent, declared=one.path) for one in done.inputs
    }
    inputs |= {one.name: Text(text=one.value) for one in done.parameters}
    inputs |= {
        name: _data(value, beside=Path.cwd(), declared=value)
        for name, value in asked.values.items()
        if name in ports and name not in names and name in inputs
    }
    words = [f"python {shlex.quote(script.name)}"]
    words += [f'--{name} "${{{{inputs.{name}}}}}"' for name in inputs]
    words += [f'--{one.name} "${{{{outputs.{one.name}}}}}"' for one in done.outputs]
    step = Step(
        name=_step_name(path),
        command=" ".join([*words, *map(shlex.quote, asked.arguments)]),
        code=str(_staged(cache, script.name, done.script)),
        includes=tuple(str(path.parent / f"{name}.py") for name in _beside(path, done)),
        software=_software(path, asked.environment, conda=done.conda),
        inputs=inputs,
        types={one.name: one.type for one in done.inputs},
        outputs={one.name: Output(type=one.type) for one in done.outputs},
        place=str(path),
    )
    return step, done.notes


def _of_script(path: Path, asked: Asked, cache: Path) -> tuple[Step, tuple[str, ...]]:
    text = text_of(path)
    if path.parent in (Path.home(), Path("/")):
        raise InvalidNotebook(
            f"{path} lies in {path.parent}, all of which would be copied",
            hint=f"mkdir job && mv {path.name} job/ && brinery run job/{path.name}",
        )
    try:
        declared = options(text)
    except SyntaxError as error:
        raise InvalidNotebook(f"{path}, line {error.lineno}: {error.msg}") from None
    given, values = [], {}
    for name, value in asked.values.items():
        option = next(
            (f"--{n}" for n in (name, name.replace("_", "-")) if f"--{n}" in declared), ""
        )
        if option:
            given += [option, value]
        else:
            values[name] = value
    names = settable([notebook_cells.Cell(number=1, code=True, text=text)])
    _check_names(values, {*names, *(one[2:] for one in declared)}, path)
    code = str(path.parent)
    includes: tuple[str, ...] = ()
    if values:
        code = str(_staged(cache, path.name, text_with_values(text, values)))
        includes = tuple(
            str(one)
            for one in sorted(path.parent.iterdir())
            if one.name not in _NEVER and one != path
        )
    words = ["python", path.name, *given, *asked.arguments]
    step = Step(
        name=_step_name(path),
        command=shlex.join(words),
        code=code,
        includes=includes,
        software=_software(path, asked.environment),
        place=str(path),
    )
    return step, ()


def _check_names(values: Mapping[str, str], known: set[str], path: Path) -> None:
    for name in values:
        if name not in known:
            near = nearest(name, known)
            raise InvalidNotebook(
                f"--set {name}: {path.name} gives no such name a value"
                + (f" (did you mean {near}?)" if near else ""),
                hint=f"it has {', '.join(sorted(known)) or 'none that can be set'}",
            )


def _data(path: str, *, beside: Path, declared: str) -> Data:
    uri = path if "://" in path else str((beside / path).resolve())
    return Data(uri=uri, declared=declared)


def _beside(path: Path, done: Conversion) -> list[str]:
    return [name for name in done.modules if (path.parent / f"{name}.py").is_file()]


def _step_name(path: Path) -> str:
    """Return a name that a step may have."""
    plain = "".join(one if one.isalnum() and one.isascii() else "_" for one in path.stem.lower())
    return plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"


def _staged(cache: Path, name: str, text: str) -> Path:
    """Return a folder with a script that is otherwise than its file; the same for the same text."""
    folder = cache / blake3(text.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def _software(path: Path, environment: str, *, conda: str = "") -> Software:
    """Return the environment that is declared; an empty one is our own Python.

    Args:
        path: of the script.
        environment: as it was asked for.
        conda: text of the conda file of a converted notebook.
    """
    found = _listed(path, environment)
    if found is None:
        return Software()
    text = text_of(found)
    if conda or found.suffix in {".yml", ".yaml"}:
        return Software(conda=conda or text, context=str(found.resolve().parent))
    pip = [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]
    written = yaml.safe_dump({"dependencies": ["pip", {"pip": pip}]})
    return Software(conda=written, context=str(found.resolve().parent))


def _listed(path: Path, environment: str) -> Path | None:
    """Return the file that lists what a script needs; None for our own Python."""
    if environment:
        return None if environment == CURRENT else Path(environment)
    beside = (path.parent / name for name in LISTS)
    return next((one for one in beside if one.is_file()), None)
