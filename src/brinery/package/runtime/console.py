"""The console command of a packaged model: JSON on standard input, answers on standard output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from brinery.package.runtime.service import Service


def run(service: Service, arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 2 where the rows are refused."""
    facts = service.facts
    asked = argparse.ArgumentParser(
        prog=f"{facts.model}-model",
        description=f"Predict with {facts.reference}: a row as a JSON object, or a list of them.",
    )
    asked.add_argument("file", nargs="?", type=Path, help="of JSON; standard input without")
    asked.add_argument("--version", action="version", version=facts.reference)
    asked.add_argument("--openapi", action="store_true", help="print what it takes and answers")
    asked.add_argument(
        "--lines", action="store_true", help="answer every line: a JSON string that holds a body"
    )
    said = asked.parse_args(arguments)
    if said.openapi:
        print(service.respond("GET", "/openapi.json").body.decode())
        return 0
    if said.lines:
        for line in sys.stdin:
            answer = service.respond("POST", "/", body=json.loads(line).encode())
            print(json.dumps([answer.status, answer.body.decode()]), flush=True)
        return 0
    try:
        body = said.file.read_bytes() if said.file else sys.stdin.buffer.read()
    except OSError as error:
        print(f"error: {said.file} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    answer = service.respond("POST", "/", body=body)
    document = json.loads(answer.body)
    if answer.status != 200:  # noqa: PLR2004 - of HTTP
        print(f"error: {document['detail']}", file=sys.stderr)
        return 2
    print(json.dumps(document))
    return 0
