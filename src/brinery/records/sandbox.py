"""What holds the process of a model back: layer by layer, in force or not, and why not."""

from __future__ import annotations

from msgspec import Struct


class Layer(Struct, frozen=True, kw_only=True):
    """One thing that a model's process is kept from.

    Attributes:
        name: `filesystem`, `network`, `processes`, `signals`, `memory`, `environment`, …
        by: what does it, such as `Landlock ABI 7` or `seccomp`; empty where nothing does.
        in_force: whether it is done.
        reason: why it is not; empty where it is.
    """

    name: str
    by: str = ""
    in_force: bool = True
    reason: str = ""


class Sandbox(Struct, frozen=True, kw_only=True):
    """The layers, in the order they are shown.

    Attributes:
        layers: every layer that Brinery knows, in force or not.
    """

    layers: tuple[Layer, ...] = ()

    @property
    def complete(self) -> bool:
        """Return whether there are layers and all of them are in force."""
        return bool(self.layers) and all(layer.in_force for layer in self.layers)
