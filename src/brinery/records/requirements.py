"""What a model needs of the Python that loads it, as far as that is stated."""

from __future__ import annotations

from msgspec import Struct


class Requirements(Struct, frozen=True, kw_only=True):
    """Packages and a Python.

    Attributes:
        packages: requirements as pip writes them, such as `scikit-learn==1.0.2`, sorted.
        python: such as `3.10` or `3.10.13`; empty where it is not stated.
        python_exact: whether no other minor version of Python will do.
    """

    packages: tuple[str, ...] = ()
    python: str = ""
    python_exact: bool = False
