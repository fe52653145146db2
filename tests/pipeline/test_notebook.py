"""A notebook made a job: what is left out, becomes an argument, is logged, and is needed."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from brinery.errors import InvalidNotebook
from brinery.pipeline import notebook_cells
from brinery.pipeline.notebook_conversion import Surroundings, convert, restored
from brinery.pipeline.notebook_job import Layout
from brinery.pipeline.notebook_packages import Stated, stated
from brinery.records.conversion import Conversion, DropRule
from brinery.records.plan import DataType

THERE = {"data": "folder", "data/a.csv": "file", "data/b.csv": "file", "x.csv": "file"}

LIST = """\
argparse==1.4.0
pathlib2==2.3.6
pandas>=2,<4
opencv-python-headless==4.9.0.80
sklearn==0.0
pyarrow
matplotlib==3.11.2
git+https://example.org/own.git
"""

EVERYTHING = '''\
# %%
%load_ext autoreload
import os, sys; import json
import glob
import cv2
import pandas as pd, numpy as np
import matplotlib.pyplot as plt
from pathlib2 import Path
from mylib import clean
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
import mlflow
mlflow.set_tracking_uri("http://localhost:5000")
# %%
text = """
%matplotlib inline
"""
rest = (17
  % 5)
if rest:
    !ls
df?
%time np.ones(3)
# %%
a = clean(pd.read_csv("data/a.csv"))
c = pd.read_csv("x.csv", sep=";")
parts = [pd.read_csv(f) for f in glob.glob("data/part*.csv")]
for name in ["a", "b"]:
    d = pd.read_csv(f"data/{name}.csv")  # both
# %%
def load(path, sep=","):
    return pd.read_csv(path, sep=sep)
e = load("more/e.csv")
OUT = "out/"
os.makedirs(OUT)
e.to_parquet(OUT + "e.parquet")
again = pd.read_parquet(OUT + "e.parquet")
json.dump({"a": 1}, open("out/figures.json", "w"))
a.to_csv("clean.csv", index=False)
a.head(); a.tail();
# %%
fig, ax = plt.subplots()
ax.plot(a["x"], a["y"])
fig.savefig("plots/fit.png")
plt.show()
# %%
def draw(df, title):
    t = title.upper()
    plt.figure()
    df.hist()
draw(a, "hello")
for col in a.columns:
    a[col].hist()
    total = a[col].sum()
# %%
C = -1.5
penalty = "l2"
FLAG = True
model = LogisticRegression(C=C, penalty=penalty, fit_intercept=FLAG)
acc = metrics.accuracy_score(y, x); print("train acc", acc)
print("F1", metrics.f1_score(y, x), "of", metrics.confusion_matrix(y, x))
print("train auc", metrics.roc_auc_score(y, x))
print("test auc", metrics.roc_auc_score(x, y))
metrics.r2_score(x, y)
'''


def made(text: str, *, listed: Stated | None = None, keep: str = "") -> Conversion:
    """Return what a script with marks becomes, beside the files that are there."""
    return convert(
        text,
        Layout(name="mine", notebook="mine.py", script="mine.py", code="./src"),
        listed=listed or Stated(),
        around=Surroundings(
            kind=lambda path: THERE.get(path.rstrip("/"), ""),
            beside=lambda name: name == "mylib",
            installed=lambda name: "1.2" if name == "pandas" else "",
            python="3.11.9",
        ),
        keep=frozenset({DropRule(keep)} if keep else ()),
    )


@pytest.fixture(scope="module")
def whole() -> Conversion:
    """What a script with some of everything becomes."""
    return made(EVERYTHING, listed=stated(LIST, "requirements.txt"))


def test_what_stays_is_python_and_stands_as_it_stood(whole: Conversion) -> None:
    """Comments, texts and the form of what stays are kept; a block never becomes empty."""
    ast.parse(whole.script)
    assert '"""\n%matplotlib inline\n"""' in whole.script
    assert "rest = (17\n  % 5)" in whole.script
    assert 'd = pd.read_csv(os.path.join(args.data, f"{name}.csv"))  # both' in whole.script
    assert "if rest:\n    pass\n    # brinery: magic (cell 2)\n    #| !ls\n" in whole.script
    assert "\nnp.ones(3)\n" in whole.script


def test_what_is_for_the_eyes_is_left_out(whole: Conversion) -> None:
    """Magic, plots, looks, a tracking server of one's own and what only they import are marked."""
    left = {(one.rule.value, one.cell): one.text for one in whole.dropped}
    assert left["tracking", 1] == 'mlflow.set_tracking_uri("http://localhost:5000")'
    assert left["explore", 4] == "a.head(); a.tail();"
    assert left["plot", 5] == "plt.show()"
    assert "import cv2" in [one.text for one in whole.dropped]
    assert "def draw(df, title):" in next(o.text for o in whole.dropped if "draw" in o.text)
    assert "    total = a[col].sum()" in whole.script


