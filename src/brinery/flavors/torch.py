"""PyTorch networks as *other*: TorchScript, exported programs, and pickled modules.

A pickled module is loaded by torch's own restricted unpickler, which is given no other names than
those the user accepted. Weights without a network are described, and cannot be asked.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from brinery.errors import LibraryMissing, PredictionRefused
from brinery.flavors import answers
from brinery.flavors.interface import Flavor, Given, Source, made_by
from brinery.flavors.safetensors import Tensors
from brinery.pickles import programs
from brinery.records.scores import Scores

_MOST_LEVELS = 8


class Torch(Flavor):
    """The flavor of PyTorch: numbers in, one or several numbers per row out."""

    name = "torch"
    module = "torch"
    formats = ("torch",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is a network."""
        return made_by(model, "torch") and callable(model)

    def load(self, source: Source) -> Any:
        """Return the network of a file, ready to predict; or the shapes of bare weights.

        Raises:
            LibraryMissing: torch is not installed.
            Exception: torch's own, where the file asks for other names than those accepted.
        """
        try:
            import torch
        except ImportError:
            raise LibraryMissing(
                f"{source.path.name} is a PyTorch file, and torch is not installed",
                hint="pip install 'brinery[torch]'",
            ) from None
        members = _members(source)
        if programs.is_torchscript(members):
            network = torch.jit.load(str(source.path), map_location="cpu")
        elif programs.is_exported(members):
            # An exported program is in the mode that it was exported in.
            return torch.export.load(str(source.path)).module()
        else:
            accepted = [found for name in source.globals if (found := _found(name)) is not None]
            with torch.serialization.safe_globals(accepted):
                network = torch.load(str(source.path), map_location="cpu", weights_only=True)
        if isinstance(network, Mapping):
            return Tensors(dict(_shapes(network)), held="weights", library="torch")
        return network.eval()

    def outline(self, model: Any) -> str:
        """Return the class of the network, and how many numbers it has learned."""
        learned = sum(int(parameter.numel()) for parameter in model.parameters())
        name = getattr(model, "original_name", type(model).__name__)
        return f"{name} ({learned:,} parameters)"

    def score(self, model: Any, given: Given) -> Scores:
        """Return its output for float32 numbers.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: the data holds text, or the output is no number for each row.
        """
        import torch

        try:
            numbers = np.ascontiguousarray(given, dtype=np.float32)
        except (TypeError, ValueError):
            raise PredictionRefused(
                "the network takes numbers, and a column holds text",
                hint="put what makes numbers of it into the network, or into a Pipeline around it",
            ) from None
        with torch.no_grad():
            output = model(torch.from_numpy(numbers))
        if not isinstance(output, torch.Tensor):
            raise PredictionRefused(
                f"the network returns a {type(output).__name__}, which is no tensor",
                hint="wrap it in a network whose forward returns one tensor",
            )
        return answers.scores(output.numpy(), rows=len(given), nameless=not self.several)


def _shapes(
    held: Mapping[Any, Any], name: str = "", depth: int = 0
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the tensors of a dictionary with their shapes, those of dictionaries within it too.

    A checkpoint holds the weights beside the state of an optimizer and a number or two.
    """
    for key, value in held.items():
        called = f"{name}{key}"
        if isinstance(value, Mapping) and depth < _MOST_LEVELS:
            yield from _shapes(value, f"{called}.", depth + 1)
        elif hasattr(value, "shape"):
            yield called, tuple(map(int, value.shape))


def _members(source: Source) -> list[str]:
    """Return the names within an archive; none where the file is a pickle of old.

    By its first bytes, as the scan and torch tell: an archive behind a pickle was not read.
    """
    with source.path.open("rb") as file:
        if not file.read(4).startswith(programs.ARCHIVE):
            return []
    with zipfile.ZipFile(source.path) as archive:
        return archive.namelist()


def _found(name: str) -> Any:
    """Return what a dotted name means; None where it is not there."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError):
        return None
