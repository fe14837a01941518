"""What a deployment needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Settings:
    """One version of a model."""

    name: str
    image: str
    artifact: str
    role: str
    environment: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Return the CreateModel request."""
        return {
            "ModelName": self.name,
            "PrimaryContainer": {"Image": self.image, "ModelDataUrl": self.artifact, "Environment": self.environment},
            "ExecutionRoleArn": self.role,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
