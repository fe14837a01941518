"""What `pytest --pyargs pytest_smfake.contract` collects."""

from __future__ import annotations

from pytest_smfake.contract.run import CreateModelContract  # absolute: pytest 8.0 in importlib mode names this module after its path


class TestCreateModel(CreateModelContract):
    """The contract, on the targets that `--smfake-target` names."""
