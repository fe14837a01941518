"""Run the contract as tests: `pytest --pyargs pytest_smfake.contract` collects this module."""

from __future__ import annotations

from pytest_smfake.contract.run import CreateModelContract  # absolute: in importlib mode pytest 8.0 names this module after its path


class TestCreateModel(CreateModelContract):
    """Run the contract on the targets of `--smfake-target`."""
