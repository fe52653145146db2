"""What a compatibility step says: one line, once, and a tag of the runs that it touches."""

from __future__ import annotations

import sys

# Step to what was said of it.
_SAID: dict[str, list[str]] = {}
# Steps with what was said, for the gateway to be told once it is asked something.
_WAITING: list[tuple[str, str]] = []


def tell(step: str, message: str, *, known: bool = False, later: bool = False) -> None:
    """Say what a step does, once in a process.

    Args:
        step: its name; empty for what is no step.
        message: one line.
        known: whether the gateway knows, because it said so.
        later: whether it need not be told before it is asked something; it is not started for it.
    """
    said = _SAID.setdefault(step, [])
    if message in said:
        return
    said.append(message)
    print(f"brinery: {step + ': ' if step else ''}{message}", file=sys.stderr, flush=True)
    if not step:
        return
    if later:
        _WAITING.append((step, message))
    elif not known:
        _pass_on(step, message)
    tracking = sys.modules.get("brinery_shims.tracking")
    if tracking is not None:
        tracking.refresh()
        tracking.tag_active_run()


def tags() -> dict[str, str]:
    """Return the tags of a run: `brinery.compat.STEP` to what was said of it."""
    return {f"brinery.compat.{step}": "; ".join(said) for step, said in _SAID.items() if step}


def waiting() -> list[tuple[str, str]]:
    """Return what the gateway is still to be told, which it is now."""
    found, _WAITING[:] = list(_WAITING), []
    return found


def _pass_on(step: str, message: str) -> None:
    """Have the run of the job tagged, too."""
    from brinery_shims.errors import NoGateway
    from brinery_shims.gateway import call

    try:
        call("notes.told", step=step, message=message)
    except NoGateway as error:
        print(f"brinery: {error}", file=sys.stderr, flush=True)
