"""Whether an environment can load a model file: asked of its scan, before anything is loaded.

How much a difference matters is data (`portability`); here the versions a model was written with
are gathered, held against what is there, and turned into what to build where they do not fit.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from brinery.errors import ClassNotImportable, LibraryMismatch, LibraryMissing, NotAModel
from brinery.flavors import companions, portability, unscored
from brinery.records.difference import PYTHON, Difference, Level
from brinery.records.requirements import Requirements
from brinery.records.scan import ScanReport
from brinery.records.version import Environment

_CODE_MAKERS = frozenset(
    {"_make_function", "_make_skel_func", "_builtin_type", "_create_code", "_create_function"}
)
_MINOR = re.compile(r"\d+\.\d+")
_CORE_SINCE = Version("1.26")
_OWN = frozenset({"brinery"})
_AUTO = "--environment auto"


def top_modules(report: ScanReport) -> tuple[str, ...]:
    """Return the top-level modules that a pickle names, sorted."""
    return tuple(sorted({name.module.partition(".")[0] for name in report.globals}))


def carries_code(report: ScanReport) -> bool:
    """Return whether a pickle holds functions as bytecode, as cloudpickle's do."""
    return any(
        (name.name in _CODE_MAKERS and ("cloudpickle" in name.module or "dill" in name.module))
        or (name.module, name.name) == ("types", "CodeType")
        for name in report.globals
    )


def check(report: ScanReport, file: str) -> list[str]:
    """Return what is worth a note; what cannot work in the current environment is an error.

    Args:
        report: the scan of the model file.
        file: its name, for the messages.

    Raises:
        NotAModel: it holds a built-in type, such as a dict.
        ClassNotImportable: a class of it was defined in a script or notebook.
        LibraryMissing: a module it names is not installed.
        LibraryMismatch: a version wrote it whose models the one that is here does not load.
    """
    check_contents(report, file)
    found = differences(report)
    refuse(found, file)
    return [str(difference) for difference in found]


def check_contents(report: ScanReport, file: str) -> None:
    """Raise where no environment can load it.

    Raises:
        NotAModel: it holds a built-in type, such as a dict.
        ClassNotImportable: a class of it was defined in a script or notebook.
    """
    _check_holds_object(report, file)
    _check_main(report, file)


def refuse(found: Iterable[Difference], file: str) -> None:
    """Raise for the first difference that is an error.

    Raises:
        LibraryMissing: a distribution or module is not installed.
        LibraryMismatch: another version wrote it.
    """
    for difference in found:
        if difference.level is Level.ERROR:
            if not difference.present:
                raise LibraryMissing(
                    f"{file} needs {difference.reason}, which is not installed",
                    hint=difference.fix,
                )
            what = "runs here" if difference.distribution == PYTHON else "is installed"
            raise LibraryMismatch(
                f"{file} was written by {difference.distribution} {difference.written}, and "
                f"{difference.present} {what}: {difference.reason}",
                hint=difference.fix,
            )


def differences(
    report: ScanReport,
    *,
    stated: Requirements | None = None,
    environment: Environment | None = None,
    own: Collection[str] = (),
) -> tuple[Difference, ...]:
    """Return how an environment differs from the one that wrote a model, worst first.

    Args:
        report: the scan of the model.
        stated: what lies beside the model says that it needs, as an MLflow folder does.
        environment: one that was built; the current one when None.
        own: top-level modules that the user brings along.
    """
    built = environment is not None and environment.built
    packages = None if environment is None or not built else locked(environment)
    python = environment.python if environment is not None and built else platform.python_version()
    found = [
        *_missing(report, packages, own),
        *_python_difference(report, stated, python),
        *_core_difference(report, _present("numpy", packages)),
    ]
    for name, versions in _written(report, stated).items():
        present = _present(name, packages)
        rule = _rule(report, name)
        found += [
            _difference(name, written, present=present, rule=rule)
            for written in versions
            if present is not None and not _is_release(present, written)
        ]
    order = list(Level)
    return tuple(sorted(found, key=lambda difference: order.index(difference.level)))


