"""What paths are called where they are counted: by their template, for names have no end."""

from __future__ import annotations

_FIXED = frozenset(
    {"/", "/health", "/ping", "/ready", "/metrics", "/v1/models", "/openapi.json", "/docs"}
)
# What MLflow's own page, and all that it asks, lies under.
MLFLOW = "/mlflow"

# The first parts of the paths of pages, which the companion of `brinery up` answers.
_PAGES = frozenset(
    {
        "",
        "assets",
        "audit",
        "compare",
        "datasets",
        "endpoints",
        "experiments",
        "flow",
        "folders",
        "gates",
        "import",
        "jobs",
        "live",
        "login",
        "loops",
        "models",
        "runs",
        "settings",
    }
)
_ASSETS = "/docs/assets/"
_API = "/api/v1/"
_OTHER = "other"
# What follows these parts of a path is the name of something.
_NAMED = {
    "models": "{name}",
    "versions": "{version}",
    "aliases": "{alias}",
    "invocations": "{name}",
}


def is_page(path: str) -> bool:
    """Return whether a path is that of a page, or of what pages load."""
    return path[1:].partition("/")[0] in _PAGES


def scored(path: str) -> str:
    """Return the template of a path that a model answers under."""
    parts: list[str] = []
    before = ""
    for part in path.split("/"):
        parts.append(_NAMED.get(before, part))
        before = part if parts[-1] == part else ""  # a name is no word, whatever it is
    return "/".join(parts)


def other(path: str) -> str:
    """Return the template of any other path: one of few."""
    if path in _FIXED:
        return path
    if path.startswith(_API):
        return f"{_API}{{path}}"
    if path.startswith(_ASSETS):
        return f"{_ASSETS}{{path}}"
    if is_page(path):
        return f"/{path[1:].partition('/')[0]}/{{page}}"
    name = path.removeprefix("/v1/models/")
    return "/v1/models/{name}" if name != path and name and "/" not in name else _OTHER
