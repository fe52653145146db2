"""`brinery serve` beside other servers of the same model, over HTTP.

The models are an iris pipeline (scaler, logistic regression) and the demo's, each one pickle that
all load: ours as `brinery import` registered it. Equality first: each server is asked for the rows
one by one, and its labels must be the pickle's own; of ours, the probabilities too. Then:

* `http`: one row per request over 1, 32 and 256 connections, by wrk, the servers in turn.
* `empty`: the same beside a handler on Granian that takes a body and answers `{}`, in an
  environment of its own, as peers are; and on the loop that ours has.
* `arrow`: a body of 1,000 rows, beside `predict_proba` of those rows in memory.
* `start`: from the start of the command to its first answer, and the memory it then takes.
* `swap`: 50 promotions in a row under 32 connections; a client reads every answer.

It does all of them, or those that are named: `bench_serve.py http iris`, `bench_serve.py swap`.
wrk comes from Debian's packages; the peers from a package registry, once.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import sklearn
from load import Load, Read, check_installed, header, lines, loaded, read_all
from servers import APPS, EMPTY, EMPTY_HERE, MLFLOW, OURS, PEERS, Case, Running, Server, running
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import brinery

ROOT = Path(__file__).parent.parent
PARTS = ("http", "empty", "arrow", "start", "swap")
CASES = {"iris": 0.6, "bank": 0.4}
CONNECTIONS = (1, 32, 256)
ROWS = 100  # asked for in turn
ROUNDS, RUN_S, WARM_S = 3, 2, 1
BLOCK_RUN_S = 1
STARTS = 5
BLOCK = 1000
TOLERANCE = 1e-9
LEAST_OF_MLFLOW, LEAST_OF_OTHERS, AT = 50.0, 8.0, 32
LEAST_OF_LIBRARY = 0.7
MOST_OF_START, MOST_OF_MEMORY = 0.25, 0.5
SWAPS, QUIET_S, SWAP_LIMIT_S, MOST_OF_QUIET = 50, 10.0, 20.0, 2.0
ARROW = "application/vnd.apache.arrow.stream"


def main() -> None:
    """Make the models, check, measure, print."""
    check_installed()
    told = set(sys.argv[1:])
    unknown = told - {*PARTS, *CASES}
    if unknown:
        sys.exit(f"error: {', '.join(sorted(unknown))}: there are {', '.join((*PARTS, *CASES))}")
    parts = [part for part in PARTS if part in told or not told & set(PARTS)]
    names = [name for name in CASES if name in told or not told & set(CASES)]
    print(f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        for name in names:
            case = made_case(name, Path(made, name), swapped="swap" in parts)
            for part in parts:
                missed += MEASURES[part](case)
    if missed:
        sys.exit("missed: " + "; ".join(missed))


def made_case(name: str, folder: Path, *, swapped: bool) -> Case:
    """Return a model, fitted, pickled, imported and promoted; a second version where asked for."""
    folder.mkdir()
    target = fit(name, folder)
    # MLflow logs what it does, and Alembic all of it.
    options: dict[str, Any] = {"name": name, "target": target, "workspace": folder}
    data = folder / "test.csv"
    brinery.import_model(folder / "model.pkl", data=data, **options)
    if swapped:
        brinery.import_model(folder / "second.pkl", data=data, **options)
    brinery.promote(f"{name}@1", workspace=folder)
    rows = pd.read_csv(data, sep=None, engine="python").drop(columns=target).head(ROWS)
    model = pickle.loads((folder / "model.pkl").read_bytes())
    if MLFLOW.installed():
        sys.exit(f"MLflow could not be installed: {MLFLOW.installed()}")
    script = [MLFLOW.program("python"), APPS / "save_mlflow.py"]
    done = subprocess.run(
        [*script, folder / "model.pkl", folder / "mlflow"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"MLflow could not save the model:\n{done.stderr}")
    return Case(
        name=name,
        folder=folder,
        rows=[{str(k): v for k, v in row.items()} for row in rows.to_dict(orient="records")],
        labels=model.predict(rows).tolist(),
        chances=model.predict_proba(rows).tolist(),
        classes=[str(one) for one in model.classes_.tolist()],
        least_of_empty=CASES[name],
    )


def fit(name: str, folder: Path) -> str:
    """Write `model.pkl`, `second.pkl`, which answers otherwise, and `test.csv`; returns the target.

    The second of the demo's is another forest on the same rows.
    """
    if name == "iris":
        frame = load_iris(as_frame=True).frame
        frame.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
        train, test = train_test_split(frame, test_size=0.4, random_state=0)
        test.to_csv(folder / "test.csv", index=False)
        for file, strength in (("model", 1.0), ("second", 0.1)):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
            model.fit(train.drop(columns="species"), train["species"])
            (folder / f"{file}.pkl").write_bytes(pickle.dumps(model))
        return "species"
    spec = importlib.util.spec_from_file_location("train", ROOT / "examples" / "bank" / "train.py")
    if spec is None or spec.loader is None:
        sys.exit("the demo is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(folder)
    model = pickle.loads((folder / "model.pkl").read_bytes())
    test = pd.read_csv(folder / "test.csv", sep=";")
    data = pd.read_csv(ROOT / "examples" / "bank" / "bank.csv", sep=";")
    train, _ = train_test_split(data, test_size=0.2, random_state=0, stratify=data["y"])
    model.set_params(forest__random_state=1).fit(train.drop(columns="y"), train["y"])
    (folder / "second.pkl").write_bytes(pickle.dumps(model))
    return "y"


def check(servers: Sequence[Running], case: Case) -> None:
    """End where a server answers otherwise than the pickle."""
    worst = 0.0
    with httpx.Client() as client:
        for one in servers:
            label = one.server.label
            said = [one.ask(row, client) for row in case.rows]
            if label is not None and [label(answer) for answer in said] != case.labels:
                sys.exit(f"{one.server.name} answers otherwise than the pickle")
            if one.server is OURS:
                given = [answer["predictions"][0]["probabilities"] for answer in said]
                for chances, expected in zip(given, case.chances, strict=True):
                    for name, chance in zip(case.classes, expected, strict=True):
                        worst = max(worst, abs(chances[name] - chance))
    if worst > TOLERANCE:
        sys.exit(f"a probability differs by {worst:g}")
    print(f"{len(case.rows)} rows equal, the largest difference of a probability is {worst:g}\n")


def measured(servers: Sequence[Running], case: Case) -> dict[str, dict[int, list[Load]]]:
    """Return the loads of each server, by connections, round by round, the servers in turn."""
    found: dict[str, dict[int, list[Load]]] = {one.server.name: {} for one in servers}
    bodies = {
        one.server.name: lines(
            case.folder / f"{one.server.environment.name}.jsonl",
            (one.server.body(case, row) for row in case.rows),
        )
        for one in servers
    }
    for one in servers:
        one.pause()  # what waits for its turn takes nothing of the machine
    for connections in CONNECTIONS:
        for number in range(ROUNDS + 1):
            for one in servers:
                one.resume()
                load = loaded(
                    one.url,
                    bodies[one.server.name],
                    connections=connections,
                    time_s=RUN_S if number else WARM_S,
                )
                # It may still work on what wrk no longer waits for, which comes before this.
                with httpx.Client() as client:
                    one.ask(case.rows[0], client)
                one.pause()
                runs = found[one.server.name].setdefault(connections, [])
                runs += [load] if number else []
    return found


def ratios(ours: Sequence[Load], theirs: Sequence[Load]) -> float:
    """Return how many times more answers ours gave, the median of the rounds."""
    return median(
        a.rate / b.rate if b.rate else float("inf") for a, b in zip(ours, theirs, strict=True)
    )


def p99(loads: Sequence[Load]) -> float:
    """Return the 99th percentile in milliseconds, the median of the rounds."""
    return median(load.p99_ms for load in loads)


def http(case: Case) -> list[str]:
    """Print one row per request beside the peers; returns the goals that are missed."""
    print(f"## {case.name}: one row per request\n")
    peers: list[Server] = []
    for peer in PEERS:
        reason = peer.installed()
        print(f"{peer.name} could not be installed: {reason}\n" if reason else "", end="")
        peers += [] if reason else [peer]
    with running([OURS, *peers], case) as servers:
        check(servers, case)
        found = measured(servers, case)
    print(
        "| server | " + " | ".join(f"ours/theirs, {n} | p99 ms, {n}" for n in CONNECTIONS), end=""
    )
    print(" | failed |\n|---|" + "--:|--:|" * len(CONNECTIONS) + "--:|")
    ours = found[OURS.name]
    for server in (OURS, *peers):
        loads = found[server.name]
        cells = [f"{ratios(ours[n], loads[n]):.1f} | {p99(loads[n]):.2f}" for n in CONNECTIONS]
        failed = sum(load.failed for runs in loads.values() for load in runs)
        print(f"| {server.told} | {' | '.join(cells)} | {failed} |")
    rates = ", ".join(f"{median(load.rate for load in ours[n]):,.0f} over {n}" for n in CONNECTIONS)
    print(f"\nours, answers a second: {rates}\n", flush=True)
    return _http_goals(case, found)


def _http_goals(case: Case, found: dict[str, dict[int, list[Load]]]) -> list[str]:
    ours, missed = found[OURS.name], []
    others = {name: loads for name, loads in found.items() if name not in (OURS.name, MLFLOW.name)}
    beside_mlflow = ratios(ours[AT], found[MLFLOW.name][AT])
    best = min(others, key=lambda name: ratios(ours[AT], others[name][AT]))
    beside_best = ratios(ours[AT], others[best][AT])
    if beside_mlflow < LEAST_OF_MLFLOW:
        missed.append(f"{case.name}: {beside_mlflow:.1f} of {LEAST_OF_MLFLOW:g} times MLflow's")
    if beside_best < LEAST_OF_OTHERS:
        missed.append(f"{case.name}: {beside_best:.1f} of {LEAST_OF_OTHERS:g} times {best}'s")
    missed += [
        f"{case.name}: p99 over {n} is not below that of {name}"
        for name, loads in found.items()
        for n in CONNECTIONS
        if name != OURS.name and p99(ours[n]) >= p99(loads[n])
    ]
    if any(load.failed for runs in ours.values() for load in runs):
        missed.append(f"{case.name}: a request failed")
    return missed


def empty(case: Case) -> list[str]:
    """Print one row per request beside empty handlers; returns the goals that are missed."""
    print(f"## {case.name}: beside an empty handler\n")
    if reason := EMPTY.installed():
        sys.exit(f"Granian could not be installed: {reason}")
    with running([OURS, EMPTY, EMPTY_HERE], case) as servers:
        check(servers[:1], case)
        found = measured(servers, case)
    print("| empty handler | " + " | ".join(f"ours/empty, {n}" for n in CONNECTIONS), end="")
    print(" | goal |\n|---|" + "--:|" * (len(CONNECTIONS) + 1))
    ours, goal, missed = found[OURS.name], case.least_of_empty, []
    for server in (EMPTY, EMPTY_HERE):
        reached = {n: ratios(ours[n], found[server.name][n]) for n in CONNECTIONS}
        cells = " | ".join(f"{ratio:.2f}" for ratio in reached.values())
        print(f"| {server.name} | {cells} | {goal} |")
        missed += [
            f"{case.name}: {ratio:.2f} of {goal} of {server.name} over {n}"
            for n, ratio in reached.items()
            if ratio < goal
        ]
    waits = ", ".join(f"{p99(ours[n]):.2f} over {n}" for n in CONNECTIONS)
    print(f"\np99 of ours, ms: {waits}\n", flush=True)
    return missed


def arrow(case: Case) -> list[str]:
    """Print the rate of 1,000-row Arrow bodies beside the library's; returns what is missed."""
    print(f"## {case.name}: a body of {BLOCK:,} rows in Arrow\n")
    model = pickle.loads((case.folder / "model.pkl").read_bytes())
    frame = pd.DataFrame((case.rows * BLOCK)[:BLOCK])
    body = case.folder / "block.arrow"
    with pa.OSFile(str(body), "wb") as sink:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    with running([OURS], case) as (server,):
        answer = httpx.post(
            server.url, content=body.read_bytes(), headers={"content-type": ARROW}, timeout=60
        )
        if answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE:
            print("not read by this version\n")
            return [f"{case.name}: Arrow is not read"]
        if answer.is_error:
            sys.exit(f"Arrow: {answer.status_code} {answer.text[:500]}")
        _check_arrow(answer, model.predict_proba(frame), model.predict(frame))
        shares: dict[int, list[float]] = {1: [], 4: []}
        for number in range(2 * ROUNDS + 1):
            for connections, ratios_seen in shares.items():
                own = _rate(lambda: model.predict_proba(frame), BLOCK_RUN_S)
                load = loaded(
                    server.url, body, connections=connections, time_s=BLOCK_RUN_S, media=ARROW
                )
                if number:
                    ratios_seen.append(load.rate / own)
    print("| connections | rows a second, HTTP/`predict_proba` in process | goal |\n|--:|--:|--:|")
    for connections, seen in shares.items():
        print(f"| {connections} | {median(seen):.2f} | {LEAST_OF_LIBRARY} |")
    print(flush=True)
    return [
        f"{case.name}: {median(seen):.2f} of {LEAST_OF_LIBRARY} of predict_proba over {connections}"
        for connections, seen in shares.items()
        if median(seen) < LEAST_OF_LIBRARY
    ]


