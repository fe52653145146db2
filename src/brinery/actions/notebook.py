"""A notebook made a job: the script, the job file and the list of packages are written."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from brinery.errors import InvalidNotebook
from brinery.pipeline.notebook_conversion import Surroundings, restored
from brinery.pipeline.notebook_conversion import convert as converted
from brinery.pipeline.notebook_job import Layout
from brinery.pipeline.notebook_packages import Stated, stated
from brinery.records.conversion import Conversion, Dropped, DropRule
from brinery.specs.names import nearest

# Where a data scientist's packages are looked for, beside the notebook.
LISTS: Final = (
    "requirements.txt",
    "conda.yml",
    "conda.yaml",
    "environment.yml",
    "environment.yaml",
    "env.yml",
)


def convert_notebook(
    notebook: Path | str,
    *,
    output: Path | None = None,
    requirements: Path | None = None,
    keep: Iterable[str] = (),
    force: bool = False,
) -> Conversion:
    """Return what a notebook became, and write it.

    Args:
        notebook: a `.ipynb`, or a script with or without `# %%` marks.
        output: the script; `NAME-job/src/NAME.py` beside the notebook when None, with the job file
            above it. The job file and the list of packages lie beside a script that is named.
        requirements: the data scientist's list, a requirements or conda file; one that lies beside
            the notebook when None.
        keep: rules that leave nothing out: `plot`, `explore`, `tracking`, `import`.
        force: whether files that were changed since are written anew.

    Raises:
        InvalidNotebook: it is no notebook, a cell is no Python, or a file would be lost.
    """
    path = Path(notebook)
    text = text_of(path)
    script, folder = _places(path, output)
    found = conversion(
        path, text, script=script, folder=folder, requirements=requirements, keep=keep
    )
    names = [script, folder / "job.yml", folder / "conda.yml"]
    files = dict(zip(names, (found.script, found.job, found.conda), strict=True))
    files |= {script.parent / name: text_of(path.parent / name) for name in _local(path, found)}
    _write({file: body for file, body in files.items() if file.resolve() != path.resolve()}, force)
    return replace(found, files=tuple(str(file) for file in files))


def conversion(
    path: Path,
    text: str,
    *,
    script: Path,
    folder: Path,
    requirements: Path | None = None,
    keep: Iterable[str] = (),
    values: Mapping[str, str] | None = None,
) -> Conversion:
    """Return what a notebook becomes, and write nothing.

    Args:
        path: of the notebook, which its own paths begin beside.
        text: of it.
        script: that will be written.
        folder: of the job file.
        requirements: the data scientist's list, or None.
        keep: rules that leave nothing out.
        values: names to the values that they have instead of their literals.
    """
    beside = path.resolve().parent
    layout = Layout(
        name=path.stem,
        notebook=path.name,
        script=script.name,
        code=f"./{os.path.relpath(script.parent, folder)}" if script.parent != folder else "",
        data=Path(os.path.relpath(beside, folder.resolve())).as_posix(),
    )
    if not layout.code:
        # A folder of its own has only code in it; elsewhere the one file is all that is taken.
        layout = _of_one_file(layout)
    around = Surroundings(
        kind=lambda name: _kind(beside / name),
        beside=lambda name: (beside / f"{name}.py").is_file() or (beside / name).is_dir(),
        installed=_installed,
        python=platform.python_version(),
    )
    rules = _rules(keep)
    listed = _list(path, requirements)
    return converted(text, layout, listed=listed, around=around, keep=rules, values=values)


def restore_script(script: Path, *, rules: Iterable[str] = ()) -> tuple[Dropped, ...]:
    """Return what stands in a script again that was left out of it, and write the script.

    Args:
        script: that `convert_notebook` wrote.
        rules: whose pieces come back; none for all but magic.

    Raises:
        InvalidNotebook: there is no such rule, or the script is no Python any more.
    """
    try:
        text, back = restored(text_of(script), _rules(rules))
    except SyntaxError as error:
        raise InvalidNotebook(f"{script}, line {error.lineno}: {error.msg}") from None
    if back:
        script.write_text(text, encoding="utf-8")
    return back


def _of_one_file(layout: Layout) -> Layout:
    return Layout(
        name=layout.name,
        notebook=layout.notebook,
        script=layout.script,
        code=f"./{layout.script}",
        data=layout.data,
    )


def _places(path: Path, output: Path | None) -> tuple[Path, Path]:
    """Return where the script lies, and the folder of the job file."""
    if output is not None:
        if output.suffix != ".py":
            raise InvalidNotebook(f"--output {output} is no script", hint="--output script.py")
        return output, output.parent
    folder = path.parent / f"{path.stem}-job"
    return folder / "src" / f"{path.stem}.py", folder


def _local(path: Path, found: Conversion) -> list[str]:
    return [f"{name}.py" for name in found.modules if (path.parent / f"{name}.py").is_file()]


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        InvalidNotebook: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidNotebook(f"{path} cannot be read: {reason}") from None


def _list(path: Path, requirements: Path | None) -> Stated:
    if requirements is not None:
        return stated(text_of(requirements), requirements.name)
    for name in LISTS:
        if (path.parent / name).is_file():
            return stated(text_of(path.parent / name), name)
    return Stated()


def _rules(names: Iterable[str]) -> frozenset[DropRule]:
    found = set()
    for name in names:
        if name not in [rule.value for rule in DropRule]:
            near = nearest(name, [rule.value for rule in DropRule])
            known = ", ".join(rule.value for rule in DropRule)
            raise InvalidNotebook(
                f"there is no rule '{name}'" + (f": did you mean '{near}'?" if near else ""),
                hint=f"the rules are {known}",
            )
        found.add(DropRule(name))
    return frozenset(found)


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file" if path.is_file() else ""


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _write(files: dict[Path, str], force: bool) -> None:  # noqa: FBT001 - of this module
    changed = [file for file, text in files.items() if file.is_file() and text_of(file) != text]
    if changed and not force:
        raise InvalidNotebook(
            f"{changed[0]} is there, and would be written otherwise",
            hint="--force writes it anew; --output script.py writes elsewhere",
        )
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
