"""What a job's environment comes to: requirements and a Python, whatever it is declared in.

A conda file, a requirements file, a Dockerfile's pip lines, a curated name. Nothing is resolved
here and no file is read but through the function that is given.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from brinery.errors import SettingsError
from brinery.specs import conda_file, software_names

# A path as a file names it, to the text of that file; None where there is none.
Read = Callable[[str], str | None]

# The minor of the server behind a job, or what an older Python has.
MLFLOW: Final = "mlflow-skinny<3.18"
_SCIENCE: Final = (
    *("pandas~=1.5.3", "numpy>=1.22,<2", "scipy~=1.10", "matplotlib~=3.5", "joblib~=1.2"),
    MLFLOW,
)
_CURATED: Final = (
    (r"sklearn-(\d+\.\d+).*", ("scikit-learn~={0}.0", *_SCIENCE)),
    (
        r"lightgbm-.*",
        ("scikit-learn~=1.5.1", "xgboost~=1.7.6", "lightgbm>=4.6", *_SCIENCE),
    ),
    (r"xgboost.*", ("scikit-learn~=1.5.1", "xgboost~=1.7.6", *_SCIENCE)),
    (r"(?:acpt-)?pytorch-(\d+\.\d+).*", ("torch~={0}.0", "torchvision", "numpy<2", MLFLOW)),
    (r"tensorflow-(\d+\.\d+).*", ("tensorflow~={0}.0", "scikit-learn", MLFLOW)),
    (r"automl.*", ("scikit-learn~=1.5.1", "lightgbm>=4.6", "xgboost~=1.7.6", *_SCIENCE)),
    (r"(?:minimal|python|inference-minimal).*", ()),
)

# Imported under the name of a module that Python has had for long.
_BACKPORTS: Final = frozenset(
    {
        "argparse",
        "asyncio",
        "contextvars",
        "dataclasses",
        "enum34",
        "functools32",
        "futures",
        "hashlib",
        "importlib",
        "ipaddress",
        "multiprocessing",
        "ordereddict",
        "pathlib",
        "singledispatch",
        "ssl",
        "statistics",
        "subprocess32",
        "typing",
        "unittest",
        "uuid",
        "wsgiref",
    }
)
# Imported under a name of their own: dropped unless somebody does.
_OWN_NAMES: Final = {"pathlib2": "pathlib", "unittest2": "unittest", "contextlib2": "contextlib"}
IMPORTS_TOLD: Final = ("mlflow", *_OWN_NAMES)

_CLOUD: Final = "azureml-"
_RENAMED: Final = {
    "azureml-mlflow": MLFLOW,
    "sklearn": "scikit-learn",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-cpu": "tensorflow-cpu",
    "pytorch": "torch",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "matplotlib-base": "matplotlib",
    "opencv": "opencv-python-headless",
    "psycopg2": "psycopg2-binary",
}
_FORGET_PIN: Final = frozenset({"sklearn", "azureml-mlflow"})
_TOOLS: Final = frozenset({"pip", "wheel", "nodefaults", "conda", "mamba"})
_NO_PYTHON: Final = re.compile(
    r"(?:cuda|cudnn|nccl|openmpi|mpich|gcc|gxx|libgcc|libstdcxx|mkl|cmake|make|git|r-|nodejs"
    r"|openjdk|_libgcc|_openmp|ca-certificates|openssl|blas)"
)

_CONDA: Final = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9_][\w.-]*)(\[[^\]]*\])?\s*(.*)")
_OPTION: Final = re.compile(r"(--?[A-Za-z][\w-]*)(?:[ =]\s*(.*))?")
_PLACES: Final = {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--pre"}
_WITH_VALUE: Final = _PLACES - {"--pre"} | {
    *("-c", "--constraint", "-t", "--target", "--trusted-host", "--timeout", "--retries"),
    *("--progress-bar", "--cache-dir", "--root", "--prefix", "--python-version", "--platform"),
}
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_HASH: Final = re.compile(r"\s--hash[= ]\S+")


@dataclass(frozen=True)
class Wanted:
    """What an environment is to hold.

    Attributes:
        packages: requirements as pip writes them, in the order that they were declared.
        python: minor version that is stated; empty where none is.
        options: where packages are looked for, as a requirements file says it, a line each.
        changes: what is otherwise than declared, a line each.
        variables: of the environment, that a Dockerfile sets.
    """

    packages: tuple[str, ...] = ()
    python: str = ""
    options: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    def joined(self, other: Wanted) -> Wanted:
        """Return both; what the other states of Python counts where it does."""
        return Wanted(
            (*self.packages, *other.packages),
            other.python or self.python,
            (*self.options, *other.options),
            (*self.changes, *other.changes),
            {**self.variables, **other.variables},
        )


def listed(requirements: Iterable[str]) -> Wanted:
    """Return what a table lists; `python==3.10` there is the Python.

    Raises:
        SettingsError: one is no requirement.
    """
    wanted = Wanted()
    for line in requirements:
        if stated := re.fullmatch(r"python\s*={0,2}\s*(\d+\.\d+)[\d.]*", line.strip()):
            wanted = wanted.joined(Wanted(python=stated.group(1)))
        else:
            wanted = wanted.joined(Wanted(packages=(_requirement(line, "[environments.map]"),)))
    return wanted


def curated(name: str) -> Wanted | None:
    """Return what a curated environment holds; None where it is not known.

    Args:
        name: reference or image, in any of its forms.
    """
    for short in software_names.names(name):
        for pattern, packages in _CURATED:
            if found := re.fullmatch(pattern, short):
                return Wanted(tuple(each.format(*found.groups()) for each in packages))
    return None


def of_requirements(text: str, *, where: str, read: Read) -> Wanted:
    """Return what the text of a requirements file states.

    Raises:
        SettingsError: a line is no requirement, or names a file that is not there.
    """
    wanted = Wanted()
    joined = re.sub(r"\\\s*\n", " ", text)
    for number, raw in enumerate(joined.splitlines(), start=1):
        line = _HASH.sub("", " " + _COMMENT.sub("", raw)).strip()
        if line:
            wanted = wanted.joined(_line(line, f"{where}:{number}", read=read))
    return wanted


def of_conda(text: str, *, where: str, read: Read) -> Wanted:
    """Return what the text of a conda file states.

    Raises:
        SettingsError: it is no conda file, or names a file that is not there.
    """
    wanted = Wanted()
    for line in conda_file.lines(text, where=where):
        if line.pip:
            wanted = wanted.joined(_line(line.text, where, read=read))
        else:
            wanted = wanted.joined(_of_channel(line.text, where))
    return wanted


def of_dockerfile(text: str, *, where: str, read: Read) -> Wanted:
    """Return what the pip and conda lines of a Dockerfile install, on the image it starts from.

    Raises:
        SettingsError: a line of pip's is no requirement, or names a file that is not there.
    """
    wanted = Wanted()
    known: dict[str, str] = {}
    for word, rest in _directives(text):
        told = _filled(rest, known)
        if word == "FROM":
            wanted = _of_image(next(each for each in told.split() if not each.startswith("--")))
        elif word in {"ENV", "ARG"}:
            variables = _variables(told)
            known.update(variables)
            if word == "ENV":
                wanted = wanted.joined(Wanted(variables=variables))
        elif word == "RUN":
            for command in re.split(r"&&|\|\||;|\n", told):
                wanted = wanted.joined(_of_command(command.strip(), where, read=read))
    return wanted


def relaxed(wanted: Wanted, *, imported: Iterable[str] = ()) -> Wanted:
    """Return what is installed here of what is wanted, each difference a change.

    Args:
        wanted: as it was declared.
        imported: of `IMPORTS_TOLD`, what the step's code imports.
    """
    kept, changes, told = [], list(wanted.changes), set(imported)
    for line in wanted.packages:
        known = canonicalize_name(name(line))
        own = _OWN_NAMES.get(known)
        if known in _TOOLS:
            continue
        if known in _BACKPORTS or (own and known not in told):
            changes.append(f"{line}: left out, Python has {own or known.rstrip('0123456789')}")
        elif known in _RENAMED:
            new = _RENAMED[known]
            if known not in _FORGET_PIN and _is_requirement(line):
                new = f"{new}{Requirement(line).specifier}"
            kept.append(new)
            changes.append(f"{line}: it is {new} here")
        elif known.startswith(_CLOUD):
            changes.append(f"{line}: left out, it means the vendor's cloud")
        else:
            kept.append(line)
    if "mlflow" in told and not any(name(line).startswith("mlflow") for line in kept):
        kept.append(MLFLOW)
        changes.append(f"{MLFLOW}: added, the step imports mlflow and its environment has none")
    return Wanted(
        tuple(dict.fromkeys(kept)), wanted.python, wanted.options, tuple(changes), wanted.variables
    )


def pinned(line: str) -> str:
    """Return the lowest version that a requirement allows, where it holds newer ones back.

    Empty for a requirement that the newest release may meet, and for one without a version.
    """
    if not _is_requirement(line):
        return ""
    specifiers = {each.operator: each.version for each in Requirement(line).specifier}
    version = next((specifiers[each] for each in ("==", "===", "~=") if each in specifiers), "")
    if not version and {"<", "<="} & specifiers.keys():
        version = specifiers.get(">=", specifiers.get("<", specifiers.get("<=", "")))
    return version.removesuffix(".*")


def name(line: str) -> str:
    """Return the name of what a requirement asks for, in small letters, as far as it has one."""
    found = re.match(r"[A-Za-z0-9][\w.-]*", line)
    return found.group(0).lower() if found else line


def _is_requirement(line: str) -> bool:
    try:
        return Requirement(line).url is None
    except InvalidRequirement:
        return False


def _requirement(line: str, where: str) -> str:
    if line.startswith(("git+", "https://", "http://")):
        return line
    try:
        return str(Requirement(line))
    except InvalidRequirement:
        raise SettingsError(
            f"{where}: '{line}' is no requirement of a package", hint="write it as name==version"
        ) from None


def _line(line: str, where: str, *, read: Read) -> Wanted:
    """Return what one line of pip's says."""
    line = re.sub(r"^-r\s*(?=\S)", "-r ", line)
    option = _OPTION.fullmatch(line) if line.startswith("-") else None
    if option is None:
        return Wanted((_requirement(line, where),))
    name, value = option.group(1), (option.group(2) or "").strip()
    if name in {"-r", "--requirement"}:
        return _of_file(value, where, read=read)
    if name in _PLACES:
        return Wanted(options=(f"{name} {value}".strip(),))
    return Wanted(changes=(f"{line}: left out, it is not installed from a registry",))


