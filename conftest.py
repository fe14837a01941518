"""Settings of this project's own tests."""

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# The same draws in each run, on each machine; a machine that others keep busy may take its time.
settings.register_profile("smfake", derandomize=True, database=None, deadline=None)
settings.load_profile("smfake")


@pytest.fixture
def alone(monkeypatch):
    """Let runs of pytest load this plugin alone: to load those of every package that is installed here takes most of their time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_smfake.plugin")
