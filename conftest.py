"""Settings of this project's own tests."""

import hypothesis
import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# The same draws in each run, on each machine. The deadline of an example is Hypothesis's own, which users have, too; old versions count the
# garbage collection of a process that has run thousands of tests, half a second, as time of the example that it falls into.
DEADLINE = settings.default.deadline if hypothesis.__version_info__ >= (6, 100) else None
settings.register_profile("smfake", derandomize=True, database=None, deadline=DEADLINE)
settings.load_profile("smfake")


@pytest.fixture
def pytester(pytester, monkeypatch):
    """Keep pytest-asyncio, which is installed for a few tests, out of the other runs of pytest: it warns of a setting that it misses."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio")
    return pytester


@pytest.fixture
def alone(monkeypatch):
    """Let runs of pytest load this plugin alone: to load those of every package that is installed here takes most of their time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Before version 9 pytest takes its subtests from a package.
    subtests = ",pytest_subtests.plugin" if pytest.version_tuple < (9,) else ""
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_smfake.plugin" + subtests)