def _of_file(name: str, where: str, *, read: Read) -> Wanted:
    text = read(name)
    if text is None:
        raise SettingsError(
            f"{where} names {name}, which is not there",
            hint="paths in it begin in the folder that it lies in",
        )
    if name.endswith((".yml", ".yaml")):
        return of_conda(text, where=name, read=read)
    return of_requirements(text, where=name, read=read)


def _of_channel(item: str, where: str) -> Wanted:
    """Return what one line of conda's own says."""
    found = _CONDA.fullmatch(item)
    if found is None:
        raise SettingsError(f"{where}: '{item}' is no package", hint="write it as name=version")
    name, extras, version = found.group(1), found.group(2) or "", found.group(3).strip()
    if name == "python":
        stated = re.search(r"\d+\.\d+", version)
        return Wanted(python=stated.group(0) if stated else "")
    if name.lower() in _TOOLS:
        return Wanted()
    if _NO_PYTHON.match(name.lower()):
        return Wanted(changes=(f"{item}: left out, it is no package of Python",))
    if single := re.fullmatch(r"=?\s*([\w.!+]+)(\.?\*)?(?:=[\w.*]+)?", version):
        version = f"=={single.group(1)}.*"
    elif exact := re.fullmatch(r"==\s*([\w.!+*]+)(?:=[\w.*]+)?", version):
        version = f"=={exact.group(1)}"
    return Wanted((_requirement(f"{name}{extras}{version}", where),))


