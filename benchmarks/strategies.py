"""Drawn CreateModel requests per second, against a plain composition of Hypothesis's own strategies for the same shapes.

Both draw in turns in one process, and its own processor time is measured, so that a busy
machine slows both alike; what counts is the ratio. The plain composition has the same members, optional where these are,
`from_regex` for every pattern, `text` for every other string, and lists and dictionaries up to the same bounds. It is not valid
as a whole: it keeps no rule between members.
"""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from pytest_smfake.generate.requests import maker
from pytest_smfake.generate.tree import Node
from pytest_smfake.rules.java_regex import translate
from pytest_smfake.strategies import create_model_requests

from .measure import Figure

ROUNDS = 7
DRAWS = 200


def plain(node: Node) -> st.SearchStrategy[Any]:
    """Return the plain composition for a member."""
    if node.kind == "structure":
        required = {name: plain(member) for name, member in node.members.items() if "required" in member.rules}
        optional = {name: plain(member) for name, member in node.members.items() if "required" not in member.rules}
        return st.fixed_dictionaries(required, optional=optional)
    if node.kind == "boolean":
        return st.booleans()
    least, most = node.least_most()
    if node.kind == "list":
        item = node.members["[]"]
        unique = (lambda tag: tag["Key"]) if item.shape == "Tag" else None
        return st.lists(plain(item), min_size=least, max_size=most, unique_by=unique)
    if node.kind == "map":
        return st.dictionaries(plain(node.members["[key]"]), plain(node.members["[value]"]), min_size=least, max_size=most)
    if node.kind != "string":
        return st.integers(least, most)
    if enum := node.bound("enum"):
        return st.sampled_from(enum)
    pattern = node.bound("pattern")
    if pattern is None:
        return st.text(min_size=least, max_size=most)
    strings = st.from_regex(re.compile(translate(pattern), re.ASCII), fullmatch=True)
    return strings.filter(lambda text: least <= len(text) <= most)


def seconds(strategy: st.SearchStrategy[Any], seen: Callable[[Any], object], draws: int) -> float:
    """Return how many seconds of processor time it takes to draw a number of requests."""

    @settings(
        max_examples=draws,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        deadline=None,
    )
    @given(strategy)
    def draw(request: Any) -> None:
        seen(request)

    start = time.process_time()
    draw()
    return time.process_time() - start


def reach(counts: Counter[tuple[str, int]], node: Node, value: Any) -> None:
    """Count the sizes of every string, list and map of a request."""
    if node.kind == "structure":
        for name, item in value.items():
            reach(counts, node.members[name], item)
    elif node.kind in ("string", "list", "map"):
        counts[node.path, len(value)] += 1
        if node.kind == "list":
            for item in value:
                reach(counts, node.members["[]"], item)
        elif node.kind == "map":
            for key, item in value.items():
                reach(counts, node.members["[key]"], key)
                reach(counts, node.members["[value]"], item)


def figures() -> list[Figure]:
    """Measure."""
    root = maker("page", "CreateModel").root
    strategies = {"plain composition": plain(root), "create_model_requests": create_model_requests()}
    times: dict[str, list[float]] = {name: [] for name in strategies}
    counts: dict[str, Counter[tuple[str, int]]] = {name: Counter() for name in strategies}
    for name, strategy in strategies.items():
        seconds(strategy, lambda request, name=name: reach(counts[name], root, request), 1000)
    for _ in range(ROUNDS):
        for name, strategy in strategies.items():
            seen: list[int] = []
            times[name].append(seconds(strategy, lambda _, seen=seen: seen.append(1), DRAWS) / max(len(seen), 1))
    bounded = [node for node in root.walk() if node.kind in ("string", "list", "map") and "max" in node.rules and "enum" not in node.rules]
    bounds = [(node.path, bound) for node in bounded for bound in node.sizes]
    details: dict[str, Any] = {f"{name}, requests/s": round(1 / statistics.median(spent)) for name, spent in times.items()}
    details |= {f"{name}, bounds hit": f"{sum(count[bound] > 0 for bound in bounds)} of {len(bounds)}" for name, count in counts.items()}
    ratios = sorted(slow / fast for slow, fast in zip(*times.values(), strict=True))
    what = "drawn CreateModel requests a second, to a plain composition"
    return [Figure(what, statistics.median(ratios), 5, least=True, spread=(ratios[1], ratios[-2]), details=details)]
