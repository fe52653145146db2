from __future__ import annotations

import pickle
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from packaging.version import Version
from sklearn import __version__ as installed
from sklearn.linear_model import LogisticRegression

from brinery.errors import ClassNotImportable, LibraryMismatch, LibraryMissing, NotAModel
from brinery.flavors import portability
from brinery.flavors.compatibility import (
    buildable,
    carries_code,
    check,
    differences,
    refuse,
    top_modules,
    wanted,
)
from brinery.flavors.portability import Rule
from brinery.pickles.scanner import scan
from brinery.records.difference import Difference, Level
from brinery.records.requirements import Requirements
from brinery.records.scan import Finding, Global, ScanReport, Verdict
from brinery.records.version import Environment

NEXT_PATCH = ".".join([*installed.split(".")[:2], "99"])


def report(folder: Path, content: bytes) -> ScanReport:
    """The scan of a file with this content."""
    file = folder / "model.pkl"
    file.write_bytes(content)
    return scan(file)


def written_by(version: str) -> bytes:
    """A model's pickle that says another version wrote it."""
    content = pickle.dumps(LogisticRegression(), protocol=0)
    stated = f"V{installed}\n".encode()
    assert content.count(stated) == 1
    return content.replace(stated, f"V{version}\n".encode())


def instance_of(module: str, name: str) -> bytes:
    """A pickle of an object of a class that need not exist."""
    return f"c{module}\n{name}\n)R.".encode()


def test_same_version(tmp_path: Path) -> None:
    """A model of the installed version is worth no note."""
    assert check(report(tmp_path, pickle.dumps(LogisticRegression())), "model.pkl") == []


def test_other_patch(tmp_path: Path) -> None:
    """Another patch of the same minor version is a note."""
    notes = check(report(tmp_path, written_by(NEXT_PATCH)), "model.pkl")
    assert notes == [f"written by scikit-learn {NEXT_PATCH}, loaded by {installed}"]


def test_release_of_a_major_version_that_alone_is_told() -> None:
    """A LightGBM text tells its major version only: any release of it is the one that wrote."""
    major = Version(metadata.version("lightgbm")).major
    told = ScanReport(
        format="lightgbm-text",
        protocol=None,
        compression=None,
        size_bytes=1,
        sha256="0" * 64,
        versions={"lightgbm": (str(major),)},
    )
    assert differences(told) == ()
    older = msgspec.structs.replace(told, versions={"lightgbm": (str(major - 1),)})
    assert [each.written for each in differences(older)] == [str(major - 1)]
    assert f"lightgbm=={major - 1}.*" in wanted(older).packages


