"""What a sweep declares, as the record `Sweep`; and what cannot be searched."""

from __future__ import annotations

from brinery.pipeline import feeding
from brinery.pipeline.ports import misfit
from brinery.pipeline.scopes import Scope, near
from brinery.pipeline.steps import Making
from brinery.records.plan import Dimension, Stopping, Sweep
from brinery.specs import sweep_parts
from brinery.specs.job_source import Source
from brinery.specs.sweep_parts import Swept
from brinery.specs.yaml_file import Place

_MAX_PERCENTAGE = 99


def sweep(declared: Swept, source: Source, place: Place, *, scope: Scope | None = None) -> Sweep:
    """Return a sweep; what cannot be is told.

    Args:
        declared: as the file has it.
        source: of the file.
        place: where it stands.
        scope: that limits which are expressions are filled in from.
    """
    space = _space(declared, source, place)
    sampling, seed, logbase = _sampling(declared, source, place)
    if sampling == "grid":
        for name, dimension in space.items():
            if dimension.kind != "choice":
                source.fault(
                    (*place, "search_space", name),
                    f"is {dimension.kind}, and a grid takes choices alone",
                )
    objective, limits = declared.objective, declared.limits

    def _limit(name: str) -> int | None:
        given = getattr(limits, name) if limits is not None else None
        if isinstance(given, str):
            text = scope.plain(given, (*place, "limits", name)) if scope is not None else ""
            given = int(text) if text.isdigit() else None
        if given is not None and given < 1:
            source.fault((*place, "limits", name), f"is {given}, and must be at least 1")
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
        stopping=_stopping(declared, source, (*place, "early_termination")),
    )


def check_space(making: Making, swept: Sweep) -> None:
    """Tell the hyperparameters that the trial of a step has no input for, and unfit choices."""
    if making.component is None:
        return
    ports = feeding.ports_of(making.component)
    source = making.scope.source
    for name, dimension in swept.space.items():
        place = (*making.place, "search_space", name)
        if name not in ports:
            said = near(name, ports)
            source.fault(place, f"component {making.component.told} has no input {name}{said}")
            continue
        for at, text in enumerate(dimension.values):
            if why := misfit(ports[name], text):
                source.fault((*place, "values", at), why)


def _sampling(
    declared: Swept, source: Source, place: Place
) -> tuple[str, int | None, float | None]:
    given = declared.sampling_algorithm
    if given is None or isinstance(given, str):
        return given or "random", None, None
    where = (*place, "sampling_algorithm")
    kind = given.type or "random"
    if kind != "random":
        for key in ("seed", "rule", "logbase"):
            if getattr(given, key) is not None:
                source.fault((*where, key), f"is of random sampling, and this is {kind}")
    logbase = None
    if given.logbase is not None and given.logbase != "e":
        try:
            logbase = float(given.logbase)
        except ValueError:
            source.fault((*where, "logbase"), f"is no number: {given.logbase!r}")
        else:
            if logbase <= 0 or logbase == 1:
                source.fault((*where, "logbase"), f"is {logbase:g}, which no logarithm has")
    return ("sobol" if given.rule == "sobol" else kind), given.seed, logbase


def _space(declared: Swept, source: Source, place: Place) -> dict[str, Dimension]:
    stated = declared.search_space
    if stated is not None and not stated:
        source.fault((*place, "search_space"), "is empty")
    return {
        name: _dimension(each, source, (*place, "search_space", name))
        for name, each in (stated or {}).items()
    }


def _dimension(given: object, source: Source, place: Place) -> Dimension:
    match given:
        case sweep_parts.Choice():
            return Dimension(kind="choice", values=_values(given.values, source, place))
        case sweep_parts.Uniform():
            low, high = given.min_value or 0.0, given.max_value or 0.0
            if given.min_value is not None and given.max_value is not None and low > high:
                source.fault((*place, "min_value"), f"{low:g} is more than max_value, {high:g}")
            q = _step(given, source, place)
            return Dimension(kind=given.type or "uniform", low=low, high=high, q=q)
        case sweep_parts.Normal():
            sigma = given.sigma if given.sigma is not None else 1.0
            if sigma <= 0:
                source.fault((*place, "sigma"), f"is {sigma:g}, and must be more than 0")
            q = _step(given, source, place)
            return Dimension(kind=given.type or "normal", mu=given.mu or 0.0, sigma=sigma, q=q)
        case sweep_parts.Randint():
            upper = given.upper if given.upper is not None else 1
            if upper < 1:
                source.fault((*place, "upper"), f"is {upper}, and must be at least 1")
            return Dimension(kind="randint", high=float(upper))
    return Dimension(kind="choice")


def _values(given: list[object] | None, source: Source, place: Place) -> tuple[str, ...]:
    where = (*place, "values")
    if given is not None and not given:
        source.fault(where, "is empty")
    for at, one in enumerate(given or ()):
        if isinstance(one, (dict, list)):
            source.fault((*where, at), "is no plain value; spaces within a choice are not searched")
        elif one is None:
            source.fault((*where, at), "is empty")
    return tuple(str(one) for one in given or ())


def _step(given: object, source: Source, place: Place) -> float:
    q = getattr(given, "q", None)
    if q is not None and q <= 0:
        source.fault((*place, "q"), f"is {q:g}, and must be more than 0")
    return float(q) if q is not None else 1.0


def _stopping(declared: Swept, source: Source, place: Place) -> Stopping:
    given = declared.early_termination
    if given is None or given.type is None:
        return Stopping()
    own = {
        "bandit": ("slack_factor", "slack_amount"),
        "truncation_selection": ("truncation_percentage",),
    }.get(given.type, ())
    for key in ("slack_factor", "slack_amount", "truncation_percentage"):
        if getattr(given, key) is not None and key not in own:
            source.fault((*place, key), f"is not of {given.type}")
    slacks = [key for key in ("slack_factor", "slack_amount") if getattr(given, key) is not None]
    if given.type == "bandit" and len(slacks) != 1:
        source.fault(place, "needs one of slack_factor and slack_amount")
    percentage = given.truncation_percentage
    if given.type == "truncation_selection" and (
        percentage is None or not 1 <= percentage <= _MAX_PERCENTAGE
    ):
        said = "is missing" if percentage is None else f"is {percentage}, and must be 1 to 99"
        source.fault(place, f"truncation_percentage {said}")
    for key, least in (("evaluation_interval", 1), ("delay_evaluation", 0)):
        value = getattr(given, key)
        if value is not None and value < least:
            source.fault((*place, key), f"is {value}, and must be at least {least}")
    return Stopping(
        kind=given.type,
        slack_factor=given.slack_factor,
        slack_amount=given.slack_amount,
        percentage=percentage or 0,
        interval=given.evaluation_interval or 1,
        delay=given.delay_evaluation or 0,
    )