def test_a_figure_that_is_saved_stays_with_all_that_draws_it(whole: Conversion) -> None:
    """`savefig` is an output, so its cell keeps its plots, and matplotlib is needed."""
    assert '\nax.plot(a["x"], a["y"])\n' in whole.script
    assert 'fig.savefig(os.path.join(args.plots, "fit.png"))' in whole.script
    assert "matplotlib==3.11.2" in [one.requirement for one in whole.packages]


def test_paths_become_inputs_and_outputs(whole: Conversion) -> None:
    """What is read is an input, what is written an output, and what is both is no input."""
    assert [(one.name, one.type, one.path, one.there) for one in whole.inputs] == [
        ("a", DataType.FILE, "data/a.csv", True),
        ("x", DataType.FILE, "x.csv", True),
        ("data", DataType.FOLDER, "data", True),
        ("e", DataType.FILE, "more/e.csv", False),
    ]
    assert [(one.name, one.path) for one in whole.outputs] == [
        ("OUT", "out/"),
        ("output", "."),
        ("plots", "plots"),
    ]
    assert 'OUT = os.path.join(args.OUT, "")\nos.makedirs(OUT, exist_ok=True)' in whole.script
    assert 'open(os.path.join(args.OUT, "figures.json"), "w")' in whole.script
    assert any("more/e.csv" in note for note in whole.notes)


def test_settings_and_metrics_are_logged(whole: Conversion) -> None:
    """Values that an estimator is given become arguments; figures that are shown are logged."""
    assert [(one.name, one.type, one.value) for one in whole.parameters] == [
        ("C", "float", "-1.5"),
        ("penalty", "str", "l2"),
        ("FLAG", "bool", "True"),
    ]
    assert [one.name for one in whole.metrics] == [
        "acc",
        "f1_score",
        "roc_auc_score",
        "test_auc",
        "r2_score",
    ]
    assert 'print("train acc", acc); mlflow.log_metric("acc", acc)\n' in whole.script
    assert '\nmlflow.log_metric("r2_score", metrics.r2_score(x, y))\n' in whole.script


def test_packages_are_those_that_are_imported(whole: Conversion) -> None:
    """Versions are those of the list; what Python has, stand-ins and the rest go, with reasons."""
    assert [one.requirement for one in whole.packages] == [
        "matplotlib==3.11.2",
        "mlflow",
        "numpy",
        "pandas<4,>=2",
        "pyarrow",
        "scikit-learn",
    ]
    assert whole.removed == {
        "argparse==1.4.0": "Python has argparse itself",
        "pathlib2==2.3.6": "Python has pathlib itself",
        "opencv-python-headless==4.9.0.80": "not imported by what is left",
        "sklearn==0.0": "a stand-in for scikit-learn",
    }
    assert whole.modules == ("mylib",)
    assert "\nfrom pathlib import Path\n" in made("from pathlib2 import Path\nopen(Path())").script


def test_the_job_file_says_the_same(whole: Conversion) -> None:
    """The job file has the arguments, with paths from where it lies, and the conda file."""
    job = yaml.safe_load(whole.job)
    assert job["inputs"]["x"] == {"type": "uri_file", "path": "../x.csv"}
    assert job["inputs"]["C"] == -1.5
    assert job["inputs"]["penalty"] == "l2"
    assert job["outputs"]["plots"] == {"type": "uri_folder"}
    assert '--OUT "${{outputs.OUT}}"' in job["command"]
    assert set(job["environment"]) == {"image", "conda_file"}
    pins = yaml.safe_load(whole.conda)["dependencies"]
    assert pins[0] == "python=3.11"
    assert pins[-1]["pip"] == [one.requirement for one in whole.packages]


