"""Azure Functions, by the second of its programming models: a function app in Python."""

from __future__ import annotations

import json

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.records.package import Target

_HOST = {
    "version": "2.0",
    "extensionBundle": {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    },
    "extensions": {"http": {"routePrefix": "api"}},
}


def render(contents: Contents) -> Rendered:
    """Return the function app, and what calls it to prove it."""
    name = serving.name(contents)
    app = f'''"""Azure calls `predict`. The model is loaded once, when the worker starts."""

import azure.functions as func

from {contents.module} import respond

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="predict", methods=["GET", "POST"])
def predict(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a request."""
    answer = respond(req.method, req.url, body=req.get_body())
    headers = dict(answer.headers)
    kind = headers.pop("content-type")
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=headers, mimetype=kind
    )
'''
    call = '''"""Call the function app for each line, as its worker does."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import azure.functions as func
import function_app

(function,) = function_app.app.get_functions()
predict = function.get_user_function()
for line in sys.stdin:
    body = json.loads(line).encode()
    request = func.HttpRequest(
        method="POST",
        url="https://example.invalid/api/predict",
        headers={"content-type": "application/json"},
        body=body,
    )
    answer = predict(request)
    print(json.dumps([answer.status_code, answer.get_body().decode()]), flush=True)
'''
    deploy = f"""```sh
func start                                   # here
func azure functionapp publish {name}        # there
```

or `az functionapp deployment source config-zip --name {name} --src` with the zip file beside this
folder, where builds are on.
Callers need the function's key (`AuthLevel.FUNCTION`), in `x-functions-key` or `?code=`; it is
asked at `/api/predict`.
"""
    return Rendered(
        files={
            "function_app.py": app.encode(),
            "host.json": json.dumps(_HOST, indent=2).encode() + b"\n",
            ".funcignore": text("examples/", "proof/", "verify.py", ".venv", "local.settings.json"),
            "proof/call.py": call.encode(),
        },
        start={"kind": "call", "command": ["{python}", "proof/call.py"]},
        deploy=deploy,
        ran="function_app.py, whose function was called with requests of azure-functions",
        not_run="the Functions host, which is no Python package",
    )


PLATFORM = Platform(target=Target.AZURE_FUNCTIONS, needs=("azure-functions",), render=render)
