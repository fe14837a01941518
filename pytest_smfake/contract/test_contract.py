"""What `pytest --pyargs pytest_smfake.contract` collects."""

from __future__ import annotations

from .suite import CreateModelContract


class TestCreateModel(CreateModelContract):
    """The contract, on the targets that `--smfake-target` names."""
