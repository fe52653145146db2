"""Which releases of the libraries beneath an old framework it works with.

A wheel states the oldest release that it takes of numpy, scipy and pandas, and hardly ever the
newest: of its own accord a resolver puts numpy 2 under a scikit-learn of 2021. These are data: the
first row whose release is later than the framework's states what stands beneath it.
"""

from __future__ import annotations

from packaging.version import Version

Row = tuple[str, dict[str, str]]

_BEFORE: dict[str, tuple[Row, ...]] = {
    "scikit-learn": (
        ("1.1", {"numpy": "<1.24", "scipy": "<1.9", "pandas": "<2"}),
        ("1.2", {"numpy": "<1.25", "scipy": "<1.10", "pandas": "<2"}),
        ("1.3", {"numpy": "<2", "scipy": "<1.11", "pandas": "<2.1"}),
        ("1.4", {"numpy": "<2", "scipy": "<1.12", "pandas": "<2.2"}),
        ("1.5", {"numpy": "<2", "scipy": "<1.14", "pandas": "<2.3"}),
        ("1.6", {"numpy": "<2.2", "scipy": "<1.15", "pandas": "<3"}),
        ("1.7", {"numpy": "<2.3", "scipy": "<1.16", "pandas": "<3"}),
        ("1.8", {"numpy": "<2.4", "scipy": "<1.17", "pandas": "<3"}),
    ),
    "xgboost": (
        # Its sources import pkg_resources, which it does not ask for.
        (
            "1.7",
            {
                "numpy": "<1.24",
                "scipy": "<1.9",
                "pandas": "<2",
                "scikit-learn": "<1.1",
                "setuptools": "<80",
            },
        ),
        ("2.0", {"numpy": "<2", "scipy": "<1.11", "pandas": "<2.1", "scikit-learn": "<1.3"}),
        ("2.1", {"numpy": "<2", "scipy": "<1.14", "pandas": "<2.3", "scikit-learn": "<1.5"}),
        ("3.0", {"numpy": "<2.3", "pandas": "<3", "scikit-learn": "<1.6"}),
        ("3.1", {"pandas": "<3"}),
    ),
    "lightgbm": (
        ("3.3.3", {"numpy": "<1.24", "scipy": "<1.9", "pandas": "<2", "scikit-learn": "<1.1"}),
        ("4.0", {"numpy": "<1.25", "scipy": "<1.11", "pandas": "<2.1", "scikit-learn": "<1.3"}),
        ("4.5", {"numpy": "<2", "scipy": "<1.14", "pandas": "<2.3", "scikit-learn": "<1.5"}),
        ("4.6", {"numpy": "<2.2", "pandas": "<3", "scikit-learn": "<1.6"}),
        ("4.7", {"pandas": "<3"}),
    ),
    "catboost": (
        ("1.2", {"numpy": "<1.24", "scipy": "<1.9", "pandas": "<2"}),
        ("1.2.8", {"numpy": "<2", "pandas": "<2.3"}),
    ),
    "statsmodels": (
        ("0.13.3", {"numpy": "<1.24", "scipy": "<1.9", "pandas": "<2"}),
        ("0.14", {"numpy": "<1.25", "scipy": "<1.11", "pandas": "<2.1"}),
        ("0.14.2", {"numpy": "<2", "scipy": "<1.13", "pandas": "<2.2"}),
        ("0.14.5", {"numpy": "<2.3", "scipy": "<1.16", "pandas": "<3"}),
    ),
    "category-encoders": (
        ("2.6", {"numpy": "<1.25", "scipy": "<1.10", "pandas": "<2", "scikit-learn": "<1.2"}),
        ("2.7", {"numpy": "<2.2", "scipy": "<1.15", "pandas": "<3", "scikit-learn": "<1.6"}),
    ),
    "imbalanced-learn": (
        ("0.10", {"numpy": "<1.25", "scipy": "<1.10", "pandas": "<2", "scikit-learn": "<1.2"}),
        ("0.12", {"numpy": "<2", "scipy": "<1.12", "pandas": "<2.2", "scikit-learn": "<1.4"}),
        ("0.13", {"numpy": "<2.2", "scipy": "<1.15", "pandas": "<3", "scikit-learn": "<1.6"}),
    ),
    "onnxruntime": (("1.19", {"numpy": "<2"}),),
    "torch": (("2.3", {"numpy": "<2"}),),
}


def beneath(distribution: str, version: Version) -> dict[str, str]:
    """Return distribution name to the releases that go with this one; none where any does."""
    for before, bounds in _BEFORE.get(distribution, ()):
        if version < Version(before):
            return bounds
    return {}
