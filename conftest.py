"""Settings of this project's own tests."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# The same draws in each run, on each machine; a machine that others keep busy may take its time.
settings.register_profile("smfake", derandomize=True, database=None, deadline=None)
settings.load_profile("smfake")
