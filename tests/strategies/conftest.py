"""What the tests of strategies share."""

from __future__ import annotations

from hypothesis import Phase, find, settings


def least(strategy, condition=lambda _: True):
    """Return what Hypothesis reports as the simplest example. `find` returns the last one tried, which explaining may vary."""
    return find(strategy, condition, settings=settings(phases=[Phase.generate, Phase.shrink]))