def test_what_was_left_out_can_be_put_back(whole: Conversion) -> None:
    """Restoring brings plots and what they import back; magic stays a comment."""
    text, back = restored(whole.script, frozenset({DropRule.PLOT}))
    ast.parse(text)
    assert "\n    df.hist()\n" in text
    assert "#| a.head()" in text
    assert "#| import cv2" in text
    assert "#| df?" in text
    assert {one.rule for one in back} == {DropRule.PLOT}
    text, back = restored(made(EVERYTHING.replace("fig.savefig", "fig.show")).script, frozenset())
    ast.parse(text)
    assert "\nimport matplotlib.pyplot as plt\n" in text
    assert "\na.head(); a.tail();\n" in text


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("import matplotlib.pyplot as plt\ncolours = plt.cm.tab10(3)\nprint(colours)", "colours ="),
        ("df.drop(columns='a', inplace=True)", "df.drop"),
        ("model.fit(x, y)", "model.fit"),
        ("shape = df.shape\nprint(shape)", "shape ="),
        ("print('all of it')", "print"),
        ("from sklearn.experimental import enable_iterative_imputer", "enable_iterative"),
        (
            "import matplotlib.pyplot as plt\ndef f(m):\n    m.fit(1)\n    plt.plot(1)\nf(m)",
            "m.fit(1)",
        ),
        ("if x: plt.show()\nelse: go()", "go()"),
    ],
    ids=["needed", "inplace", "fit", "assigned", "text", "for-effect", "also-trains", "one-line"],
)
def test_what_does_something_stays(text: str, stays: str) -> None:
    """Nothing is left out that something needs, or that does more than show."""
    script = made(text).script
    assert stays in "\n".join(
        line for line in script.splitlines() if not line.lstrip().startswith("#")
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("p = 'm/model.pkl'\njoblib.dump(m, p)", 'p = os.path.join(args.m, "model.pkl")'),
        ("d = 'data'\nx = pd.read_csv(os.path.join(d, 'a.csv'))", "d = args.d"),
        ("d = Path('data/')\nx = pd.read_csv(d / 'a.csv')", "d = Path(args.d)"),
        (
            "d = 'data/'\nx = pd.read_csv(d + 'a.csv')\nx.to_csv(d + 'new.csv')",
            "x.to_csv(os.path.join(args.d_output, \"\") + 'new.csv')",
        ),
        (
            "Path('r').mkdir()\n(Path('r') / 'a.txt').write_text('x')",
            "Path(args.r).mkdir(exist_ok=True)",
        ),
        ("pd.read_csv(path)", "pd.read_csv(path)"),
        (
            "open('log.txt', mode='a').write('x')",
            "open(os.path.join(args.output, \"log.txt\"), mode='a')",
        ),
        (
            "'data/{}.csv'.format(1)\npd.read_csv('data/{}.csv'.format(1))",
            "'data/{}.csv'.format(1)",
        ),
    ],
    ids=["file", "join", "path", "read-and-written", "mkdir", "unknown", "append", "format"],
)
def test_a_literal_path_is_taken_from_an_argument(text: str, wanted: str) -> None:
    """A literal that a path begins with is replaced where it stands, whatever follows it."""
    assert wanted in made(text).script


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("{", "a.ipynb", "a.ipynb is no notebook"),
        ("{}", "a.ipynb", "it has no nbformat"),
        ('{"nbformat": 3, "worksheets": []}', "a.ipynb", "notebook of format 3"),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "a.ipynb",
            "notebook of R",
        ),
    ],
    ids=["broken", "other", "old", "r"],
)
def test_what_is_no_notebook_of_python_is_refused(text: str, name: str, said: str) -> None:
    """The error says what the file is."""
    with pytest.raises(InvalidNotebook, match=said):
        notebook_cells.read(text, name)


def test_a_cell_that_is_no_python_is_named() -> None:
    """The error has the cell and the line in it."""
    cells = [{"cell_type": "code", "source": ["x = 1\n", "x ="]}]
    text = json.dumps({"nbformat": 4, "cells": cells, "metadata": {}})
    layout = Layout(name="a", notebook="a.ipynb", script="a.py", code="./src")
    nothing: Callable[[str], str] = lambda _: ""  # noqa: E731 - one line
    around = Surroundings(kind=nothing, beside=lambda _: False, installed=nothing, python="3.11")
    with pytest.raises(InvalidNotebook, match=r"a\.ipynb, cell 1, line 2: invalid syntax"):
        convert(text, layout, listed=Stated(), around=around)


def test_a_conda_file_is_a_list_too() -> None:
    """Conda's pins become pip's; its Python and channels are kept."""
    text = """
    channels: [conda-forge]
    dependencies: [python=3.10.4, numpy=1.22, "pandas==1.5.3", pip, {pip: ["xgboost~=1.7"]}]
    """
    listed = stated(text, "conda.yml")
    assert listed.python == "3.10.4"
    assert [str(one) for one in listed.requirements.values()] == [
        "numpy==1.22.*",
        "pandas==1.5.3",
        "xgboost~=1.7",
    ]


def test_without_a_list_versions_are_those_installed_here() -> None:
    """A version that nobody stated is that of the Python which converts, and says so."""
    (package,) = made("import pandas as pd\nx = pd.read_csv('x.csv')\nx.to_csv('y.csv')").packages
    assert (package.requirement, package.source) == ("pandas==1.2", "installed here")


def test_the_taxi_notebook_is_read_as_it_stands() -> None:
    """The example's notebook has one input, one output, three settings and three metrics."""
    folder = Path(__file__).parents[2] / "examples" / "taxi"
    done = convert(
        (folder / "notebook.ipynb").read_text(encoding="utf-8"),
        Layout(name="taxi", notebook="notebook.ipynb", script="notebook.py", code="./src"),
        listed=stated(
            (folder / "requirements.txt").read_text(encoding="utf-8"), "requirements.txt"
        ),
        around=Surroundings(
            kind=lambda path: "folder" if (folder / path).is_dir() else "",
            beside=lambda _: False,
            installed=lambda _: "",
            python="3.11",
        ),
    )
    assert [one.name for one in done.inputs] == ["raw_data"]
    assert [one.name for one in done.outputs] == ["model_output"]
    assert [one.name for one in done.parameters] == ["learning_rate", "n_estimators", "seed"]
    assert [one.name for one in done.metrics] == [
        "mean_squared_error",
        "root_mean_squared_error",
        "r2_score",
    ]
    assert "matplotlib" not in done.conda
    assert done.notes == ()
