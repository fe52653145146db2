"""What a sweep declares beside its trial: what is varied, how it is drawn, when it ends."""

from typing import Annotated, Any, ClassVar, Literal

from brinery.specs.job_parts import Lower, Whole
from brinery.specs.parts import Before, Chosen, Part, Tag


def _snake(given: object) -> object:
    if not isinstance(given, str):
        return given
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in given).lstrip("_")


_Snake = Before(_snake, takes=(str,))


class Choice(Part):
    """One of the values."""

    needed = ("type", "values")
    type: Annotated[Literal["choice"], Lower] | None = None
    values: list[Any] | None = None


class Uniform(Part):
    """Between two bounds; for `loguniform` they are exponents."""

    needed: ClassVar[tuple[str, ...]] = ("type", "min_value", "max_value")
    type: Annotated[Literal["uniform", "loguniform"], Lower] | None = None
    min_value: float | None = None
    max_value: float | None = None


class QUniform(Uniform):
    """The same, rounded to multiples of q."""

    needed: ClassVar[tuple[str, ...]] = ("type", "min_value", "max_value", "q")
    type: Annotated[Literal["quniform", "qloguniform"], Lower] | None = None  # type: ignore[assignment] # other kinds, the same bounds
    q: float | None = None


class Normal(Part):
    """About a mean; `lognormal` is e to such a number."""

    needed: ClassVar[tuple[str, ...]] = ("type", "mu", "sigma")
    type: Annotated[Literal["normal", "lognormal"], Lower] | None = None
    mu: float | None = None
    sigma: float | None = None


class QNormal(Normal):
    """The same, rounded to multiples of q."""

    needed: ClassVar[tuple[str, ...]] = ("type", "mu", "sigma", "q")
    type: Annotated[Literal["qnormal", "qlognormal"], Lower] | None = None  # type: ignore[assignment] # other kinds, the same figures
    q: float | None = None


class Randint(Part):
    """A whole number from nought, less than the upper one."""

    needed = ("type", "upper")
    type: Annotated[Literal["randint"], Lower] | None = None
    upper: int | None = None


class Unknown(Part):
    """A dimension of no known kind."""

    needed = ("type",)
    lenient = True  # nothing is said of what cannot be known
    type: (
        Annotated[
            Literal[
                "choice",
                "uniform",
                "loguniform",
                "quniform",
                "qloguniform",
                "normal",
                "lognormal",
                "qnormal",
                "qlognormal",
                "randint",
            ],
            Lower,
        ]
        | None
    ) = None


_KINDS = {
    "choice": "~choice",
    "uniform": "~uniform",
    "loguniform": "~uniform",
    "quniform": "~quniform",
    "qloguniform": "~quniform",
    "normal": "~normal",
    "lognormal": "~normal",
    "qnormal": "~qnormal",
    "qlognormal": "~qnormal",
    "randint": "~randint",
}


def _which_dimension(given: object) -> str:
    kind = given.get("type") if isinstance(given, dict) else None
    return _KINDS.get(kind.lower() if isinstance(kind, str) else "", "~unknown")


Dimension = Annotated[
    Annotated[Choice, Tag("~choice")]
    | Annotated[Uniform, Tag("~uniform")]
    | Annotated[QUniform, Tag("~quniform")]
    | Annotated[Normal, Tag("~normal")]
    | Annotated[QNormal, Tag("~qnormal")]
    | Annotated[Randint, Tag("~randint")]
    | Annotated[Unknown, Tag("~unknown", shown=False)],
    Chosen(_which_dimension),
]

SamplingName = Annotated[Literal["random", "grid", "bayesian"], Lower]


class Sampling(Part):
    """How values are drawn, written at length."""

    needed = ("type",)
    type: SamplingName | None = None
    seed: int | None = None
    rule: Annotated[Literal["random", "sobol"], Lower] | None = None
    logbase: float | str | None = None


def _which_sampling(given: object) -> str:
    return "~name" if isinstance(given, str) else "~full"


class Objective(Part):
    """What is compared."""

    needed = ("goal", "primary_metric")
    goal: Annotated[Literal["maximize", "minimize"], Lower] | None = None
    primary_metric: str | None = None


class SweepLimits(Part):
    """How many trials, and how long."""

    needed = ("max_total_trials",)
    max_total_trials: Whole | None = None
    max_concurrent_trials: Whole | None = None
    timeout: Whole | None = None
    trial_timeout: Whole | None = None


class Termination(Part):
    """Which trials are ended before their time."""

    needed = ("type",)
    type: Annotated[Literal["bandit", "median_stopping", "truncation_selection"], _Snake] | None = (
        None
    )
    evaluation_interval: int | None = None
    delay_evaluation: int | None = None
    slack_factor: float | None = None
    slack_amount: float | None = None
    truncation_percentage: int | None = None


class Swept(Part):
    """What sweeps have in common."""

    sampling_algorithm: (
        Annotated[
            Annotated[Sampling, Tag("~full")] | Annotated[SamplingName, Tag("~name")],
            Chosen(_which_sampling),
        ]
        | None
    ) = None
    search_space: dict[str, Dimension] | None = None
    objective: Objective | None = None
    limits: SweepLimits | None = None
    early_termination: Termination | None = None
