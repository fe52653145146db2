"""safetensors: arrays with names, and no program. They are described, and cannot be asked."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from msgspec.structs import replace

from brinery.errors import LibraryMissing
from brinery.flavors.interface import Flavor, Source
from brinery.records.description import Description, Unscored

_LISTED = 5

# What to do with weights that nothing predicts with.
WHOLE = (
    "save the whole network: torch.onnx.export(network, …, 'model.onnx'), or "
    "torch.export.save(torch.export.export(network, …), 'model.pt2')"
)


class Tensors(NamedTuple):
    """What a file of weights holds.

    Attributes:
        shapes: of each tensor, by name.
        held: what the file holds, in a word.
        library: that read it.
    """

    shapes: dict[str, tuple[int, ...]]
    held: str = "tensors"
    library: str = "safetensors"


class Safetensors(Flavor):
    """The flavor of bare weights, of safetensors and of torch: *other*, and not to be asked."""

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

    def environment(self, model: Tensors) -> tuple[str, ...]:
        """Return what reads the file."""
        return (model.library,)

    def version(self, model: Tensors) -> str:
        """Return the version of what read the file; empty if none is known."""
        return str(getattr(sys.modules.get(model.library), "__version__", ""))

    def describe(self, model: Tensors) -> Description:
        """Return what there is, and that no program is among it."""
        unscored = Unscored(f"it holds {model.held}, and no program that uses them", WHOLE)
        return replace(super().describe(model), framework=model.library, unscored=unscored)
