"""Locate: what the user's word for a model means, before anything of it is scanned or run.

A file; an MLflow model directory, in the layout of MLflow 2 or 3; a `runs:/…` or `models:/…` URI,
which is downloaded; or `module:name` of the user's own code. Of a directory whose flavor is a
framework's, the model file within is what is imported, and MLflow's loader of it is not used.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from brinery.actions.rooms import Rooms
from brinery.errors import CodeUnusable, ModelFileMissing, NotAModel
from brinery.pickles.digest import digest, files
from brinery.pickles.scanner import scan
from brinery.records.requirements import Requirements
from brinery.records.scan import Finding, Global, ScanReport, Verdict
from brinery.records.source import ModelSource
from brinery.registry import mlflow_flavors, mlflow_folder
from brinery.registry.mlflow_folder import MLMODEL, MlflowFolder
from brinery.specs.names import nearest
from brinery.store import modules

CALLABLE_FILE = "callable.json"
CALLABLE = "callable"
_CODE = "code"
MLFLOW = "mlflow"

_URI = re.compile(r"(runs|models):/")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

# The flavors of MLflow whose model file Brinery loads by itself.
# The last is our own word for a file that MLflow cannot load, such as bare weights.
_FRAMEWORKS = (
    *("sklearn", "xgboost", "lightgbm", "catboost", "onnx", "statsmodels", "pytorch"),
    "brinery",
)
_PYTHON_MODELS = "mlflow.pyfunc."
_WEIGHTS_SUFFIXES = (".pth", ".pt", ".pt2", ".pkl")
_MAX_EXTRA = 3

# What lies in a directory that MLflow wrote, beside the model file.
_BESIDE = {
    MLMODEL,
    "brinery.json",
    "conda.yaml",
    "constraints.txt",
    "python_env.yaml",
    "pyproject.toml",
    "registered_model_meta",
    "requirements.txt",
    "uv.lock",
}
_BESIDE_STEMS = ("input_example", "serving_input_example", "metadata")


def locate(
    rooms: Rooms,
    model: str,
    *,
    into: Path,
    code: Path | None = None,
    tracking_uri: str | None = None,
) -> ModelSource:
    """Return where a model is, with what is declared of it.

    Args:
        rooms: of the workspace, whose registry a URI is looked up in.
        model: as the user gave it.
        into: an empty folder for what is downloaded or copied; it must outlast the import.
        code: the folder of the user's own modules.
        tracking_uri: of the MLflow that a URI is looked up in; else the one that
            `MLFLOW_TRACKING_URI` names, else the workspace's.

    Raises:
        ModelFileMissing: there is no such file, with the nearest name.
        NotFound: there is no such run, model or version.
        NotAModel: it is a folder, and no MLflow model directory that can be imported.
        CodeUnusable: the code is none, or hides a library's.
    """
    target = _TARGET.fullmatch(model) and not Path(model).exists()
    if target and code is None:
        raise CodeUnusable(
            f"{model} names code, and where that lies is not said",
            hint=f"brinery import {model} --code FOLDER …",
        )
    copied, modules_sha256, names = _gathered(code, into)
    if target:
        source = _callable(model, into, code=str(modules_sha256), names=names)
        _check_module(model, into / _CODE, code=code)
    else:
        path = _found(rooms, model, into=into, tracking_uri=tracking_uri)
        source = _of_folder(path, model, into) if path.is_dir() else _of_file(path, model)
    if copied is None:
        return source
    notes = source.notes
    if source.code is not None:
        notes = (*notes, f"--code {code} is used in place of the code that the folder brings")
    return msgspec.structs.replace(
        source,
        code=copied,
        code_sha256=modules_sha256,
        notes=notes,
        findings=() if source.code is not None else source.findings,
    )


def read(source: ModelSource) -> ScanReport:
    """Return the scan of a located model, with what it asks for beside its pickles.

    Raises:
        ModelFileError: it cannot be read; the subclass says why.
    """
    if source.format == CALLABLE:
        report = ScanReport(
            format=CALLABLE,
            protocol=None,
            compression=None,
            size_bytes=source.path.stat().st_size,
            sha256=digest(source.path),
        )
    else:
        report = scan(source.path)
    known = {finding.name for finding in source.findings}
    findings = [finding for finding in report.findings if finding.name not in known]
    return msgspec.structs.replace(report, findings=tuple(sorted([*findings, *source.findings])))


def _gathered(code: Path | None, into: Path) -> tuple[Path | None, str, tuple[str, ...]]:
    """Return the copy of the user's modules, its digest, and their top-level names."""
    if code is None:
        return None, "", ()
    copied = into / _CODE
    names = modules.gather(code, copied)
    return copied, digest(copied), names


