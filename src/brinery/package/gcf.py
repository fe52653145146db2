"""Google Cloud Functions, and whatever else the Functions Framework runs on."""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the function's files."""
    module = contents.module
    runtime = f"python{contents.python.replace('.', '')}"
    main = f'''"""Google calls `predict`. The model is loaded once, at the cold start."""

from {module} import respond


def predict(request):
    """Answer a request: a Flask one, of the Functions Framework."""
    answer = respond(request.method, request.path, body=request.get_data())
    return answer.body, answer.status, answer.headers
'''
    ignored = (".gcloudignore", ".git", "__pycache__/", "examples/", "proof/", "verify.py")
    name = serving.name(contents)
    deploy = f"""Run it here, as Google does:

```sh
pip install -r requirements.txt
functions-framework --target predict
```

Deploy it:

```sh
gcloud functions deploy {name} --gen2 --runtime {runtime} --entry-point predict --trigger-http \\
  --no-allow-unauthenticated --source .
```

Callers without an identity are refused by Google with `--no-allow-unauthenticated`; a caller then
needs the role *Cloud Run Invoker*, and sends
`Authorization: Bearer $(gcloud auth print-identity-token)`.
The zip file beside this folder is what the console's upload takes; its entry point is `predict`.
"""
    return Rendered(
        files={"main.py": main.encode(), ".gcloudignore": text(*ignored)},
        start={
            "kind": "http",
            "path": "/",
            "command": [
                *("{bin}/functions-framework", "--target", "predict"),
                *("--host", "127.0.0.1", "--port", "{port}"),
            ],
        },
        deploy=deploy,
        ran="functions-framework --target predict, asked over HTTP",
        not_run="Google's build of the function",
    )


PLATFORM = Platform(target=Target.GCF, needs=("functions-framework",), render=render)
