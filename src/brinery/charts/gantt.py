"""When each step of a job ran, as bars beside each other: an SVG styled by classes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from brinery.charts.graph import short, text_of
from brinery.charts.job import look_of_step
from brinery.charts.words import counted, duration
from brinery.records.job import JobRun, StepRun

_NAMES: Final = 220.0
_BARS: Final = 760.0
_TOLD: Final = 130.0
_ROW: Final = 26.0
_TOP: Final = 30.0
_THIN: Final = 3.0
_TICKS: Final = 6
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400)


def gantt_svg(job: JobRun, *, now: datetime | None = None) -> str:
    """Return when the steps of a job ran, those that ran first on top; those reused are left out.

    Args:
        job: that is shown.
        now: the clock, at which bars of what runs end.
    """
    now = now or datetime.now(UTC)
    ran = [run for run in job.steps if run.started is not None and not run.reused]
    ran.sort(key=lambda run: run.started or now)
    begin = min((run.started for run in ran if run.started), default=job.created)
    end = max((run.ended or now for run in ran), default=begin)
    whole_s = max((end - begin).total_seconds(), 0.001)
    high = _TOP + _ROW * max(len(ran), 1) + 6
    title = f"When the steps ran: {counted(len(ran), 'step')} in {duration(whole_s)}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph gantt" role="img" '
        f'aria-label="{text_of(title)}" '
        f'viewBox="0 0 {_NAMES + _BARS + _TOLD:.0f} {high:.0f}" '
        f'width="{_NAMES + _BARS + _TOLD:.0f}" height="{high:.0f}">'
    )
    lines = [opening, f"<title>{text_of(title)}</title>", *_ticks(whole_s, high)]
    for row, run in enumerate(ran):
        lines.append(_bar(run, begin, whole_s=whole_s, top=_TOP + row * _ROW, now=now))
    if not ran:
        lines.append(f'<text class="told" x="8" y="{_TOP + 16:.0f}">no step has run</text>')
    return "\n".join([*lines, "</svg>\n"])


def _bar(run: StepRun, begin: datetime, *, whole_s: float, top: float, now: datetime) -> str:
    started = run.started or now
    took_s = ((run.ended or now) - started).total_seconds()
    left = _NAMES + _BARS * (started - begin).total_seconds() / whole_s
    width = max(_THIN, _BARS * took_s / whole_s)
    look = look_of_step(run)
    said = f"{run.name}: {look.told}, {started.astimezone(UTC):%H:%M:%S} UTC, {duration(took_s)}"
    told = duration(took_s) if run.status.over else look.told
    return (
        f'<g class="node {look.state}"><title>{text_of(said)}</title>'
        f'<text class="sign" x="4" y="{top + 16:.1f}">{look.sign}</text>'
        f'<text class="name" x="22" y="{top + 16:.1f}">{text_of(short(run.name))}</text>'
        f'<rect x="{left:.1f}" y="{top + 4:.1f}" width="{width:.1f}" height="16" rx="3" />'
        f'<text class="told" x="{left + width + 6:.1f}" y="{top + 16:.1f}">'
        f"{text_of(told)}</text></g>"
    )


def _ticks(whole_s: float, high: float) -> list[str]:
    step = next((one for one in _STEPS_S if whole_s / one <= _TICKS), _STEPS_S[-1])
    if whole_s < 1:
        return []
    found = []
    for number in range(int(whole_s // step) + 1):
        left = _NAMES + _BARS * number * step / whole_s
        found += [
            f'<path class="grid" d="M{left:.1f} {_TOP - 6:.0f}V{high - 4:.0f}" />',
            f'<text class="told" x="{left:.1f}" y="14">{duration(number * step)}</text>',
        ]
    return found