def _found(rooms: Rooms, model: str, *, into: Path, tracking_uri: str | None) -> Path:
    """Return the path of a model, downloaded where it is a URI."""
    if _URI.match(model):
        folder = into / "downloaded"
        folder.mkdir()
        uri = tracking_uri or rooms.tracking_uri
        return rooms.registry.fetch(model, folder, tracking_uri=uri)
    path = Path(model)
    if not path.exists():
        raise _missing(path)
    return path


def _missing(path: Path) -> ModelFileMissing:
    try:
        there = sorted(each.name for each in path.parent.iterdir())
    except OSError:
        there = []
    near = nearest(path.name, there)
    return ModelFileMissing(
        f"{path} does not exist",
        hint=f"did you mean {path.parent / near}?"
        if near
        else f"ls {path.parent} shows what is there; give a model file, an MLflow model "
        "directory, a runs:/ or models:/ URI, or module:function with --code",
    )


def _of_file(path: Path, model: str) -> ModelSource:
    if path.name == MLMODEL:
        raise NotAModel(
            f"{path} describes a model and is none", hint=f"give its folder: {path.parent}"
        )
    return ModelSource(path=path, name=model)


def _callable(model: str, into: Path, *, code: str, names: tuple[str, ...]) -> ModelSource:
    """Return a function or class of the user's own, as the small file that names it."""
    module, _, name = model.partition(":")
    if module.partition(".")[0] not in names:
        near = nearest(module.partition(".")[0], names)
        raise CodeUnusable(
            f"the code holds no module '{module.partition('.')[0]}'",
            hint=f"did you mean {near}:{name}?" if near else f"it holds {', '.join(names[:20])}",
        )
    path = into / CALLABLE_FILE
    # With the digest of the code, so that other code behind the same name is another model.
    path.write_text(json.dumps({"target": model, "code_sha256": code}), encoding="utf-8")
    finding = Finding(
        name=Global(module, name),
        verdict=Verdict.NEEDS_TRUST,
        reason="your own code",
    )
    return ModelSource(
        path=path,
        name=model,
        format=CALLABLE,
        vouched=(str(finding.name),),
        findings=(finding,),
    )


def _check_module(model: str, copied: Path, *, code: Path | None) -> None:
    """Raise where the user's code has no file of the module that is named."""
    parts = model.partition(":")[0].split(".")
    path = copied.joinpath(*parts)
    if path.is_dir() or path.with_name(f"{path.name}.py").is_file():
        return
    there = sorted(each.stem for each in path.parent.glob("*") if each.stem != "__init__")
    near = nearest(parts[-1], there)
    meant = ".".join([*parts[:-1], near or ""])
    raise CodeUnusable(
        f"{model} is in {'/'.join(parts)}.py, and --code {code} has no such file",
        hint=f"did you mean {meant}:{model.partition(':')[2]}?"
        if near
        else f"{'.'.join(parts[:-1])} has {', '.join(there[:20]) or 'no module'}",
    )


def _of_folder(path: Path, model: str, into: Path) -> ModelSource:
    """Return the model of an MLflow model directory.

    Raises:
        NotAModel: it is none, or its framework is not one that Brinery knows.
    """
    if not (path / MLMODEL).is_file():
        inner = sorted(each.parent for each in path.glob(f"*/{MLMODEL}"))
        raise NotAModel(
            f"{model} is a folder without an {MLMODEL}, and no MLflow model directory",
            hint=f"did you mean {inner[0]}?" if inner else "give the model file itself",
        )
    for _ in files(path):
        continue  # a link or a device in it is refused before anything is read
    folder = mlflow_folder.read(path)
    if folder.loader == mlflow_flavors.LOADER_MODULE and folder.data is not None:
        return _of_our_loader(folder, model, into)
    if (file := _framework_file(folder)) is not None:
        return _of_framework(folder, file, model=model, into=into)
    if folder.data and (path / folder.data / MLMODEL).is_file():
        return _of_folder(path / folder.data, model, into)
    if not folder.loader:
        stated = ", ".join(sorted(folder.files)) or "none that can be told"
        raise NotAModel(
            f"the flavors of {model} are {stated}, and no framework that Brinery loads",
            hint="log it as a mlflow.pyfunc.PythonModel that wraps it",
        )
    if folder.code is not None:
        modules.top_level(path / folder.code)
    return _declared(ModelSource(path=path, name=model, format=MLFLOW), folder)


