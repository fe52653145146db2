"""What is told of a server's counters: rates, shares and quantiles between two looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brinery.charts import traffic as charts
from brinery.serve.traffic import Watched, counts, quantile

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def metrics(count: int, *, errors: int = 0, fast: int | None = None) -> str:
    """Return what a server would count."""
    labels = 'model="a \\"b\\" c",version="1",route="r"'
    return (
        "# TYPE brinery_requests counter\n"
        f'brinery_requests_total{{{labels},status="200"}} {count - errors}\n'
        f'brinery_requests_total{{{labels},status="503"}} {errors}\n'
        'brinery_requests_total{model="",version="",route="/health",status="200"} 9\n'
        "# TYPE brinery_request_seconds histogram\n"
        f'brinery_request_seconds_bucket{{{labels},le="0.01"}} {count if fast is None else fast}\n'
        f'brinery_request_seconds_bucket{{{labels},le="0.1"}} {count}\n'
        f'brinery_request_seconds_bucket{{{labels},le="+Inf"}} {count}\n'
    )


def test_counters_are_those_of_models() -> None:
    """All versions and routes of a model are one; what no model was asked is none."""
    found = counts(metrics(10, errors=4))
    assert list(found) == ['a "b" c']
    assert found['a "b" c'].requests == 10
    assert found['a "b" c'].errors == 4


def test_rates_are_of_the_time_between_two_looks() -> None:
    """Half a minute, thirty requests, three of them refused."""
    watched = Watched()
    watched.look(metrics(100), at=AT)
    assert watched.traffic('a "b" c').latest is None
    watched.look(metrics(130, errors=3, fast=115), at=AT + timedelta(seconds=30))
    found = watched.traffic('a "b" c')
    assert found.latest is not None
    assert found.latest.requests_per_s == pytest.approx(1.0)
    assert found.latest.errors_per_s == pytest.approx(0.1)
    assert found.latest.p50_s == pytest.approx(0.01)
    assert len(found.points) == 1
    assert watched.latest("nobody").requests == 0
    assert [figure.name for figure in charts.figures(found)] == ["traffic", "latency", "errors"]


def test_a_server_that_counts_from_zero_again_counts_on() -> None:
    """A worker that was started again lost its counters; no rate is negative."""
    watched = Watched()
    watched.look(metrics(1000), at=AT)
    watched.look(metrics(10), at=AT + timedelta(seconds=10))
    assert [point.requests_per_s for point in watched.traffic('a "b" c').points] == [1.0]


def test_old_looks_are_forgotten() -> None:
    """What is kept has an end."""
    watched = Watched(kept=3)
    for second in range(10):
        watched.look(metrics(second), at=AT + timedelta(seconds=second))
    assert len(watched.traffic('a "b" c').points) == 2


@pytest.mark.parametrize(
    ("within", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({0.1: 0.0, float("inf"): 0.0}, 0.5, None),
        ({0.1: 10.0, float("inf"): 10.0}, 0.5, 0.05),
        ({0.1: 5.0, 0.3: 10.0, float("inf"): 10.0}, 0.75, 0.2),
        ({0.1: 5.0, float("inf"): 10.0}, 0.99, 0.1),
    ],
)
def test_quantiles(within: dict[float, float], share: float, seconds: float | None) -> None:
    """Between two bounds in proportion; beyond the last finite one, that bound."""
    found = quantile(within, share)
    assert found == (None if seconds is None else pytest.approx(seconds))
