"""How costs grow with the number of models that are kept, up to 100,000, and what each takes of memory."""

from __future__ import annotations

import gc
import json
import statistics
import time
import tracemalloc
from pathlib import Path
from typing import Any

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.wire import answer

from .measure import Figure

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
PAGES: dict[str, dict[str, Any]] = {
    "newest first": {},
    "by name": {"SortBy": "Name", "SortOrder": "Ascending"},
    "name filter": {"NameContains": "99"},
    "time filter": {"CreationTimeAfter": 1.0, "SortOrder": "Ascending"},
}
HEADERS = {"content-type": "application/x-amz-json-1.1", "authorization": "Credential=k/20261124/us-east-1/sagemaker/aws4_request"}
CALLS = 200


def send(fake: FakeSageMaker, operation: str, request: dict[str, Any]) -> float:
    """Send a call from bytes to bytes, and return how many microseconds it took."""
    headers = HEADERS | {"x-amz-target": f"SageMaker.{operation}"}
    asked = Request("POST", "https://api.sagemaker.us-east-1.amazonaws.com/", headers, json.dumps(request).encode())
    started = time.perf_counter_ns()
    response = answer(asked, fake, lambda: None)
    spent = (time.perf_counter_ns() - started) / 1000
    if response.status != 200:
        raise RuntimeError(response.body)
    return spent


def curves() -> dict[str, list[float]]:
    """Return the median microseconds of each kind of call at each size."""
    fake = FakeSageMaker()
    fake.service.kept = 1000  # of the log; it is the store that is measured
    fake.reset()
    found: dict[str, list[float]] = {"create": [], **{name: [] for name in PAGES}}
    made = 0
    gc.freeze()
    for size in SIZES:
        while made < size - CALLS // 2:
            fake.add_model(**fake.request(ModelName=f"m-{made}"))
            made += 1
        spent = []
        for _ in range(CALLS if size > CALLS else size // 2):
            spent.append(send(fake, "CreateModel", fake.request(ModelName=f"m-{made}")))
            made += 1
        found["create"].append(statistics.median(spent))
        for name, request in PAGES.items():
            send(fake, "ListModels", request)
            found[name].append(statistics.median(send(fake, "ListModels", request) for _ in range(CALLS)))
    gc.unfreeze()
    return found


def memory(count: int = 5_000) -> float:
    """Return how many bytes a model takes beyond its request."""
    requests = [json.loads(json.dumps(FakeSageMaker().request(ModelName=f"m-{index}"))) for index in range(count)]
    fake = FakeSageMaker()
    fake.add_model(**fake.request(ModelName="first"))
    gc.collect()
    tracemalloc.start()
    for request in requests:
        fake.add_model(**request)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / count


def figures(plot: Path | None = None) -> list[Figure]:
    """Measure; draw the curves to a file."""
    found = curves()
    if plot is not None:
        draw(found, plot)
    create, pages = found["create"], [(name, found[name]) for name in PAGES]
    details = {name: dict(zip(map(str, SIZES), (round(value, 1) for value in values), strict=True)) for name, values in found.items()}
    lines = [Figure("create at 100,000 models to create at 100", create[-1] / create[0], 1.2, details=details)]
    lines += [Figure(f"one page of ListModels, {name}, at 100,000 to 100", values[-1] / values[0], 1.2) for name, values in pages]
    return [*lines, Figure("memory for a model kept, beyond its request", memory() / 1024, 2, " KB")]


def draw(found: dict[str, list[float]], path: Path) -> None:
    """Draw the curves."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "smfake"  # the same file for the same figures
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name, values in found.items():
        axes.plot(SIZES, values, marker="o", label="CreateModel" if name == "create" else f"ListModels, {name}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("models kept")
    axes.set_ylabel("microseconds from bytes to bytes")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