def _framework_file(folder: MlflowFolder) -> str | None:
    """Return the model file of the framework that the directory is loaded by; else None."""
    by_loader = folder.loader.removeprefix("mlflow.")
    for name in (by_loader, *_FRAMEWORKS):
        if name in _FRAMEWORKS and name in folder.files and folder.loader in ("", f"mlflow.{name}"):
            return folder.files[name]
    return None


def _of_framework(folder: MlflowFolder, file: str, *, model: str, into: Path) -> ModelSource:
    """Return the framework's own file, with the modules that lie beside it."""
    path = folder.path / file
    if path.is_dir():
        path = _weights(path, model)
    elif "onnx" in folder.files and (others := _extra_files(folder, file)):
        raise NotAModel(
            f"{model} keeps a part of its weights in {', '.join(others[:_MAX_EXTRA])}",
            hint="log it as one file: mlflow.onnx.log_model(…, save_as_external_data=False)",
        )
    source = _declared(ModelSource(path=path, name=model), folder)
    return _with_inner_code(source, folder, into)


def _of_our_loader(folder: MlflowFolder, model: str, into: Path) -> ModelSource:
    """Return the model of a directory that Brinery wrote, with the modules beside it."""
    path = folder.path / str(folder.data)
    if path.is_dir():
        return _of_folder(path, model, into)
    source = _declared(ModelSource(path=path, name=model), folder)
    return _with_inner_code(source, msgspec.structs.replace(folder, code=_own_code(folder)), into)


def _own_code(folder: MlflowFolder) -> str | None:
    return "code" if (folder.path / "code").is_dir() else None


def _with_inner_code(source: ModelSource, folder: MlflowFolder, into: Path) -> ModelSource:
    """Return the source with the modules that the directory brings, which need a word."""
    if source.path.name == CALLABLE_FILE:
        source = msgspec.structs.replace(source, format=CALLABLE)
    if folder.code is None:
        return source
    copied = into / "inner-code"
    names = modules.gather(folder.path / folder.code, copied)
    return msgspec.structs.replace(
        source, code=copied, code_sha256=digest(copied), findings=_module_findings(names)
    )


def _module_findings(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return what modules that a folder brings are asked for: as its scan says it."""
    return tuple(
        Finding(
            name=Global(name, "__init__"),
            verdict=Verdict.NEEDS_TRUST,
            reason="its source is in the MLflow folder",
        )
        for name in names
    )


def _declared(source: ModelSource, folder: MlflowFolder) -> ModelSource:
    """Return the source with what its directory says that the model needs and takes."""
    needs = Requirements(packages=tuple(sorted(folder.requirements)), python=folder.python)
    return msgspec.structs.replace(source, requirements=needs, columns=folder.columns)


def _weights(path: Path, model: str) -> Path:
    """Return the one file of weights in a folder."""
    found = sorted(each for each in files(path) if each.suffix in _WEIGHTS_SUFFIXES)
    found = [each for each in found if each.name != "pickle_module_info.txt"]
    if len(found) != 1:
        raise NotAModel(
            f"{model} keeps its weights in {len(found)} files, and one is supported",
            hint="log it as a mlflow.pyfunc.PythonModel that wraps it",
        )
    return found[0]


def _extra_files(folder: MlflowFolder, file: str) -> list[str]:
    """Return the files of a directory that are neither the model nor MLflow's own."""
    inside = [each.relative_to(folder.path) for each in files(folder.path)]
    return [
        str(each)
        for each in inside
        if str(each) not in {file, *_BESIDE}
        and not each.parts[0].startswith(_BESIDE_STEMS)
        and each.parts[0] != folder.code
    ]
