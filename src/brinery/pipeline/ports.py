"""What an input of a component takes: whether a value fits, and the text of a default."""

from __future__ import annotations

from typing import Final

from brinery.specs.components import ComponentPart, InputPort
from brinery.specs.job_parts import Scalar
from brinery.specs.job_source import Source
from brinery.specs.names import nearest

_TRUTHS: Final = ("true", "false")
# Of names: they are those of folders, and a file system has at most 255 bytes for one.
LONGEST: Final = 200


def default_text(port: InputPort) -> str | None:
    """Return the text that a default is told as, which its type decides; None without one."""
    given = port.default
    if given is None or port.data:
        return None
    try:
        match port.type:
            case "number":
                return str(float(given))
            case "integer":
                return str(int(float(given)))
            case "boolean" if isinstance(given, str) and given.lower() in _TRUTHS:
                return given.capitalize()
    except (ValueError, OverflowError):
        pass
    return str(given)


def misfit(port: InputPort, text: str) -> str:
    """Return why a text does not fit a parameter; empty where it does."""
    match port.type:
        case "integer":
            if not _whole(text):
                return f"{text!r} is no integer"
        case "number":
            if _number(text) is None:
                return f"{text!r} is no number"
        case "boolean":
            if text.lower() not in _TRUTHS:
                return f"{text!r} is neither true nor false"
    if port.enum and text not in port.enum:
        near = nearest(text, port.enum)
        said = f" (did you mean {near}?)" if near else ""
        return f"{text!r} is none of {', '.join(port.enum)}{said}"
    if port.type in ("integer", "number"):
        return _outside(port, float(text))
    return ""


def _outside(port: InputPort, value: float) -> str:
    least, most = _number(port.min), _number(port.max)
    if least is not None and value < least:
        return f"{value:g} is less than {least:g}, the least it may be"
    if most is not None and value > most:
        return f"{value:g} is more than {most:g}, the most it may be"
    return ""


def _number(given: Scalar | None) -> float | None:
    try:
        return None if given is None else float(given)
    except ValueError:
        return None


def _whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        value = _number(text)
        return value is not None and value.is_integer()
    return True


def check(component: ComponentPart, source: Source) -> None:
    """Tell the faults of a component's ports: defaults that do not fit, bounds the wrong way."""
    _check_names(component, source)
    for name, port in (component.inputs or {}).items():
        if not isinstance(port, InputPort):
            continue
        place = ("inputs", name)
        if port.data:
            if port.default is not None:
                source.fault((*place, "default"), f"a {port.type} has no default")
            continue
        for key in ("min", "max"):
            if getattr(port, key) is not None and _number(getattr(port, key)) is None:
                source.fault((*place, key), f"is no number: {getattr(port, key)!r}")
        least, most = _number(port.min), _number(port.max)
        if least is not None and most is not None and least > most:
            source.fault((*place, "min"), f"{least:g} is more than max, {most:g}")
            continue
        if port.path is not None:
            source.fault((*place, "path"), "a component's input has no path")
        text = default_text(port)
        why = misfit(port, text) if text is not None else ""
        if why:
            source.fault((*place, "default"), why)


def _check_names(component: ComponentPart, source: Source) -> None:
    for group, ports in (("inputs", component.inputs), ("outputs", component.outputs)):
        for name in ports or {}:
            if "/" in name or name in ("", ".", "..") or len(name) > LONGEST:
                said = f"a name has no slash, and at most {LONGEST} characters"
                source.fault((group, name), said)
