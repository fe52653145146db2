"""How figures are called and written for people: names of metrics, numbers, intervals, ranges."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from brinery.records.effects import Bin
from brinery.records.estimate import Estimate, Interval

# What reads better than the name of a metric with its underscores as spaces.
_CALLED: Final = {
    "roc_auc": "ROC AUC",
    "roc_auc_macro": "ROC AUC, macro",
    "roc_auc_weighted": "ROC AUC, weighted",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "ks": "KS statistic",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "f1": "F1",
    "f1_best": "best F1",
    "f1_best_threshold": "threshold of the best F1",
    "f_beta": "F-beta",
    "lift_10": "lift of the first tenth",
    "mae": "mean absolute error",
    "median_ae": "median absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "rmsle": "root mean squared log error",
    "mape": "mean absolute percentage error",
    "r2": "R²",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
}
# What is told of a share of the rows, which ends the name of the metric.
_AT_A_SHARE: Final = {"pinball": "pinball loss", "error": "quantile of the error"}
_DIGITS: Final = 4
_SHORT: Final = 3
_LARGE: Final = 1e6
_TEXT: Final = 40
_NONE: Final = "\N{EN DASH}"
_KILO: Final = 1024
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_DAYS: Final = 60


def called(metric: str) -> str:
    """Return what a metric is called."""
    if metric in _CALLED:
        return _CALLED[metric]
    kind, _, share = metric.rpartition("_")
    if kind in _AT_A_SHARE and share.removeprefix("p").isdigit():
        return f"{_AT_A_SHARE[kind]}, {int(share.removeprefix('p'))} %"
    words = metric.replace("_", " ")
    if metric[:1] == "f" and metric[1:].replace(".", "").isdigit():
        return metric.upper()
    return words.replace("f1 ", "F1, ", 1) if words.startswith("f1 ") else words


def number(value: float | None, *, digits: int = _DIGITS) -> str:
    """Return a number with some significant digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return _NONE
    if value == 0:
        return "0"
    if abs(value) >= _LARGE or float(value).is_integer():
        return f"{value:,.0f}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 8)}f}"


def percent(share: float | None) -> str:
    """Return a share, 0 to 1, in per cent; a dash where there is none."""
    return _NONE if share is None else f"{100 * share:.{_SHORT}g} %"


def p_value(value: float | None) -> str:
    """Return a p-value as it is printed; a dash where there is none."""
    if value is None:
        return _NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004 - as journals print it


def between(interval: Interval | None, *, digits: int = _DIGITS) -> str:
    """Return an interval as two numbers; empty where there is none."""
    if interval is None:
        return ""
    return f"{number(interval.low, digits=digits)} to {number(interval.high, digits=digits)}"


def estimated(estimate: Estimate | None) -> str:
    """Return a figure with its interval in brackets; a dash where there is none."""
    if estimate is None:
        return _NONE
    span = between(estimate.interval)
    return number(estimate.value) + (f" ({span})" if span else "")


def share_of(part: float, whole: float) -> str:
    """Return one number as a share of another, in per cent."""
    return percent(part / whole if whole else None)


def labelled(group: Bin) -> str:
    """Return what the values of a bin are called."""
    if group.missing:
        return "missing"
    if group.other:
        return "all others"
    if group.low is None or group.low == group.high:
        value = group.value if group.low is None else group.low
        return cut(value)
    return f"{cut(group.low)} to {cut(group.high)}"


def cut(value: object, *, length: int = _TEXT) -> str:
    """Return a value as text, cut where it is long."""
    if value is None:
        return "missing"
    if isinstance(value, float):
        return number(value)
    text = str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is one: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size(size_bytes: int) -> str:
    """Return a number of bytes in words: `345.0 KB`."""
    value = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """Return how long something took: `0.4 s`, `1 min 5 s`; a dash where nobody knows."""
    if seconds is None or not math.isfinite(seconds):
        return _NONE
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{seconds:.3g} s" if seconds < _MINUTE_S / 6 else f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def ago(at: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago something was: `just now`, `5 min ago`; after two months, the day."""
    passed = ((now or datetime.now(UTC)) - at).total_seconds()
    if passed < _MINUTE_S:
        return "just now"
    if passed < _HOUR_S:
        return f"{passed // _MINUTE_S:.0f} min ago"
    if passed < _DAY_S:
        return f"{passed // _HOUR_S:.0f} h ago"
    days = int(passed // _DAY_S)
    return f"{counted(days, 'day')} ago" if days < _DAYS else f"{at:%Y-%m-%d}"
