"""safetensors: arrays with names, and no program. They are described; nothing is scored."""

from __future__ import annotations

from typing import Any, NamedTuple

from brinery.errors import LibraryMissing, PredictionRefused
from brinery.flavors.interface import Flavor, Given, Source
from brinery.records.scores import Scores

_LISTED = 5

# What to do with weights that nothing predicts with.
WHOLE = (
    "save the whole network: torch.onnx.export(network, …, 'model.onnx'), or "
    "torch.export.save(torch.export.export(network, …), 'model.pt2')"
)


class Tensors(NamedTuple):
    """What a safetensors file holds.

    Attributes:
        shapes: of each tensor, by name.
        held: what the file holds, in a word.
    """

    shapes: dict[str, tuple[int, ...]]
    held: str = "tensors"


class Safetensors(Flavor):
    """The flavor of safetensors files: *other*, and refused when it is asked to predict."""

    name = "safetensors"
    module = "safetensors"
    formats = ("safetensors",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is what `load` made."""
        return isinstance(model, Tensors)

    def load(self, source: Source) -> Tensors:
        """Return the names and shapes of a file's tensors; no value is read.

        Raises:
            LibraryMissing: safetensors is not installed.
            SafetensorError: its header is none, or says what its bytes do not hold.
        """
        try:
            from safetensors import safe_open
        except ImportError:
            raise LibraryMissing(
                f"{source.path.name} holds safetensors, and that package is not installed",
                hint="pip install 'brinery[torch]'",
            ) from None
        with safe_open(source.path, framework="np") as file:
            return Tensors(
                {name: tuple(file.get_slice(name).get_shape()) for name in sorted(file.keys())}
            )

    def outline(self, model: Tensors) -> str:
        """Return how many tensors there are, and the first of them."""
        each = [f"{name} {list(shape)}" for name, shape in model.shapes.items()]
        more = f", … {len(each) - _LISTED} more" if len(each) > _LISTED else ""
        return f"{len(each)} tensors: {', '.join(each[:_LISTED])}{more}"

    def score(self, model: Tensors, _given: Given) -> Scores:
        """Return nothing: there is no program to run.

        Raises:
            PredictionRefused: always.
        """
        raise PredictionRefused(
            f"the file holds {model.held}, and no program that uses them",
            hint=WHOLE,
        )