def wanted(report: ScanReport, stated: Requirements | None = None) -> Requirements:
    """Return what an environment must hold to be the one that wrote a model.

    Only what the model names or states is asked for; where an old framework is among it, so are
    the releases of the libraries beneath that it works with.

    Args:
        report: the scan of the model.
        stated: what lies beside the model says that it needs.
    """
    pins = _pins(report, stated)
    lines = {name: f"{name}=={_released(version)}" for name, version in pins.items()}
    for name, line in _stated_lines(report, stated).items():
        lines.setdefault(name, line)
    for name, version in pins.items():
        for other, bound in companions.beneath(name, version).items():
            if other not in pins:
                lines[other] = _both(lines.get(other, other), bound)
    needed = _named(report)
    for name in (
        *needed,
        *(other for one in needed for other in portability.ALONGSIDE.get(one, ())),
    ):
        lines.setdefault(name, name)
    if "numpy" not in pins and _names_core(report):
        lines["numpy"] = _both(lines.get("numpy", "numpy"), f">={_CORE_SINCE}")
    python = _written_python(report, stated)
    return Requirements(
        packages=tuple(sorted(lines.values())),
        python=python,
        python_exact=bool(python) and carries_code(report),
    )


def _pins(report: ScanReport, stated: Requirements | None) -> dict[str, Version]:
    """Return distribution to the release that wrote the model; the latest where several did."""
    pins = {}
    for name, versions in _written(report, stated).items():
        known = [version for text in versions if (version := _version(text)) is not None]
        if known:
            pins[name] = max(known)
    return pins


def _both(line: str, bound: str) -> str:
    """Return a requirement with one more bound."""
    requirement = Requirement(line)
    return f"{requirement.name}{requirement.specifier & SpecifierSet(bound)}"


def buildable(difference: Difference) -> bool:
    """Return whether a built environment mends a difference; not where no one knows of what."""
    known = {*portability.DISTRIBUTIONS.values(), *portability.READERS.values()}
    return bool(difference.present) or difference.distribution in known


def locked(environment: Environment) -> dict[str, str]:
    """Return distribution name to version of a built environment."""
    return dict(line.split("==", 1) for line in environment.lock)


def _written(report: ScanReport, stated: Requirements | None) -> dict[str, tuple[str, ...]]:
    """Return distribution to the versions that wrote the model: the file's word goes first."""
    found = dict(report.versions)
    for name, line in _stated_lines(report, stated).items():
        pinned = [spec.version for spec in Requirement(line).specifier if spec.operator == "=="]
        if pinned and name not in found:
            found[name] = (pinned[0],)
    return found


def _stated_lines(report: ScanReport, stated: Requirements | None) -> dict[str, str]:
    """Return distribution to requirement of what a model states and needs.

    MLflow lists itself beside every model; only a PythonModel, and what MLflow's own loader loads,
    need it.
    """
    lines: dict[str, str] = {}
    modules = set(top_modules(report))
    for line in () if stated is None else stated.packages:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        name = canonicalize_name(requirement.name)
        if requirement.url is not None or (
            requirement.marker and not requirement.marker.evaluate()
        ):
            continue
        if not name.startswith("mlflow") or "mlflow" in modules or report.format == "mlflow":
            lines[name] = f"{name}{requirement.specifier}"
    return lines


def _named(report: ScanReport) -> set[str]:
    """Return the known distributions whose modules a model names, or whose format it is in."""
    found = {
        portability.DISTRIBUTIONS[module]
        for module in top_modules(report)
        if module in portability.DISTRIBUTIONS
    }
    reader = portability.READERS.get(report.format)
    return found | {reader} if reader else found


def _missing(
    report: ScanReport, packages: Mapping[str, str] | None, own: Collection[str]
) -> list[Difference]:
    """Return what a model names and is not installed."""
    found = []
    brought = {*own, *_OWN, *sys.stdlib_module_names}
    for module in top_modules(report):
        known = portability.DISTRIBUTIONS.get(module)
        if module not in brought and not _importable(module, known, packages):
            found.append(_absent(report, known, f"the module '{module}'"))
    reader = portability.READERS.get(report.format)
    if reader and _present(reader, packages) is None:
        found.append(_absent(report, reader, reader))
    return found


def _importable(module: str, known: str | None, packages: Mapping[str, str] | None) -> bool:
    if packages is not None:
        # Of what distribution an unknown module is cannot be told: loading will tell.
        return known is None or _present(known, packages) is not None
    return module in sys.modules or bool(module and importlib.util.find_spec(module))


def _absent(report: ScanReport, known: str | None, what: str) -> Difference:
    versions = ", ".join(report.versions.get(known, ())) if known else ""
    return Difference(
        distribution=known or what,
        written=versions,
        present="",
        level=Level.ERROR,
        reason=f"{what} (written by {known} {versions})" if versions else what,
        fix=f"{_AUTO}, or pip install {known}"
        if known
        else f"pip install what provides {what.removeprefix('the module ')}, "
        "or bring its folder along with --code",
    )


