"""Azure Functions, by the second of its programming models: a function app in Python.

From Python 3.13 on its worker is a package of its own, and runs the app for its proof; before that
it comes with Azure's images alone, and the function is called as it would call it.
"""

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
    deploy = f"""```sh
func start                                   # here
func azure functionapp publish {name}        # there
```

or `az functionapp deployment source config-zip --name {name} --src` with the zip file beside this
folder, where builds are on.
Callers need the function's key (`AuthLevel.FUNCTION`), in `x-functions-key` or `?code=`; it is
asked at `/api/predict`.
"""
    caller, ran = (_WORKER, _RAN_BY_WORKER) if contents.tools else (_CALL, _RAN)
    return Rendered(
        files={
            "function_app.py": app.encode(),
            "host.json": json.dumps(_HOST, indent=2).encode() + b"\n",
            ".funcignore": text("examples/", "proof/", "verify.py", ".venv", "local.settings.json"),
            "proof/call.py": caller.encode(),
        },
        start={"kind": "call", "command": ["{python}", "proof/call.py"]},
        deploy=deploy,
        ran=ran,
        not_run="the Functions host, which is no Python package",
    )


_RAN = "function_app.py, whose function was called with requests of azure-functions"
_RAN_BY_WORKER = "function_app.py in the worker of Azure Functions, asked by messages of its host"

_CALL = '''"""Call the function app for each line, as its worker does."""

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

_WORKER = '''"""Call the function app for each line, through the worker of Azure Functions.

The worker indexes the app, turns the host's messages into requests, and answers into messages. Its
host, which is no Python package, sends those over gRPC; here they are records of the same fields.
"""

import asyncio
import json
import sys
from pathlib import Path

import azure_functions_runtime as worker

APP = Path(__file__).resolve().parent.parent


class Message:
    """A message of the host's protocol: what is asked of it and was not set is none."""

    Failure, Success = 0, 1  # of a StatusResult
    out, inout = 1, 2  # directions of a BindingInfo
    undefined = 0  # its data type

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __getattr__(self, name):
        if not name.islower() or name.startswith("__"):
            raise AttributeError(name)
        return None

    def WhichOneof(self, group):
        return next(iter(self.__dict__), None) if group == "data" else "data"


class Protocol:
    """Every kind of message."""

    def __getattr__(self, kind):
        return Message


def sent(**request):
    given = {"protos": Protocol(), "host": "127.0.0.1"}
    return Message(request=Message(**request), properties=given)


def succeeded(answer):
    if answer.result.status != Message.Success:
        sys.exit(answer.result.exception.message)
    return answer


async def main():
    init = Message(capabilities={}, function_app_directory=str(APP))
    succeeded(await worker.worker_init_request(sent(worker_init_request=init)))
    listed = succeeded(await worker.functions_metadata_request(sent()))
    (function,) = listed.function_metadata_results
    ((name, _),) = ((n, b) for n, b in function.bindings.items() if b.type == "httpTrigger")
    load = Message(function_id=function.function_id)
    succeeded(await worker.function_load_request(sent(function_load_request=load)))
    worker.start_threadpool_executor()
    for number, line in enumerate(sys.stdin):
        http = Message(
            method="POST",
            url="https://example.invalid/api/predict",
            headers={"content-type": "application/json"},
            body=Message(bytes=json.loads(line).encode()),
            params={},
            query={},
        )
        call = Message(
            invocation_id=str(number),
            function_id=function.function_id,
            input_data=[Message(name=name, data=Message(http=http))],
            trigger_metadata={},
            trace_context=Message(),
            retry_context=Message(),
        )
        answer = succeeded(await worker.invocation_request(sent(invocation_request=call)))
        told = answer.return_value.http
        print(json.dumps([int(told.status_code), told.body.bytes.decode()]), flush=True)
    worker.stop_threadpool_executor()


sys.path.insert(0, str(APP))
asyncio.run(main())
'''

PLATFORM = Platform(
    target=Target.AZURE_FUNCTIONS,
    needs=("azure-functions",),
    render=render,
    tools=("azure-functions-runtime",),
    tools_python="3.13",
)
