"""In 1,000 draws every bound of lengths and counts is hit on both sides."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import Phase, given, settings

from pytest_smfake.generate.requests import maker
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.strategies import create_model_requests


def count(counts, node, value):
    """Count the sizes of every string, list and map; a container counts as one, whichever member holds it."""
    path = node.path.replace("PrimaryContainer", "Container").replace("Containers[]", "Container")
    if node.kind == "structure":
        for name, item in value.items():
            count(counts, node.members[name], item)
    elif node.kind in ("string", "list", "map"):
        counts[path, len(value)] += 1
        if node.kind == "list":
            for item in value:
                count(counts, node.members["[]"], item)
        elif node.kind == "map":
            for key, item in value.items():
                count(counts, node.members["[key]"], key)
                count(counts, node.members["[value]"], item)


@pytest.mark.parametrize("edition", EDITIONS)
def test_reach(edition):
    root, counts = maker(edition, "CreateModel").root, Counter()

    @settings(max_examples=1000, deadline=None, phases=[Phase.generate])
    @given(create_model_requests(edition=edition))
    def draw(request):
        count(counts, root, request)

    draw()
    missed = []
    for node in root.walk():
        if node.kind in ("string", "list", "map") and "max" in node.rules and "enum" not in node.rules and node.path != "Containers":
            least, most = node.sizes
            path = node.path.replace("PrimaryContainer", "Container").replace("Containers[]", "Container")
            missed += [(path, edge) for edge in {least, min(least + 1, most), max(most - 1, least), most} if not counts[path, edge]]
    most = root.find("Containers").sizes[1]
    missed += [("Containers", edge) for edge in (0, 1, most - 1, most) if not counts["Containers", edge]]
    assert missed == []
