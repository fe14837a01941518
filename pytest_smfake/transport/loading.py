"""What botocore's loaders read, shared between sessions while a fake is active.

`mock_aws` makes boto3 forget its session at each entry, and to read SageMaker's model anew takes most of the time of such a test.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from .active import active

_read: dict[Any, Any] = {}
"""What was read: models by what they were asked for by, endpoints by their file."""


def load_service_model(original: Any) -> Any:
    """Return a `load_service_model` that reads each file of an installed package once; botocore never writes to what it returns."""

    def load(loader: Any, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if active() is None or not _is_of_packages_alone(loader):
            return original(loader, service_name, type_name, api_version)
        key = (*loader.search_paths, *loader.extras_types, service_name, type_name, api_version)
        if key not in _read:
            _read[key] = original(loader, service_name, type_name, api_version)
        return _read[key]

    return load


def load_file(original: Any) -> Any:
    """Return a `load_file` that reads the endpoints of all services once, and copies as much of them as botocore writes to."""

    def load(files: Any, file_path: str) -> Any:
        if active() is None or file_path != _endpoints():
            return original(files, file_path)
        if file_path not in _read:
            _read[file_path] = json.loads(json.dumps(original(files, file_path)))  # plain dicts, which are copied ten times as fast
        read = _read[file_path]
        return read | {"partitions": [partition | {"services": _own(partition["services"])} for partition in read["partitions"]]}

    return load


def _own(services: dict[str, Any]) -> dict[str, Any]:
    """Return services with dicts of their own for their endpoints, where botocore notes what it has resolved."""
    return {
        name: service | {"endpoints": {region: endpoint.copy() for region, endpoint in service.get("endpoints", {}).items()}}
        for name, service in services.items()
    }


def _is_of_packages_alone(loader: Any) -> bool:
    """Whether a loader reads what packages brought along, and nothing that a user, or a test, may change meanwhile."""
    own = (loader.BUILTIN_DATA_PATH, _boto3_data())
    return all(path in own or not Path(path).exists() for path in loader.search_paths)


@cache
def _endpoints() -> str:
    """Return the file of the endpoints, without its suffix."""
    from botocore.loaders import Loader

    return str(Path(Loader.BUILTIN_DATA_PATH) / "endpoints")


def _boto3_data() -> str:
    """Return where boto3 keeps its data, which its sessions look through, too; it is never imported for this."""
    boto3 = sys.modules.get("boto3")
    return str(Path(str(boto3.__file__)).parent / "data") if boto3 is not None else ""
