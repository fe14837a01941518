"""What values look like, and how great they get, where no rule says so."""

from __future__ import annotations

FORMS = {
    "RoleArn": (r"arn:aws:iam::123456789012:role/[a-z0-9]+",),
    "ContainerImage": (r"123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com/[a-z0-9]+",),
    **dict.fromkeys(("Url", "S3ModelUri", "S3Uri"), (r"s3://bucket/[a-z0-9]+",)),
    "DestinationS3Uri": (r"s3://b/[a-z0-9]+",),
    "VersionedArnOrName": (r"[a-z0-9]{1,63}", r"arn:aws:sagemaker:us-east-1:123456789012:model-package[a-z]*/[a-z0-9]{1,63}/1"),
    "ResourceArn": (r"arn:aws:sagemaker:us-east-1:123456789012:model/[a-z0-9]+",),
    "MlReservationArn": (r"arn:aws:sagemaker:us-east-1:123456789012:training-plan/[a-z0-9]+",),
    "SnsTopicArn": (r"arn:aws:sns:us-east-1:123456789012:[a-z0-9]+",),
    "SecurityGroupId": (r"sg-[a-f0-9]+",),
    "SubnetId": (r"subnet-[a-f0-9]+",),
}
"""For each shape of the SDK's model patterns narrower than its own, by which strings become readable. They bind nobody: what they
make is matched against the rule in force, and one string in four is made without them."""

RANGES = {"integer": 2**31 - 1, "long": 2**63 - 1, "float": 1000, "double": 1000, "timestamp": 2**31 - 1}
"""The greatest number that is made where no rule bounds it; of the integers' types Java's."""
UNBOUNDED = {"string": 256, "list": 4, "map": 4, "blob": 256}
"""The greatest size that is made beyond the least one where no rule bounds it."""
DRAWN_BYTES = 4096
"""The greatest blob that is made unless a rule is about it: nobody wants to read megabytes in a failure report."""
SCALARS = ("boolean", "timestamp", "blob", "string", *RANGES)
ALTERNATIVES: dict[str, tuple[tuple[str, ...], str]] = {
    "CreateModelInput": (("PrimaryContainer", "Containers"), "CreateModel:one-container-form"),
    "ContainerDefinition": (("Image", "ModelPackageName"), "CreateModel:image-and-package"),
    "ProductionVariant": (("InstanceType", "InstancePools", "ServerlessConfig"), "CreateEndpointConfig/ProductionVariants[]:capacity"),
}
"""For each shape members of which there is one, as long as a rule is in force."""
