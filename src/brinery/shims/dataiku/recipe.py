"""What a recipe reads and writes, as its script asks about it.

On the platform that is declared; here it is what `brinery run --input` and
`--output-name` say, or what the last run of the script did.
"""

from __future__ import annotations

from typing import Any, List, Optional

from brinery_shims.gateway import call


def get_inputs(role: Optional[str] = None, object_type: Optional[str] = None) -> List[str]:
    """Return the full names of what the recipe reads."""
    return _declared("inputs")


def get_outputs(role: Optional[str] = None, object_type: Optional[str] = None) -> List[str]:
    """Return the full names of what the recipe writes."""
    return _declared("outputs")


def get_input_names(role: Optional[str] = None) -> List[str]:
    """Return the full names of what the recipe reads."""
    return _declared("inputs")


def get_output_names(role: Optional[str] = None) -> List[str]:
    """Return the full names of what the recipe writes."""
    return _declared("outputs")


def get_inputs_as_datasets(role: Optional[str] = None) -> List[Any]:
    """Return the datasets that the recipe reads."""
    from dataiku.core.dataset import Dataset

    return [Dataset(name) for name in _declared("inputs")]


def get_outputs_as_datasets(role: Optional[str] = None) -> List[Any]:
    """Return the datasets that the recipe writes."""
    from dataiku.core.dataset import Dataset

    return [Dataset(name) for name in _declared("outputs")]


def get_recipe_resource() -> Any:
    """Refuse: plugins are none of ours."""
    raise NotImplementedError(
        "resources of a plugin are not supported by Brinery; keep files beside the script"
    )


def _declared(kind: str) -> List[str]:
    found: List[str] = call("projects.recipe")[kind]
    return found
