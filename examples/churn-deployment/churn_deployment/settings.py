"""What a deployment needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VARIANT = "AllTraffic"


@dataclass(frozen=True)
class Settings:
    """One version of a model, and the instances that serve it."""

    name: str
    image: str
    artifact: str
    role: str
    environment: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The tags as the service takes them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def request(self) -> dict[str, Any]:
        """Return the CreateModel request."""
        return {
            "ModelName": self.name,
            "PrimaryContainer": {"Image": self.image, "ModelDataUrl": self.artifact, "Environment": self.environment},
            "ExecutionRoleArn": self.role,
            "Tags": self.tag_list,
        }

    def config_request(self) -> dict[str, Any]:
        """Return the CreateEndpointConfig request; the configuration has the name of the model."""
        variant = {
            "VariantName": VARIANT,
            "ModelName": self.name,
            "InstanceType": self.instance_type,
            "InitialInstanceCount": self.instance_count,
        }
        return {"EndpointConfigName": self.name, "ProductionVariants": [variant], "Tags": self.tag_list}
