"""What is told of models and versions, as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from brinery.records.version import Alias, Version

Document = dict[str, object]


def of_model(name: str, versions: Sequence[Version], *, production: Mapping[int, str]) -> Document:
    """Return what is told of a model.

    Args:
        name: of it.
        versions: newest first.
        production: number to MLflow's stage, of the versions that its clients know by one.
    """
    champion = next((one for one in versions if Alias.CHAMPION.value in one.aliases), None)
    return {
        "name": name,
        "champion": None if champion is None else of_version(champion, production),
        "newest": of_version(versions[0], production),
        "versions": [one.number for one in versions],
        "links": {
            "self": f"/api/v1/models/{quote(name)}",
            "predict": f"/v1/models/{quote(name)}/predict",
            "docs": f"/docs/{quote(name)}",
            "mlflow": f"/mlflow/#/models/{quote(name)}",
        },
    }


def of_version(version: Version, production: Mapping[int, str]) -> Document:
    """Return what is told of a version."""
    path = f"/api/v1/models/{quote(version.name)}/versions/{version.number}"
    mlflow = f"/mlflow/#/models/{quote(version.name)}/versions/{version.number}"
    told: Document = {
        "name": version.name,
        "version": version.number,
        "reference": version.reference,
        "aliases": version.aliases,
        "stage": production.get(version.number, version.stage),
        "created": version.created,
        "run": version.run_id,
        "checked": version.candidate is not None,
        "links": {"self": path, "report": f"{path}/report", "mlflow": mlflow},
    }
    candidate = version.candidate
    if candidate is None:
        told["links"] = {"self": path, "mlflow": mlflow}
        told["why"] = "registered by another program: not checked yet"
        told["next"] = (
            f"brinery import models:/{version.name}/{version.number} --name {version.name} "
            "--data FILE"
        )
        return told
    return {
        **told,
        "type": candidate.description.type,
        "model": candidate.description.outline,
        "metrics": candidate.evaluation.metrics if candidate.evaluation else {},
        "sha256": candidate.origin.sha256,
        "verdict": candidate.verdict,
    }
