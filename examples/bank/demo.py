"""The demo: from `model.pkl` to an answer over HTTP, by the commands a user would type.

`--once` ends after the answer; without it the model is served until Ctrl-C.
"""

import json
import pickle
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BRINERY = Path(sys.executable).parent / "brinery"
START_WAIT_S = 120


def main() -> None:
    """Run the four stages, each with its command."""
    model, test = HERE / "model.pkl", HERE / "test.csv"
    stage(1, "a model and held-out data, made by examples/bank/train.py")
    if model.exists() and test.exists():
        print("model.pkl and test.csv are there")
    else:
        command(sys.executable, str(HERE / "train.py"))
    stage(2, "import it: scan, evaluate, compare the stored copy with the file, register")
    names = [str(path.relative_to(ROOT)) for path in (model, test)]
    brinery("import", names[0], "--name", "bank", "--data", names[1], "--target", "y")
    stage(3, "make version 1 the champion")
    brinery("promote", "bank@1")
    stage(4, "serve it and ask it for one prediction over HTTP")
    serve_and_ask(model, test)


def serve_and_ask(model: Path, test: Path) -> None:
    """Start the server, show its answer beside the pickle's own, and wait for Ctrl-C."""
    port = free_port()
    arguments = ["serve", "bank", "--port", str(port)]
    print("$", "brinery", *arguments, flush=True)
    server = subprocess.Popen([str(BRINERY), "--workspace", str(ROOT), *arguments])
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, server)
        first = pd.read_csv(test, sep=";").drop(columns="y").iloc[0]
        row = {str(name): value for name, value in first.to_dict().items()}
        served = ask(f"{url}/v1/models/bank/predict", {"rows": [row]})["predictions"][0]
        own = own_answer(model, row)
        print(f"\nserved over HTTP   {json.dumps(served)}")
        print(f"the pickle itself  {json.dumps(own)}")
        if served != own:
            sys.exit("error: the answers differ")
        print(f"the same. Interactive docs: {url}/docs", flush=True)
        if "--once" not in sys.argv:
            print("Ctrl-C ends it.", flush=True)
            server.wait()
    except KeyboardInterrupt:
        print()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def own_answer(model: Path, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the pickle answers, loaded as its author would."""
    with model.open("rb") as file:
        fitted = pickle.load(file)
    frame = pd.DataFrame([row])
    probabilities = fitted.predict_proba(frame)[0].tolist()
    return {
        "label": fitted.predict(frame)[0],
        "probabilities": dict(zip(fitted.classes_.tolist(), probabilities, strict=True)),
    }


def stage(number: int, title: str) -> None:
    """Print the line that begins a stage."""
    print(f"\n[{number}/4] {title}", flush=True)


def brinery(*arguments: str) -> None:
    """Show a command and run it on this repository's workspace."""
    print("$", "brinery", *arguments, flush=True)
    command(str(BRINERY), "--workspace", str(ROOT), *arguments)


def command(*arguments: str) -> None:
    """Run a command; end as it ended where it failed."""
    status = subprocess.run(arguments, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)


def free_port() -> int:
    """Return 8000, or a free port where another program listens there."""
    for port in (8000, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    sys.exit("error: no port is free")


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when the model is loaded."""
    end = time.monotonic() + START_WAIT_S
    while time.monotonic() < end:
        if server.poll() is not None:
            sys.exit(server.returncode or 1)
        try:
            with urllib.request.urlopen(f"{url}/ready") as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit(f"error: the server was not ready within {START_WAIT_S} seconds")


def ask(url: str, body: dict[str, Any]) -> Any:
    """Return the JSON answer to a JSON request."""
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
