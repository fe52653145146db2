"""What a package is made of, as a CycloneDX bill of materials.

Source: https://cyclonedx.org/docs/1.6/json/ (the format).
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from brinery.package.contents import Contents
from brinery.records.package import Target

_SPACE = uuid.UUID("6f1d6a0a-3d43-4f0c-9b57-6a6d1f9b2c11")


def render(contents: Contents, *, target: Target) -> bytes:
    """Return the document: the same for the same package."""
    facts = contents.facts
    pins = [pin.partition("==")[::2] for pin in contents.pins]
    tool, _, version = facts.created_by.partition(" ")
    serial = uuid.uuid5(_SPACE, "\n".join([facts.sha256, facts.reference, target, *contents.pins]))
    model: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": facts.model,
        "version": str(facts.version),
        "description": facts.outline,
        "hashes": [{"alg": "SHA-256", "content": facts.sha256}],
        "modelCard": {
            "modelParameters": {"task": facts.type},
            "quantitativeAnalysis": {
                "performanceMetrics": [
                    {"type": name, "value": str(value)} for name, value in facts.metrics.items()
                ]
            },
        },
    }
    libraries = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
        }
        for name, version in pins
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": facts.created,
            "tools": {"components": [{"type": "application", "name": tool, "version": version}]},
            "component": {
                "type": "application",
                "bom-ref": "package",
                "name": f"{facts.model}-model-{target}",
                "version": str(facts.version),
            },
        },
        "components": [model, *libraries],
        "dependencies": [
            {"ref": "package", "dependsOn": ["model", *(one["bom-ref"] for one in libraries)]}
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
