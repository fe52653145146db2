"""The server in a container, and the names that platforms take: what several targets share."""

from __future__ import annotations

import re
from typing import Any

from brinery.package.contents import Contents, text

NEEDS = ("waitress",)
PORT = 8080

_USER = 10001
_LABEL_LENGTH = 52


def name(contents: Contents) -> str:
    """Return what a platform calls the model: a DNS label, such as `bank-model`."""
    plain = re.sub(r"[^a-z0-9]+", "-", contents.facts.model.lower()).strip("-")
    plain = f"m-{plain}" if not plain[:1].isalpha() else plain
    return f"{plain[:_LABEL_LENGTH].strip('-')}-model"


def start(contents: Contents, *, path: str) -> dict[str, Any]:
    """Return how the container's own server is started to be proven.

    Args:
        contents: of the package.
        path: that is asked.
    """
    listen = "--listen=127.0.0.1:{port}"
    command = ["{bin}/waitress-serve", listen, f"{contents.module}.app:app"]
    return {"kind": "http", "path": path, "command": command}


def image(contents: Contents, *, serve: bool = False) -> dict[str, bytes]:
    """Return the files that an image is built of.

    Args:
        contents: of the package.
        serve: whether it is run with the argument `serve`, as SageMaker does.
    """
    module = contents.module
    waitress = f"waitress-serve --listen=*:{PORT} {module}.app:app"
    command = (
        'CMD ["serve"]'
        if serve
        else f'CMD ["waitress-serve", "--listen=*:{PORT}", "{module}.app:app"]'
    )
    probe = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/ping', timeout=2)"
    script = f"printf '#!/bin/sh\\nexec {waitress}\\n' > /usr/local/bin/serve"
    lines = [
        f"FROM python:{contents.python}-slim",
        "ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1",
        "WORKDIR /app",
        "COPY requirements.txt .",
        "RUN pip install --no-cache-dir --no-deps --only-binary :all: -r requirements.txt",
        *([f"RUN {script} && chmod 755 /usr/local/bin/serve"] if serve else []),
        f"COPY {module}/ {module}/",
        f"USER {_USER}:{_USER}",
        f"EXPOSE {PORT}",
        f'HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "{probe}"]',
        command,
    ]
    kept = ("*", "!requirements.txt", f"!{module}", "**/__pycache__")
    return {"Dockerfile": text(*lines), ".dockerignore": text(*kept)}


def image_name(contents: Contents) -> str:
    """Return what the image is called, such as `bank-model:1`."""
    return f"{name(contents)}:{contents.facts.version}"
