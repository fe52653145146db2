"""Azure Machine Learning: a managed online deployment, whose script has `init` and `run`."""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.records.package import Target

_SERVER = "azureml_inference_server_http.server.entry:app"
_SCHEMA = "https://azuremlschemas.azureedge.net/latest"


def render(contents: Contents) -> Rendered:
    """Return the script, and what declares the endpoint, the deployment and the environment."""
    name, number = serving.name(contents), contents.facts.version
    score = f'''"""Azure calls `init` once, at the start, and `run` for each request."""

from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

respond = None


def init():
    """Load the model."""
    global respond
    from {contents.module} import respond as answer

    respond = answer


@rawhttp
def run(request):
    """Answer a request."""
    answer = respond(request.method, request.path, body=request.get_data())
    return AMLResponse(answer.body, answer.status, answer.headers)
'''
    endpoint = text(
        f"$schema: {_SCHEMA}/managedOnlineEndpoint.schema.json",
        f"name: {name}",
        "auth_mode: key",
    )
    deployment = text(
        f"$schema: {_SCHEMA}/managedOnlineDeployment.schema.json",
        f"name: v{number}",
        f"endpoint_name: {name}",
        "code_configuration:",
        "  code: .",
        "  scoring_script: score.py",
        "environment:",
        "  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
        "  conda_file: conda.yml",
        "instance_type: Standard_DS2_v2",
        "instance_count: 1",
    )
    conda = text(
        f"name: {name}",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python={contents.python}",
        "  - pip",
        "  - pip:",
        *(f"      - {pin}" for pin in contents.pins),
    )
    deploy = """```sh
az ml online-endpoint create --file endpoint.yml
az ml online-deployment create --file deployment.yml --all-traffic
```

Callers need the endpoint's key (`auth_mode: key`), or a token with `auth_mode: aad_token`; it is
asked at `/score`.
"""
    command = ["{bin}/gunicorn", "--bind", "127.0.0.1:{port}", _SERVER]
    return Rendered(
        files={
            "score.py": score.encode(),
            "endpoint.yml": endpoint,
            "deployment.yml": deployment,
            "conda.yml": conda,
            ".amlignore": text("examples/", "proof/", "verify.py"),
        },
        start={
            "kind": "http",
            "path": "/score",
            "command": command,
            "env": {"AZUREML_ENTRY_SCRIPT": "score.py", "AML_APP_ROOT": "."},
        },
        deploy=deploy,
        ran="azureml-inference-server-http with score.py, asked at /score",
        not_run="the build of Azure's image, and its endpoint",
    )


PLATFORM = Platform(target=Target.AZUREML, needs=("azureml-inference-server-http",), render=render)