def _present(name: str, packages: Mapping[str, str] | None) -> str | None:
    """Return the version of a distribution, or of the same library under another name."""
    for candidate in (name, *portability.ALSO.get(name, ())):
        if packages is not None:
            if candidate in packages:
                return packages[candidate]
            continue
        try:
            return metadata.version(candidate)
        except metadata.PackageNotFoundError:
            continue
    return None


def _rule(report: ScanReport, name: str) -> portability.Rule:
    table = portability.PICKLED if report.format in portability.PICKLES else portability.NATIVE
    if name == "pandas" and "pandas" not in top_modules(report):
        return portability.OTHERS
    return table.get(name, portability.OTHERS)


def _difference(name: str, written: str, *, present: str, rule: portability.Rule) -> Difference:
    level = _level(name, _version(written), present=_version(present), rule=rule)
    return Difference(
        distribution=name,
        written=written,
        present=present,
        level=level,
        reason="" if level is Level.NOTE else rule.reason,
        fix="" if level is Level.NOTE else f"{_AUTO}, or pip install '{name}=={written}'",
    )


def _level(
    name: str, written: Version | None, *, present: Version | None, rule: portability.Rule
) -> Level:
    if written is None or present is None:
        return min(rule.major, rule.older_major, key=list(Level).index)
    older = present < written
    if name == "numpy" and older and present >= _CORE_SINCE:
        return Level.NOTE
    if written.major != present.major:
        return rule.older_major if older else rule.major
    if written.minor != present.minor:
        return rule.older_minor if older else rule.minor
    return Level.NOTE


def _python_difference(
    report: ScanReport, stated: Requirements | None, present: str
) -> list[Difference]:
    """Return what another minor version of Python means: nothing but for bytecode."""
    written = _written_python(report, stated)
    minor = _MINOR.match(present)
    if not written or minor is None or f"{written}.".startswith(f"{minor.group()}."):
        return []
    bound = carries_code(report)
    short = ".".join(written.split(".")[:2])
    return [
        Difference(
            distribution=PYTHON,
            written=written,
            present=present,
            level=Level.ERROR if bound else Level.NOTE,
            reason=portability.CODE if bound else "",
            fix=f"{_AUTO}, which needs a Python {short} on this machine" if bound else "",
        )
    ]


def _core_difference(report: ScanReport, present: str | None) -> list[Difference]:
    """Return that numpy 2 wrote a model that does not state it, where that matters."""
    version = _version(present or "")
    if version is None or version >= _CORE_SINCE or not _names_core(report):
        return []
    rule = portability.PICKLED["numpy"]
    return [_difference("numpy", "2.0", present=str(version), rule=rule)]


def _written_python(report: ScanReport, stated: Requirements | None) -> str:
    """Return the Python that wrote a model; empty where that is not known exactly.

    Of several that may have, as two minor versions that share their bytecode, it is the current one
    where it is among them.
    """
    told = _MINOR.findall(report.python) if _MINOR.match(report.python) else []
    if len(told) > 1:
        here = ".".join(platform.python_version_tuple()[:2])
        return here if here in told else told[0]
    if told:
        return report.python
    return stated.python if stated is not None and _MINOR.match(stated.python) else ""


def _names_core(report: ScanReport) -> bool:
    return any(f"{name.module}.".startswith("numpy._core.") for name in report.globals)


def _is_release(present: str, written: str) -> bool:
    """Return whether a version is the one that is stated, of which only the major may be told."""
    return f"{present}.".startswith(f"{written}.")


def _released(version: Version) -> str:
    """Return what a requirement asks for: any release of a major version that alone is told."""
    return str(version) if len(version.release) > 1 else f"{version}.*"


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _check_holds_object(report: ScanReport, file: str) -> None:
    held = report.outermost.removeprefix("builtins.")
    if unscored.is_weights(report):
        return
    if held and "." not in held:
        raise NotAModel(
            f"{file} holds {'an' if held[0] in 'aeiou' else 'a'} {held}, which cannot predict",
            hint="pickle the fitted estimator or pipeline itself",
        )


def _check_main(report: ScanReport, file: str) -> None:
    names = sorted(name.name for name in report.globals if name.module == "__main__")
    if names:
        raise ClassNotImportable(
            f"{file} needs {', '.join(f'__main__.{name}' for name in names)}, defined in the "
            "script or notebook that made it: the pickle holds its name, not its code",
            hint=f"move {names[0]} to a module, such as my_model.py, import it, and pickle again",
        )