@pytest.mark.parametrize("version", ["0.24.2", "1.0", "2.0.dev0", "not a version"])
def test_other_minor(tmp_path: Path, version: str) -> None:
    """Another minor version is refused with the command that installs it."""
    with pytest.raises(LibraryMismatch, match=version) as caught:
        check(report(tmp_path, written_by(version)), "model.pkl")
    assert installed in caught.value.message
    assert caught.value.hint == f"--environment auto, or pip install 'scikit-learn=={version}'"


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ({"model": 1}, "a dict"),
        ([], "a list"),
        (1, "an int"),
        ({1}, "a set"),
        (LogisticRegression, "a type"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_built_in_types(tmp_path: Path, held: object, what: str, protocol: int) -> None:
    """A built-in type is no model, and is named."""
    content = pickle.dumps(held, protocol=protocol)
    with pytest.raises(NotAModel, match=f"holds {what}, which cannot predict"):
        check(report(tmp_path, content), "model.pkl")


def test_class_of_a_script(tmp_path: Path) -> None:
    """A class that was defined in a script or notebook is named, with the way out."""
    with pytest.raises(ClassNotImportable, match=r"__main__\.MyModel") as caught:
        check(report(tmp_path, instance_of("__main__", "MyModel")), "model.pkl")
    assert "move MyModel to a module" in caught.value.hint


def test_known_library(tmp_path: Path) -> None:
    """A library that is not installed is named with the commands that bring it."""
    content = instance_of("sksurv.ensemble", "RandomSurvivalForest")
    with pytest.raises(LibraryMissing, match="needs the module 'sksurv'") as caught:
        check(report(tmp_path, content), "model.pkl")
    assert caught.value.hint == "--environment auto, or pip install scikit-survival"


def test_unknown_library(tmp_path: Path) -> None:
    """A module of which no distribution is known is named as it is."""
    with pytest.raises(LibraryMissing, match="needs the module 'nolib'") as caught:
        check(report(tmp_path, instance_of("nolib.x", "Y")), "model.pkl")
    assert caught.value.hint == (
        "pip install what provides 'nolib', or bring its folder along with --code"
    )


@pytest.mark.parametrize("module", [" ", "a b", "a/b"])
def test_modules_that_cannot_be(tmp_path: Path, module: str) -> None:
    """A name that no module can have is a missing library, not a crash."""
    with pytest.raises(LibraryMissing):
        check(report(tmp_path, instance_of(module, "x")), "model.pkl")


def test_top_modules(tmp_path: Path) -> None:
    """The modules are the first parts of the names, each once, sorted."""
    found = top_modules(report(tmp_path, pickle.dumps([LogisticRegression(), Path()])))
    assert found == ("pathlib", "sklearn")


def stating(*names: str, form: str = "pickle", python: str = "", **versions: str) -> ScanReport:
    """The scan of a model that names these and says that these versions wrote it."""
    found = (Global(*name.rsplit(".", 1)) for name in names)
    return ScanReport(
        format=form,
        protocol=4,
        compression=None,
        size_bytes=1,
        sha256="0" * 64,
        findings=tuple(Finding(name=name, verdict=Verdict.SAFE) for name in found),
        versions={name.replace("_", "-"): (version,) for name, version in versions.items()},
        python=python,
        outermost="sklearn.pipeline.Pipeline",
    )


def built(python: str = "3.10.13", **packages: str) -> Environment:
    """An environment that Brinery built of these."""
    lock = tuple(f"{name.replace('_', '-')}=={version}" for name, version in packages.items())
    return Environment(python=python, platform="linux-x86_64", packages={}, built=True, lock=lock)


def levels(found: tuple[Difference, ...]) -> dict[str, Level]:
    return {difference.distribution: difference.level for difference in found}


# Distribution, form, the version that wrote it, the version that is there, and what that means.
RULES = [
    ("scikit-learn", "pickle", "1.0.2", "1.9.1", Level.ERROR),
    ("scikit-learn", "pickle", "1.9.0", "1.0.2", Level.ERROR),
    ("scikit-learn", "skops", "1.0.2", "1.1.0", Level.ERROR),
    ("scikit-learn", "joblib", "1.9.0", "1.9.1", Level.NOTE),
    ("xgboost", "pickle", "1.7.6", "3.0.0", Level.ERROR),
    ("xgboost", "pickle", "2.0.0", "2.1.0", Level.WARNING),
    ("xgboost", "pickle", "2.1.0", "2.0.0", Level.ERROR),
    ("xgboost", "xgboost-json", "1.7.6", "3.0.0", Level.NOTE),
    ("xgboost", "xgboost-ubj", "3.0.0", "1.7.6", Level.ERROR),
    ("xgboost", "xgboost-ubj", "2.1.0", "2.0.0", Level.WARNING),
    ("lightgbm", "pickle", "3.3.5", "4.6.0", Level.ERROR),
    ("lightgbm", "lightgbm-text", "3.3.5", "4.6.0", Level.NOTE),
    ("catboost", "catboost", "1.2.7", "1.0.6", Level.WARNING),
    ("numpy", "pickle", "1.26.4", "2.4.0", Level.NOTE),
    ("numpy", "pickle", "2.0.0", "1.23.5", Level.ERROR),
    ("numpy", "pickle", "2.0.0", "1.26.4", Level.NOTE),
    ("scipy", "pickle", "1.17.0", "2.0.0", Level.WARNING),
    ("somebodys", "pickle", "1.0", "2.0", Level.WARNING),
    ("somebodys", "pickle", "1.0", "1.1", Level.NOTE),
]


@pytest.mark.parametrize(("name", "form", "written", "present", "level"), RULES)
def test_rules(name: str, form: str, written: str, present: str, level: Level) -> None:
    """What another version means is as declared; only a note needs no command that mends it."""
    readers = {portability.READERS[form]: present} if form in portability.READERS else {}
    there = built(**{**readers, name: present})
    (found,) = [
        difference
        for difference in differences(stating(form=form, **{name: written}), environment=there)
        if difference.distribution == name
    ]
    assert (found.level, found.written, found.present) == (level, written, present)
    assert bool(found.reason) == bool(found.fix) == (level is not Level.NOTE)
    if found.fix:
        assert f"{name}=={written}" in found.fix


@pytest.mark.parametrize("rule", [*portability.PICKLED.values(), *portability.NATIVE.values()])
def test_every_rule_has_its_reason(rule: Rule) -> None:
    """Every rule says why, and an older release is never better than a later one."""
    order = list(Level)
    assert rule.reason
    assert order.index(rule.older_major) <= order.index(rule.older_minor)
    assert order.index(rule.major) <= order.index(rule.minor)


def test_pandas_by_what_is_in_the_pickle() -> None:
    """Another major version of pandas is an error only where the pickle holds its objects."""
    holds = stating("pandas.core.frame.DataFrame", pandas="1.5.3")
    beside = stating("sklearn.svm.SVC", pandas="1.5.3")
    there = built(pandas="3.0.0", scikit_learn="1.0.2")
    assert levels(differences(holds, environment=there)) == {"pandas": Level.ERROR}
    assert levels(differences(beside, environment=there)) == {"pandas": Level.WARNING}


def test_numpy_that_the_names_tell() -> None:
    """A pickle that names numpy._core needs a numpy that has it, whatever it states."""
    names = stating("numpy._core.multiarray._reconstruct")
    (found,) = differences(names, environment=built(numpy="1.23.5"))
    assert (found.level, found.distribution) == (Level.ERROR, "numpy")
    assert "numpy._core" in found.reason
    assert differences(names, environment=built(numpy="1.26.4")) == ()
    assert "numpy>=1.26" in wanted(names).packages


CODE = "cloudpickle.cloudpickle._make_function"


def test_python_of_bytecode() -> None:
    """Another minor version of Python is an error where functions are carried, else a note."""
    code = stating(CODE, python="3.8")
    data = stating("sklearn.svm.SVC", python="3.8")
    there = built("3.10.13", cloudpickle="3.0.0", scikit_learn="1.0.2")
    assert carries_code(code)
    assert not carries_code(data)
    assert levels(differences(code, environment=there)) == {"Python": Level.ERROR}
    assert levels(differences(data, environment=there)) == {"Python": Level.NOTE}
    with pytest.raises(LibraryMismatch, match=r"written by Python 3\.8, and 3\.10\.13 runs here"):
        refuse(differences(code, environment=there), "model.pkl")


@pytest.mark.parametrize("python", ["", "≥ 3.8", "3.10", "3.10.2"])
def test_python_that_fits(python: str) -> None:
    """The same minor version is no difference, and neither is one that is not known."""
    there = built("3.10.13", cloudpickle="3.0.0")
    assert differences(stating(CODE, python=python), environment=there) == ()


def test_worst_first() -> None:
    """Errors come before warnings, and warnings before notes."""
    report = stating(scipy="1.1.0", numpy="1.20.0", scikit_learn="0.24.2", somebodys="1.0")
    there = built(scipy="2.1.0", numpy="1.23.5", scikit_learn="1.0.2", somebodys="1.1")
    found = [difference.level for difference in differences(report, environment=there)]
    assert found == [Level.ERROR, Level.WARNING, Level.NOTE, Level.NOTE]


def test_modules_of_the_users_own() -> None:
    """A module that the user brings along is not missing."""
    assert levels(differences(stating("mine.steps.Clipper"))) == {"the module 'mine'": Level.ERROR}
    assert differences(stating("mine.steps.Clipper"), own=("mine",)) == ()


def test_unknown_modules_of_a_built_environment() -> None:
    """A module of an unknown name may be in what a file stated; one of a known name is, or not."""
    report = stating("sklearn.svm.SVC", "mine.steps.Clipper")
    (found,) = differences(report, environment=built(my_steps="1.0"))
    assert found.distribution == "scikit-learn"


def test_what_a_build_mends() -> None:
    """Another version, or a known library, can be built; a module of an unknown name cannot."""
    found = differences(stating("sksurv.tree.X", "nolib.x.Y", scikit_learn="1.0.2"))
    assert {one.distribution: buildable(one) for one in found} == {
        "scikit-learn": True,
        "scikit-survival": True,
        "the module 'nolib'": False,
    }


def test_reader_of_a_native_format() -> None:
    """A file in a library's own format needs the library, though no pickle names it."""
    (found,) = differences(stating(form="xgboost-json"), environment=built(numpy="1.23.5"))
    assert (found.level, found.present) == (Level.ERROR, "")
    with pytest.raises(LibraryMissing, match="needs xgboost, which is not installed"):
        refuse([found], "model.json")


def test_library_under_another_name() -> None:
    """xgboost-cpu is xgboost."""
    report = stating("xgboost.sklearn.XGBClassifier", xgboost="3.2.0")
    assert differences(report, environment=built(xgboost_cpu="3.2.0")) == ()


def test_stated_beside_the_model() -> None:
    """What lies beside the model counts where the file says nothing; the file's word goes first."""
    report = stating("sklearn.svm.SVC", scikit_learn="1.0.2")
    stated = Requirements(
        packages=("mlflow==2.9.0", "numpy==1.21.0", "scikit-learn==0.24.2", "x @ file:///tmp/x"),
        python="3.8.10",
    )
    there = built("3.10.13", scikit_learn="1.0.2", numpy="2.0.0")
    found = differences(report, stated=stated, environment=there)
    assert levels(found) == {"Python": Level.NOTE, "numpy": Level.NOTE}
    need = wanted(report, stated)
    assert need.packages == ("numpy==1.21.0", "pandas<2", "scikit-learn==1.0.2", "scipy<1.9")
    assert (need.python, need.python_exact) == ("3.8.10", False)


def test_mlflow_only_for_its_own_classes() -> None:
    """MLflow, which lists itself beside every model, is needed by its own classes only."""
    stated = Requirements(packages=("mlflow==2.9.0",))
    assert wanted(stating("sklearn.svm.SVC"), stated).packages == ("scikit-learn",)
    assert "mlflow==2.9.0" in wanted(stating("mlflow.pyfunc.model.PythonModel"), stated).packages
    assert "mlflow==2.9.0" in wanted(stating(form="mlflow"), stated).packages


def test_wanted_beneath_an_old_framework() -> None:
    """What stands beneath an old framework is bounded, and beneath a new one is not."""
    old = stating("sklearn.svm.SVC", "numpy.ndarray", scikit_learn="1.0.2")
    assert wanted(old).packages == ("numpy<1.24", "pandas<2", "scikit-learn==1.0.2", "scipy<1.9")
    new = stating("sklearn.svm.SVC", scikit_learn="1.9.1")
    assert wanted(new).packages == ("scikit-learn==1.9.1",)


def test_wanted_alongside() -> None:
    """A wrapper is given the scikit-learn of its time, or any where the time is ours."""
    old = stating("xgboost.sklearn.XGBClassifier", xgboost="1.5.2")
    assert {"scikit-learn<1.1", "xgboost==1.5.2"} < set(wanted(old).packages)
    assert "scikit-learn" in wanted(stating("lightgbm.sklearn.LGBMClassifier")).packages


def test_wanted_never_guesses_a_distribution() -> None:
    """A module of an unknown name, which may be anyone's package, is never installed for it."""
    assert wanted(stating("nolib.x.Y", "sklearn.svm.SVC")).packages == ("scikit-learn",)


def test_wanted_python_of_bytecode() -> None:
    """Functions that are carried pin the Python, where it is known."""
    need = wanted(stating(CODE, python="3.8"))
    assert (need.python, need.python_exact) == ("3.8", True)
    need = wanted(stating(CODE, python="≥ 3.8"))
    assert (need.python, need.python_exact) == ("", False)