def _check_arrow(answer: httpx.Response, chances: Any, labels: Any) -> None:
    """End where an answer, in Arrow, is not the pickle's."""
    with pa.ipc.open_stream(io.BytesIO(answer.content)) as reader:
        table = reader.read_all()
    found = table.to_pandas()
    names = [name for name in found.columns if name.startswith("probability")]
    if found["prediction"].tolist() != labels.tolist():
        sys.exit("Arrow: a label differs")
    worst = abs(found[names].to_numpy() - chances).max()
    if worst > TOLERANCE:
        sys.exit(f"Arrow: a probability differs by {worst:g}")
    print(f"{len(found):,} rows equal, the largest difference of a probability is {worst:g}\n")


def _rate(work: Callable[[], object], time_s: float) -> float:
    """Return how often a second some work is done."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < time_s:
        work()
        count += 1
    return count / took


def start(case: Case) -> list[str]:
    """Print start and memory beside `mlflow models serve`; returns the goals that are missed."""
    print(f"## {case.name}: start and memory\n")
    seconds: dict[str, list[float]] = {OURS.name: [], MLFLOW.name: []}
    memory_mb: dict[str, list[float]] = {OURS.name: [], MLFLOW.name: []}
    for number in range(STARTS + 1):
        for server in (OURS, MLFLOW):
            with running([server], case) as (one,):
                with httpx.Client() as client:
                    _ = [one.ask(row, client) for row in case.rows]
                time.sleep(1)
                if number:
                    seconds[server.name].append(one.start_s)
                    memory_mb[server.name].append(one.memory_mb())
    print("| | ours | `mlflow models serve` | median ours/theirs | goal |\n|---|--:|--:|--:|--:|")
    missed = []
    rows = (
        ("start to first answer, s", seconds, MOST_OF_START),
        ("memory (PSS of all processes), MB", memory_mb, MOST_OF_MEMORY),
    )
    for what, figures, goal in rows:
        a, b = figures[OURS.name], figures[MLFLOW.name]
        ratio = median(x / y for x, y in zip(a, b, strict=True))
        print(f"| {what} | {median(a):.2f} | {median(b):.2f} | {ratio:.2f} | {goal} |")
        if ratio > goal:
            missed.append(
                f"{case.name}: {ratio:.2f} of {goal} of MLflow's {what.partition(',')[0]}"
            )
    print(flush=True)
    return missed


def swap(case: Case) -> list[str]:
    """Print what 50 promotions under load cost; returns the goals that are missed."""
    print(f"## {case.name}: {SWAPS} promotions in a row under 32 connections\n")
    second = pickle.loads((case.folder / "second.pkl").read_bytes())
    chances = second.predict_proba(pd.DataFrame(case.rows)).tolist()
    if chances == case.chances:
        sys.exit("the versions are not told apart")
    expected = {f"{case.name}@1": case.chances, f"{case.name}@2": chances}

    def looked_at(number: int, head: bytes, content: bytes) -> str:
        if not head.startswith(b"HTTP/1.1 200 "):
            return f"failed: {head[:100]!r} {content[:300]!r}"
        said, by = json.loads(content), header(head, b"x-model-version")
        given = said["predictions"][0]["probabilities"]
        right = [given[name] for name in case.classes]
        if f"{said['model']}@{said['version']}" != by:
            return f"mixed: {by} in the head, {said['version']} in the body"
        known.append(by)
        near = (abs(a - b) for a, b in zip(right, expected[by][number], strict=True))
        return "" if max(near) <= TOLERANCE else f"mixed: figures that are not those of {by}"

    known: list[str] = []
    with running([OURS], case) as (server,):
        seen, times, follows = asyncio.run(_swapped(server, case, looked_at, known))
    quiet = [seen.p99_ms(*times[0]), seen.p99_ms(*times[2])]
    busy = seen.p99_ms(*times[1])
    failed = seen.n_faults
    share = busy / statistics.mean(quiet)
    print("| answers | failed or mixed | p99 ms, quiet | while swapping | ratio | goal |")
    print("|--:|--:|--:|--:|--:|--:|")
    before, after = quiet
    print(f"| {len(seen.seconds):,} | {failed} | {before:.1f}, {after:.1f} | {busy:.1f} ", end="")
    print(f"| {share:.2f} | {MOST_OF_QUIET:g} |\n")
    took_s = times[1][1] - times[1][0]
    print(f"{SWAPS} promotions in {took_s:.0f} s; from a promotion to its version's first answer: ")
    print(f"median {median(follows):.2f} s, at most {max(follows):.2f} s\n", flush=True)
    for fault in seen.faults[:5]:
        print(fault)
    missed = [f"{case.name}: {failed} answers failed or mixed"] if failed else []
    return missed + ([f"{case.name}: p99 {share:.2f} times quiet"] if share > MOST_OF_QUIET else [])


async def _swapped(
    server: Running, case: Case, looked_at: Any, known: list[str]
) -> tuple[Read, list[tuple[float, float]], list[float]]:
    """Return what was seen; when it was quiet, swapping, quiet; how soon each version answered."""
    ended = asyncio.Event()
    bodies = [json.dumps(row).encode() for row in case.rows]
    client = asyncio.create_task(
        read_all(server.url, bodies, connections=AT, check=looked_at, ended=ended)
    )
    follows = []
    # A process of its own promotes; its Python and MLflow are imported before the clock runs.
    promoter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROMOTER, case.folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if promoter.stdin is None or promoter.stdout is None:
        sys.exit("the process that promotes has no pipes")
    try:
        await promoter.stdout.readline()
        marks = [time.perf_counter()]
        await asyncio.sleep(QUIET_S)
        marks.append(time.perf_counter())
        for number in range(SWAPS):
            wanted = f"{case.name}@{2 - number % 2}"
            promoter.stdin.write(f"{wanted}\n".encode())
            await promoter.stdout.readline()
            promoted = time.perf_counter()
            while known[-1] != wanted:
                if time.perf_counter() - promoted > SWAP_LIMIT_S:
                    sys.exit(f"{wanted} does not answer {SWAP_LIMIT_S:g} s after its promotion")
                await asyncio.sleep(0.005)
            follows.append(time.perf_counter() - promoted)
        marks.append(time.perf_counter())
        await asyncio.sleep(QUIET_S)
        marks.append(time.perf_counter())
    finally:
        promoter.stdin.close()
        ended.set()
        await promoter.wait()
    return await client, list(pairwise(marks)), follows


PROMOTER = """
import sys
import brinery
brinery.models(workspace=sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    brinery.promote(line.strip(), workspace=sys.argv[1])
    print("done", flush=True)
"""
MEASURES = {"http": http, "empty": empty, "arrow": arrow, "start": start, "swap": swap}


if __name__ == "__main__":
    main()