def _of_image(image: str) -> Wanted:
    """Return what the image that a Dockerfile starts from holds."""
    known = curated(image) if software_names.is_curated(image) else None
    if known is not None:
        return known
    if software_names.is_plain(image) or image == "scratch":
        return Wanted(python=software_names.python_of(image))
    return Wanted(changes=(f"FROM {image}: what that image holds is not known here",))


def _directives(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\s*\n", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if rest:
            yield word.upper(), rest.strip()


def _variables(told: str) -> dict[str, str]:
    try:
        words = shlex.split(told)
    except ValueError:
        return {}
    if len(words) > 1 and "=" not in words[0]:
        return {words[0]: " ".join(words[1:])}
    return dict(word.split("=", 1) for word in words if "=" in word)


def _filled(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found.group(1), found.group(0)), text)


def _of_command(command: str, where: str, *, read: Read) -> Wanted:
    """Return what one command of a Dockerfile installs."""
    try:
        words = shlex.split(
            command.strip("[]").replace('",', '" ') if command[:1] == "[" else command
        )
    except ValueError:
        words = []
    if not words:
        return Wanted()
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program.startswith("python") and rest[:2] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    if re.fullmatch(r"pip[\d.]*", program) and rest[:1] == ["install"]:
        return _of_pip(rest[1:], where, read=read)
    if program in {"conda", "mamba", "micromamba"}:
        return _of_conda_command(rest, where, read=read)
    if program in {"apt-get", "apt", "apk", "yum", "dnf"} and {"install", "add"} & set(rest):
        return Wanted(changes=(f"{command}: not done here",))
    return Wanted()


def _of_pip(words: list[str], where: str, *, read: Read) -> Wanted:
    wanted, left = Wanted(), iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if word.startswith("-r") and word != "-r":
            wanted = wanted.joined(_of_file(word[2:], where, read=read))
        elif name in {"-r", "--requirement"}:
            wanted = wanted.joined(_of_file(value if equals else next(left, ""), where, read=read))
        elif name in _WITH_VALUE:
            value = value if equals else next(left, "")
            options = (f"{name} {value}",) if name in _PLACES else ()
            wanted = wanted.joined(Wanted(options=options))
        elif word.startswith((".", "/")) or word.endswith(".whl"):
            changes = (f"pip install {word}: left out, it is not from a registry",)
            wanted = wanted.joined(Wanted(changes=changes))
        elif not word.startswith("-"):
            wanted = wanted.joined(Wanted((_requirement(word, where),)))
    return wanted


def _of_conda_command(words: list[str], where: str, *, read: Read) -> Wanted:
    file = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in {"-f", "--file"}), "")
    if words[:1] == ["env"] and file:
        return _of_file(file, where, read=read)
    if words[:1] not in (["install"], ["create"]):
        return Wanted()
    wanted, left = Wanted(), iter(words[1:])
    for word in left:
        if word in {"-c", "--channel", "-n", "--name", "-p", "--prefix"}:
            next(left, "")
        elif not word.startswith("-"):
            wanted = wanted.joined(_of_channel(word, where))
    return wanted
