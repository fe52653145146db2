"""AWS Lambda: a handler for API Gateway (both payloads), load balancers and function URLs.

The function and what it needs are two zip files, the second a layer; or both are one image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from brinery.errors import InvalidPackage
from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.package.writer import archive
from brinery.records.package import Target

MOST_ZIPPED = 50_000_000
MOST_UNZIPPED = 262_144_000
MEMORY_MB = 512

_MB = 1_000_000
_LISTED = 4
_FUNCTION, _LAYER = "function.zip", "layer.zip"


def render(contents: Contents) -> Rendered:
    """Return the two zip files, and what calls the handler to prove it.

    Raises:
        InvalidPackage: they are larger than Lambda takes.
    """
    name, runtime = serving.name(contents), f"python{contents.python}"
    own = {f"{contents.module}/{path}": data for path, data in contents.code.items()}
    function = archive({**own, "handler.py": _handler(contents)})
    layered = {f"python/{path}": data for path, data in contents.layer.items()}
    layer = archive(layered)
    check_size(layered, own, zipped={_FUNCTION: len(function), _LAYER: len(layer)})
    deploy = f"""```sh
aws lambda publish-layer-version --layer-name {name} --zip-file fileb://{_LAYER} \\
  --compatible-runtimes {runtime} --compatible-architectures x86_64
aws lambda create-function --function-name {name} --runtime {runtime} --handler handler.handler \\
  --zip-file fileb://{_FUNCTION} --layers $LAYER --role $ROLE --memory-size {MEMORY_MB} --timeout 30
```

{_KEYS}"""
    return Rendered(
        files={_FUNCTION: function, _LAYER: layer, "proof/call.py": _caller().encode()},
        start={
            "kind": "call",
            "command": ["{python}", "proof/call.py"],
            "env": {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB)},
            "leaves_nothing": True,
        },
        deploy=deploy,
        ran=f"the handler of {_FUNCTION}, called with events of API Gateway (1.0 and 2.0), a load "
        f"balancer and a function URL, within {MEMORY_MB} MB and with nothing in /tmp",
        not_run="Lambda itself",
        code=False,
    )


def render_image(contents: Contents) -> Rendered:
    """Return the files of Lambda's image, and what calls the handler to prove it."""
    name, image, module = serving.name(contents), serving.image_name(contents), contents.module
    docker = text(
        f"FROM public.ecr.aws/lambda/python:{contents.python}",
        "COPY requirements.txt .",
        "RUN pip install --no-cache-dir --no-deps --only-binary :all: -r requirements.txt",
        f"COPY {module}/ ${{LAMBDA_TASK_ROOT}}/{module}/",
        "COPY handler.py ${LAMBDA_TASK_ROOT}/",
        'CMD ["handler.handler"]',
    )
    deploy = f"""```sh
docker build --platform linux/amd64 --provenance=false --tag $REGISTRY/{image} .
docker push $REGISTRY/{image}
aws lambda create-function --function-name {name} --package-type Image \\
  --code ImageUri=$REGISTRY/{image} --role $ROLE --memory-size {MEMORY_MB} --timeout 30
```

{_KEYS}"""
    kept = text("*", "!requirements.txt", "!handler.py", f"!{module}", "**/__pycache__")
    return Rendered(
        files={
            "Dockerfile": docker,
            ".dockerignore": kept,
            "handler.py": _handler(contents),
            "proof/call.py": _caller().encode(),
        },
        start={
            "kind": "call",
            "command": ["{python}", "proof/call.py"],
            "env": {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB)},
            "leaves_nothing": True,
        },
        deploy=deploy,
        ran="the handler, called with events of API Gateway (1.0 and 2.0), a load balancer and a "
        f"function URL, within {MEMORY_MB} MB and with nothing in /tmp",
        not_run="the build of the image, and Lambda itself",
    )


