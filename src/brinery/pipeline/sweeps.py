"""What a sweep declares, as the record `Sweep`; and what cannot be searched."""

from __future__ import annotations

from brinery.pipeline import feeding
from brinery.pipeline.ports import misfit
from brinery.pipeline.scopes import Scope, near
from brinery.pipeline.steps import Making
from brinery.records.plan import Dimension, Stopping, Sweep
from brinery.specs import sweep_parts
from brinery.specs.job_source import Spot
from brinery.specs.sweep_parts import Swept

_MAX_PERCENTAGE = 99


def sweep(declared: Swept, spot: Spot, *, scope: Scope | None = None) -> Sweep:
    """Return a sweep; what cannot be is told.

    Args:
        declared: as the file has it.
        spot: where it stands.
        scope: that limits which are expressions are filled in from.
    """
    space = _space(declared, spot.at("search_space"))
    sampling, seed, logbase = _sampling(declared, spot.at("sampling_algorithm"))
    if sampling == "grid":
        for name, dimension in space.items():
            if dimension.kind != "choice":
                spot.at("search_space", name).fault(
                    f"is {dimension.kind}, and a grid takes choices alone",
                )
    objective, limits = declared.objective, declared.limits

    def _limit(name: str) -> int | None:
        given = getattr(limits, name) if limits is not None else None
        if isinstance(given, str):
            text = scope.plain(given, spot.at("limits", name).place) if scope is not None else ""
            given = int(text) if text.isdigit() else None
        if given is not None and given < 1:
            spot.at("limits", name).fault(f"is {given}, and must be at least 1")
        return given

    trials = _limit("max_total_trials") or 1
    concurrent = _limit("max_concurrent_trials") or trials
    return Sweep(
        space=space,
        sampling=sampling,
        seed=seed,
        logbase=logbase,
        goal=(objective.goal if objective else None) or "minimize",
        metric=(objective.primary_metric if objective else None) or "",
        trials=trials,
        concurrent=min(concurrent, trials),
        timeout_s=_limit("timeout"),
        trial_timeout_s=_limit("trial_timeout"),
        stopping=_stopping(declared, spot.at("early_termination")),
    )


def check_space(making: Making, swept: Sweep) -> None:
    """Tell the hyperparameters that the trial of a step has no input for, and unfit choices."""
    if making.component is None:
        return
    ports = feeding.ports_of(making.component)
    spot = Spot(making.scope.source, (*making.place, "search_space"))
    for name, dimension in swept.space.items():
        if name not in ports:
            said = near(name, ports)
            spot.at(name).fault(f"component {making.component.told} has no input {name}{said}")
            continue
        for at, text in enumerate(dimension.values):
            if why := misfit(ports[name], text):
                spot.at(name, "values", at).fault(why)


def _sampling(declared: Swept, spot: Spot) -> tuple[str, int | None, float | None]:
    given = declared.sampling_algorithm
    if given is None or isinstance(given, str):
        return given or "random", None, None
    kind = given.type or "random"
    if kind != "random":
        for key in ("seed", "rule", "logbase"):
            if getattr(given, key) is not None:
                spot.at(key).fault(f"is of random sampling, and this is {kind}")
    logbase = None
    if given.logbase is not None and given.logbase != "e":
        try:
            logbase = float(given.logbase)
        except ValueError:
            spot.at("logbase").fault(f"is no number: {given.logbase!r}")
        else:
            if logbase <= 0 or logbase == 1:
                spot.at("logbase").fault(f"is {logbase:g}, which no logarithm has")
    return ("sobol" if given.rule == "sobol" else kind), given.seed, logbase


def _space(declared: Swept, spot: Spot) -> dict[str, Dimension]:
    stated = declared.search_space
    if stated is not None and not stated:
        spot.fault("is empty")
    return {name: _dimension(each, spot.at(name)) for name, each in (stated or {}).items()}


def _dimension(given: object, spot: Spot) -> Dimension:
    match given:
        case sweep_parts.Choice():
            return Dimension(kind="choice", values=_values(given.values, spot.at("values")))
        case sweep_parts.Uniform():
            low, high = given.min_value or 0.0, given.max_value or 0.0
            if given.min_value is not None and given.max_value is not None and low > high:
                spot.at("min_value").fault(f"{low:g} is more than max_value, {high:g}")
            q = _step(given, spot)
            return Dimension(kind=given.type or "uniform", low=low, high=high, q=q)
        case sweep_parts.Normal():
            sigma = given.sigma if given.sigma is not None else 1.0
            if sigma <= 0:
                spot.at("sigma").fault(f"is {sigma:g}, and must be more than 0")
            q = _step(given, spot)
            return Dimension(kind=given.type or "normal", mu=given.mu or 0.0, sigma=sigma, q=q)
        case sweep_parts.Randint():
            upper = given.upper if given.upper is not None else 1
            if upper < 1:
                spot.at("upper").fault(f"is {upper}, and must be at least 1")
            return Dimension(kind="randint", high=float(upper))
    return Dimension(kind="choice")


def _values(given: list[object] | None, spot: Spot) -> tuple[str, ...]:
    if given is not None and not given:
        spot.fault("is empty")
    for at, one in enumerate(given or ()):
        if isinstance(one, (dict, list)):
            spot.at(at).fault("is no plain value; spaces within a choice are not searched")
        elif one is None:
            spot.at(at).fault("is empty")
    return tuple(str(one) for one in given or ())


def _step(given: object, spot: Spot) -> float:
    q = getattr(given, "q", None)
    if q is not None and q <= 0:
        spot.at("q").fault(f"is {q:g}, and must be more than 0")
    return float(q) if q is not None else 1.0


def _stopping(declared: Swept, spot: Spot) -> Stopping:
    given = declared.early_termination
    if given is None or given.type is None:
        return Stopping()
    own = {
        "bandit": ("slack_factor", "slack_amount"),
        "truncation_selection": ("truncation_percentage",),
    }.get(given.type, ())
    for key in ("slack_factor", "slack_amount", "truncation_percentage"):
        if getattr(given, key) is not None and key not in own:
            spot.at(key).fault(f"is not of {given.type}")
    slacks = [key for key in ("slack_factor", "slack_amount") if getattr(given, key) is not None]
    if given.type == "bandit" and len(slacks) != 1:
        spot.fault("needs one of slack_factor and slack_amount")
    percentage = given.truncation_percentage
    if given.type == "truncation_selection" and (
        percentage is None or not 1 <= percentage <= _MAX_PERCENTAGE
    ):
        said = "is missing" if percentage is None else f"is {percentage}, and must be 1 to 99"
        spot.fault(f"truncation_percentage {said}")
    for key, least in (("evaluation_interval", 1), ("delay_evaluation", 0)):
        value = getattr(given, key)
        if value is not None and value < least:
            spot.at(key).fault(f"is {value}, and must be at least {least}")
    return Stopping(
        kind=given.type,
        slack_factor=given.slack_factor,
        slack_amount=given.slack_amount,
        percentage=percentage or 0,
        interval=given.evaluation_interval or 1,
        delay=given.delay_evaluation or 0,
    )
