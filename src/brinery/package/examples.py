"""How a package is called: from a shell, from JavaScript and from Python, each a whole program."""

from __future__ import annotations

import json

from brinery.package import openapi
from brinery.package.runtime.facts import Facts

_URL = "http://127.0.0.1:8080/"


def render(facts: Facts) -> dict[str, bytes]:
    """Return the programs, by path."""
    row = json.dumps(openapi.example(facts), indent=2, ensure_ascii=False)
    quoted = row.replace("'", "'\\''")
    shell = f"""#!/bin/sh
# Ask {facts.reference} about one row. URL is where it is deployed; TOKEN, where it asks for one.
curl --fail-with-body --silent --show-error "${{URL:-{_URL}}}" \\
  ${{TOKEN:+--header "Authorization: Bearer $TOKEN"}} \\
  --header 'Content-Type: application/json' \\
  --data '{quoted}'
"""
    script = f"""// Ask {facts.reference} about one row: node predict.mjs URL [TOKEN]
const [url = "{_URL}", token] = process.argv.slice(2);
const row = {row};

const answer = await fetch(url, {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",
    ...(token ? {{ Authorization: `Bearer ${{token}}` }} : {{}}),
  }},
  body: JSON.stringify(row),
}});
const document = await answer.json();
if (!answer.ok) throw new Error(document.detail);
console.log(JSON.stringify(document));
"""
    program = f'''"""Ask {facts.reference} about one row: python predict.py URL [TOKEN]."""

import json
import sys
import urllib.error
import urllib.request

URL, TOKEN = [*sys.argv[1:], *("{_URL}", "")[len(sys.argv) - 1 :]][:2]
ROW = json.loads({row!r})

headers = {{"Content-Type": "application/json"}}
if TOKEN:
    headers["Authorization"] = f"Bearer {{TOKEN}}"
request = urllib.request.Request(URL, data=json.dumps(ROW).encode(), headers=headers)
try:
    with urllib.request.urlopen(request) as answer:
        print(json.dumps(json.load(answer)))
except urllib.error.HTTPError as error:
    sys.exit(json.load(error)["detail"])
'''
    return {
        "examples/predict.sh": shell.encode(),
        "examples/predict.mjs": script.encode(),
        "examples/predict.py": program.encode(),
    }
