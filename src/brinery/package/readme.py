"""The README of a package: what it holds, how it is deployed and called, and what was proven."""

from __future__ import annotations

import json

from brinery.package import openapi
from brinery.package.contents import Contents, Rendered
from brinery.records.package import Engine, Target

_FIGURES = 8


def render(contents: Contents, target: Target, *, rendered: Rendered) -> bytes:
    """Return the document."""
    facts = contents.facts
    row = json.dumps(openapi.example(facts), ensure_ascii=False).replace("'", "'\\''")
    needs = "\n".join(f"* {pin}" for pin in contents.pins)
    metrics = list(facts.metrics.items())[:_FIGURES]
    figures = "\n".join(f"| {name} | {value:.6g} |" for name, value in metrics)
    spoken = "\n".join(f"* `{a}` is the column `{c}`" for a, c in facts.aliases.items())
    return f"""# {facts.reference}, for {target}

{facts.outline}

| | |
|---|---|
| model | {facts.reference} |
| sha256 of its file | `{facts.sha256}` |
| registered | {facts.created} |
| created by | {facts.created_by} |
| who answers | {_engine(contents)} |
| Python | {contents.python}{_platform(contents)} |
{figures}

## Deploy it

{rendered.deploy}
## Ask it

```sh
curl --data '{row}' --header 'Content-Type: application/json' URL
```

answers `{{"{facts.key}": …}}`; so do a list of such objects, with a list, and
`{{"rows": [{{…}}, …]}}`, with {_more(contents)}.
The forms of MLflow and of KServe's first protocol, `dataframe_split`, `dataframe_records` and
`instances`, are understood.
What is wrong is answered with 400 or 422 and the row and column at fault.
`openapi.json` describes it, and `examples/` asks it from a shell, JavaScript and Python.
{spoken and chr(10) + "Clients may write:" + chr(10) + chr(10) + spoken + chr(10)}
## What was proven

{_proven(contents, rendered)}
## What it needs

{needs}

`sbom.cdx.json` lists them for scanners (CycloneDX).
No secret, no path of another machine and no row of data is in this package{_kept(contents)}.
""".encode()


def _engine(contents: Contents) -> str:
    if contents.facts.engine == Engine.SCORER:
        return "a compiled scorer, which gives the library's numbers without the library"
    return f"the model and its library, loaded from `{contents.facts.engine_file}`"


def _platform(contents: Contents) -> str:
    return ", on Linux and x86-64" if contents.compiled else ""


def _kept(contents: Contents) -> str:
    kept = contents.proof.get("kept")
    if not kept:
        return ""
    return f" but {kept} rows of the evaluation data, in `proof/`, which were asked for"


def _more(contents: Contents) -> str:
    return "the probabilities of each class" if contents.facts.classes else "the model's version"


def _proven(contents: Contents, rendered: Rendered) -> str:
    if contents.unproven:
        return (
            f"**Nothing: this package was never run.** {contents.unproven}\n"
            "`python verify.py` runs it and compares its answers.\n"
        )
    rows = len(contents.proof["rows"])
    left = f"\nNot run: {rendered.not_run}.\n" if rendered.not_run else ""
    return f"""It was run in a fresh environment of `requirements.txt`: {rendered.ran}.
It was asked rows of the evaluation data, and answered as the registered model does; Brinery keeps
that with the version.
It is run again on any machine with Python {contents.python}: `python verify.py` compares every file
with its digest, and the answers to the {rows} rows in `proof/` with the registered model's.
{left}"""