def check_size(
    layer: Mapping[str, bytes], own: Mapping[str, bytes], *, zipped: Mapping[str, int]
) -> None:
    """Check that a function and its layer are no larger than Lambda takes.

    Args:
        layer: path to bytes of what is needed.
        own: path to bytes of the function.
        zipped: bytes of each zip file.

    Raises:
        InvalidPackage: they are; the message says what takes the space.
    """
    unzipped = sum(map(len, layer.values())) + sum(map(len, own.values()))
    over = [
        f"{path} is {size / _MB:.1f} MB, and Lambda takes {MOST_ZIPPED / _MB:g} MB"
        for path, size in zipped.items()
        if size > MOST_ZIPPED
    ]
    if unzipped > MOST_UNZIPPED:
        over.append(f"unzipped it is {unzipped / _MB:.1f} MB, and Lambda takes 262 MB (250 MiB)")
    if over:
        sizes: Counter[str] = Counter()
        for path, data in {**layer, **own}.items():
            sizes[path.removeprefix("python/").partition("/")[0]] += len(data)
        told = ", ".join(f"{top} {size / _MB:.1f} MB" for top, size in sizes.most_common(_LISTED))
        raise InvalidPackage(
            f"{'; '.join(over)}: {told}", hint="--to lambda-container takes up to 10 GB"
        )


_KEYS = """Callers are kept out by IAM: give a function URL `--auth-type AWS_IAM`, or an API Gateway
an authorizer.
"""


def _handler(contents: Contents) -> bytes:
    return f'''"""Lambda calls `handler`. The model is loaded once, at the cold start."""

import base64

from {contents.module} import respond


def handler(event, context):
    """Answer an event of API Gateway (1.0, 2.0), of a load balancer, or of a function URL."""
    asked = event.get("requestContext", {{}})
    http = asked.get("http", {{}})
    method = event.get("httpMethod") or http.get("method") or "POST"
    path = event.get("path") or event.get("rawPath") or "/"
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    answer = respond(method, path, body=data)
    told = {{
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body.decode(),
        "isBase64Encoded": False,
    }}
    if "elb" in asked:
        told["statusDescription"] = str(answer.status)
    return told
'''.encode()


def _caller() -> str:
    return '''"""Call the handler for each line, with events as AWS sends them."""

import base64
import itertools
import json
import os
import resource
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent.parent


def gateway_1(body):
    return {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {"content-type": "application/json"},
        "queryStringParameters": None,
        "requestContext": {"httpMethod": "POST", "path": "/prod/predict", "stage": "prod"},
        "body": body,
        "isBase64Encoded": False,
    }


def gateway_2(body):
    return {
        "version": "2.0",
        "routeKey": "POST /predict",
        "rawPath": "/predict",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/predict"}, "stage": "$default"},
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
    }


def balancer(body):
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:::targetgroup"}},
        "httpMethod": "POST",
        "path": "/predict",
        "queryStringParameters": {},
        "headers": {"content-type": "application/json"},
        "body": body,
        "isBase64Encoded": False,
    }


def function_url(body):
    return {**gateway_2(body), "routeKey": "$default", "body": body, "isBase64Encoded": False}


# Of what a process takes of its own, as Lambda would end it for more.
megabytes = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if (FOLDER / "function.zip").is_file():
    # As Lambda does: the function and its layer, and of the environment nothing.
    place = FOLDER / "unpacked"
    for name in ("function.zip", "layer.zip"):
        with zipfile.ZipFile(FOLDER / name) as packed:
            packed.extractall(place)
    standard = [path for path in sys.path if "site-packages" not in path and path != str(FOLDER)]
    sys.path[:] = [str(place), str(place / "python"), *standard]
else:
    sys.path.insert(0, str(FOLDER))

import handler

for line, event in zip(sys.stdin, itertools.cycle([gateway_1, gateway_2, balancer, function_url])):
    answer = handler.handler(event(json.loads(line)), None)
    assert not answer["isBase64Encoded"] and json.dumps(answer)
    print(json.dumps([answer["statusCode"], answer["body"]]), flush=True)
'''


PLATFORM = Platform(target=Target.LAMBDA, needs=(), render=render, layered=True)
IMAGE = Platform(target=Target.LAMBDA_CONTAINER, needs=("awslambdaric",), render=render_image)
