"""The model card: what a version is and how good, as the Hugging Face Hub reads it.

The front matter is what the Hub indexes: the library, the task and every figure; the text has the
headings of the Hub's template. What nobody told Brinery is said to be unknown, never made up.

Source: the model card template of huggingface_hub; Mitchell et al. 2019.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from brinery.charts import facts, words
from brinery.charts.summary import summarise
from brinery.charts.tables import Table, assertions, metrics, notable
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.version import Version

# As the Hub calls them.
_LIBRARIES: Final = {"scikit-learn": "sklearn", "torch": "pytorch"}
_TASKS: Final = {
    PredictionType.BINARY: ("tabular-classification", "Tabular classification"),
    PredictionType.MULTICLASS: ("tabular-classification", "Tabular classification"),
    PredictionType.REGRESSION: ("tabular-regression", "Tabular regression"),
}
_UNKNOWN: Final = "Unknown: it was not told to Brinery."


def write(appraisal: Appraisal, version: Version) -> str:
    """Return the card, in Markdown with YAML before it.

    Args:
        appraisal: what was found out.
        version: of which version.
    """
    head = yaml.safe_dump(_head(appraisal, version), sort_keys=False, allow_unicode=True)
    parts = [f"---\n{head}---\n", f"# {version.reference}\n", summarise(appraisal).headline + "\n"]
    parts += [f"{title}\n\n{text.strip()}\n" for title, text in _sections(appraisal, version)]
    return "\n".join(parts)


def _head(appraisal: Appraisal, version: Version) -> dict[str, Any]:
    framework = "" if version.candidate is None else version.candidate.description.framework
    head: dict[str, Any] = {"tags": ["brinery", *filter(None, [framework])]}
    if framework:
        head["library_name"] = _LIBRARIES.get(framework, framework)
    evaluation = appraisal.evaluation
    task = None if evaluation is None else _TASKS.get(evaluation.type)
    if evaluation is None or task is None:
        return head
    head["pipeline_tag"] = task[0]
    head["metrics"] = list(evaluation.metrics)
    head["model-index"] = [
        {
            "name": version.reference,
            "results": [
                {
                    "task": {"type": task[0], "name": task[1]},
                    "dataset": {"type": appraisal.data.name, "name": appraisal.data.name},
                    "metrics": [
                        {"type": name, "value": value, "name": words.called(name)}
                        for name, value in evaluation.metrics.items()
                    ],
                }
            ],
        }
    ]
    return head


def _sections(appraisal: Appraisal, version: Version) -> list[tuple[str, str]]:
    known = dict(facts.of_version(version, appraisal))
    of_model = ("model", "predicts", "reads", "file", "written with", "commit", "MLflow run")
    of_checks = ("environment", "parity", "trust", "sandbox", "answers by")
    first = "" if version.candidate is None else _first_call(version)
    return [
        ("## Model details", _listed(known, ("version", "aliases", "imported", *of_model))),
        ("## Uses", _UNKNOWN),
        ("## Bias, risks and limitations", _limits(appraisal)),
        ("## How to get started", first or _UNKNOWN),
        ("## Training data", _UNKNOWN),
        ("## Evaluation", _evaluated(appraisal, known)),
        ("## How it was checked", _listed(known, of_checks)),
    ]


def _listed(known: dict[str, str], names: tuple[str, ...]) -> str:
    return "\n".join(f"* **{name}**: {_safe(known[name])}" for name in names if name in known)


def _limits(appraisal: Appraisal) -> str:
    summary = summarise(appraisal)
    said = [f"* {_safe(text)}" for text in (*summary.doubts, *summary.points)]
    found = appraisal.subpopulations
    table = None if found is None else notable(found)
    if table is not None:
        said += ["", _table(table)]
    return "\n".join(said) or "Nothing doubtful was found."


def _first_call(version: Version) -> str:
    return (
        "```python\nimport brinery\n\n"
        f'with brinery.load("{version.reference}") as model:\n'
        "    scores = model.predict(frame)\n```"
    )


def _evaluated(appraisal: Appraisal, known: dict[str, str]) -> str:
    parts = [_listed(known, ("evaluated on", "evaluated"))]
    evaluation = appraisal.evaluation
    if evaluation is not None:
        parts.append(_table(metrics(evaluation)))
        parts.append(_classes(evaluation))
    if appraisal.assertions:
        parts.append(_table(assertions(appraisal.assertions)))
    return "\n\n".join(filter(None, parts))


def _classes(evaluation: Evaluation) -> str:
    if evaluation.positive is None:
        return ""
    return f"The positive class is {_safe(str(evaluation.positive))}."


def _table(table: Table) -> str:
    """Return a table in Markdown."""
    rule = ["---:" if table.counts(place) else "---" for place in range(len(table.headers))]
    head, *rows = [
        "| " + " | ".join(map(_safe, row)) + " |" for row in (table.headers, *table.rows)
    ]
    return "\n".join((head, f"| {' | '.join(rule)} |", *rows))


def _safe(text: str) -> str:
    """Return a text without what Markdown would read as more than text."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
