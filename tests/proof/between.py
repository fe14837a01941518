"""The rules between members, written down once more: `(operation, rest of the rule's id, editions, whether a request breaks it)`."""

from __future__ import annotations

import re
from typing import Any

Request = dict[str, Any]
BOTH = ("page", "sdk")


def containers(request: Request) -> list[Request]:
    primary = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
    return primary + list(request.get("Containers", []))


def hostnames(request: Request) -> list[str | None]:
    return [one.get("ContainerHostname") for one in request.get("Containers", [])]


def repeated(values: list[Any]) -> bool:
    return len(set(values)) < len(values)


def variants(request: Request) -> list[Request]:
    return request["ProductionVariants"] + request.get("ShadowProductionVariants", [])


def capacity(variant: Request) -> bool:
    forms = sum(name in variant for name in ("InstanceType", "InstancePools", "ServerlessConfig"))
    return forms != 1 or ("InstanceType" in variant and "InitialInstanceCount" not in variant)


def serverless(request: Request) -> list[Request]:
    return [variant["ServerlessConfig"] for variant in variants(request) if "ServerlessConfig" in variant]


def types(request: Request) -> list[str]:
    return [variant.get("InstanceType", "ml..") for variant in variants(request)]


def scaled_models(request: Request) -> list[Request]:
    return [one["ManagedInstanceScaling"] for one in variants(request) if {"ModelName", "ManagedInstanceScaling"} <= one.keys()]


def own_storage(variant: Request) -> bool:
    named = [variant.get("InstanceType", ""), *(pool["InstanceType"] for pool in variant.get("InstancePools", []))]
    storage = [name for name in named if re.match(r"ml\.(\w*d\w*|g5|g6\w*|p5\w*|trn1\w*)\.", name)]
    return "VolumeSizeInGB" in variant and bool(storage)


def excluded_shadow(request: Request) -> bool:
    excluded = serverless(request) or "AsyncInferenceConfig" in request or any(name.startswith("ml.inf1.") for name in types(request))
    return "ShadowProductionVariants" in request and bool(excluded)


def bytes_in_environments(request: Request) -> int:
    return sum(len((key + value).encode("utf-8")) for one in containers(request) for key, value in one.get("Environment", {}).items())


def outside_ecr(container: Request) -> bool:
    image = container.get("Image")
    if image is None or container.get("ImageConfig", {}).get("RepositoryAccessMode") == "Vpc":
        return False
    registry = image.split("/")[0]
    return not ("/" in image and re.match(r"^[0-9]{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.", registry))


def semantic_segmentation(request: Request) -> bool:
    role = re.match("arn:[^:]*:iam::([0-9]{12}):", request["ExecutionRoleArn"])
    images = [one.get("Image", "") for one in containers(request)]
    own = [image for image in images if role and image.startswith(role[1])]
    return request.get("EnableNetworkIsolation", False) and any(
        re.split("[:@]", image.split("/", 1)[-1])[0] == "semantic-segmentation" for image in images if image not in own
    )


def data_sources(request: Request) -> list[Request]:
    channels = [channel for one in containers(request) for channel in one.get("AdditionalModelDataSources", [])]
    direct = [one["ModelDataSource"] for one in containers(request) if "ModelDataSource" in one]
    return [holder["S3DataSource"] for holder in direct + channels if "S3DataSource" in holder]


def longest_entry(request: Request) -> int:
    entries = [text for one in containers(request) for entry in one.get("Environment", {}).items() for text in entry]
    return max((len(text.encode("utf-8")) for text in entries), default=0)


BETWEEN = [
    ("*", "/Tags:unique-keys", BOTH, lambda request: repeated([tag["Key"] for tag in request.get("Tags", [])])),
    ("CreateModel", ":container-required", BOTH, lambda request: not containers(request)),
    ("CreateModel", ":one-container-form", BOTH, lambda request: bool("PrimaryContainer" in request and request.get("Containers"))),
    (
        "CreateModel",
        ":image-or-package",
        BOTH,
        lambda request: any(not one.keys() & {"Image", "ModelPackageName"} for one in containers(request)),
    ),
    (
        "CreateModel",
        ":image-and-package",
        BOTH,
        lambda request: any({"Image", "ModelPackageName"} <= one.keys() for one in containers(request)),
    ),
    (
        "CreateModel",
        "/Containers[].ContainerHostname:all-or-none",
        BOTH,
        lambda request: 0 < hostnames(request).count(None) < len(hostnames(request)),
    ),
    (
        "CreateModel",
        "/Containers[].ContainerHostname:unique",
        BOTH,
        lambda request: repeated([name for name in hostnames(request) if name is not None]),
    ),
    (
        "CreateModel",
        "/Containers[].ContainerHostname:direct",
        BOTH,
        lambda request: (
            request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
            and bool(hostnames(request))
            and set(hostnames(request)) == {None}
        ),
    ),
    (
        "CreateModel",
        "/Containers[].Mode:one-multi-model",
        BOTH,
        lambda request: (
            [one.get("Mode") for one in request.get("Containers", [])].count("MultiModel") > 1
            and request.get("InferenceExecutionConfig", {}).get("Mode") != "Direct"
        ),
    ),
    ("CreateModel", "/EnableNetworkIsolation:semantic-segmentation", ("page",), semantic_segmentation),
    ("CreateModel", ":ecr-image", ("sdk",), lambda request: any(map(outside_ecr, containers(request)))),
    ("CreateModel", ":environment-bytes", BOTH, lambda request: bytes_in_environments(request) > 32 * 1024),
    ("CreateModel", ":environment-entry-bytes", BOTH, lambda request: longest_entry(request) > 1024),
    (
        "CreateModel",
        ":platform-without-auth",
        BOTH,
        lambda request: any(
            one.get("ImageConfig", {}).get("RepositoryAccessMode") == "Platform" and "RepositoryAuthConfig" in one["ImageConfig"]
            for one in containers(request)
        ),
    ),
    (
        "CreateModel",
        ":prefix-slash",
        BOTH,
        lambda request: any(one["S3DataType"] == "S3Prefix" and one["S3Uri"][-1:] != "/" for one in data_sources(request)),
    ),
    (
        "CreateModel",
        ":accept-eula",
        BOTH,
        lambda request: any(
            one["S3Uri"].startswith("s3://jumpstart-private-cache-prod-") and not one.get("ModelAccessConfig", {}).get("AcceptEula", False)
            for one in data_sources(request)
        ),
    ),
    (
        "CreateModel",
        ":data-source-of-one-model",
        BOTH,
        lambda request: any(one.get("Mode") == "MultiModel" and "ModelDataSource" in one for one in containers(request)),
    ),
    ("*", "/Tags:reserved-prefix", BOTH, lambda request: any(tag["Key"][:4] == "aws:" for tag in request.get("Tags", []))),
    ("DeleteTags", "/TagKeys:reserved-prefix", BOTH, lambda request: any(key[:4] == "aws:" for key in request["TagKeys"])),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].VariantName:unique",
        BOTH,
        lambda request: repeated([variant["VariantName"] for variant in variants(request)]),
    ),
    ("CreateEndpointConfig", "/ProductionVariants[]:capacity", BOTH, lambda request: any(map(capacity, variants(request)))),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ModelName:model-or-role",
        BOTH,
        lambda request: "ExecutionRoleArn" not in request and any("ModelName" not in variant for variant in variants(request)),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ManagedInstanceScaling:inference-components",
        BOTH,
        lambda request: any(scaling.get("MinInstanceCount") == 0 for scaling in scaled_models(request)),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ManagedInstanceScaling:scaling-with-model",
        BOTH,
        lambda request: any(one.get("MinInstanceCount", 1) > 0 and one.get("Status") == "ENABLED" for one in scaled_models(request)),
    ),
    (
        "CreateEndpointConfig",
        "/EnableNetworkIsolation:isolation-with-model",
        BOTH,
        lambda request: request.get("EnableNetworkIsolation", False) and any("ModelName" in variant for variant in variants(request)),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].VolumeSizeInGB:own-storage",
        BOTH,
        lambda request: any(map(own_storage, variants(request))),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ServerlessConfig.MemorySizeInMB:values",
        BOTH,
        lambda request: any(config["MemorySizeInMB"] not in (1024, 2048, 3072, 4096, 5120, 6144) for config in serverless(request)),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ServerlessConfig.ProvisionedConcurrency:at-most-max",
        BOTH,
        lambda request: any(config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"] for config in serverless(request)),
    ),
    (
        "CreateEndpointConfig",
        "/ProductionVariants[].ServerlessConfig:alone",
        BOTH,
        lambda request: (
            len(request["ProductionVariants"]) > 1 and any("ServerlessConfig" in variant for variant in request["ProductionVariants"])
        ),
    ),
    (
        "CreateEndpointConfig",
        "/DataCaptureConfig:serverless",
        BOTH,
        lambda request: bool(serverless(request)) and request.get("DataCaptureConfig", {"EnableCapture": False}).get("EnableCapture", True),
    ),
    (
        "CreateEndpointConfig",
        "/ShadowProductionVariants:one-each",
        BOTH,
        lambda request: (
            "ShadowProductionVariants" in request
            and (len(request["ProductionVariants"]), len(request["ShadowProductionVariants"])) != (1, 1)
        ),
    ),
    ("CreateEndpointConfig", "/ShadowProductionVariants:exclusions", BOTH, excluded_shadow),
    (
        "CreateEndpointConfig",
        "/MetricsConfig.MetricPublishFrequencyInSeconds:values",
        BOTH,
        lambda request: request.get("MetricsConfig", {}).get("MetricPublishFrequencyInSeconds", 60) not in {10, 30, 60, 120, 180, 240, 300},
    ),
    (
        "CreateTransformJob",
        "/MaxPayloadInMB:payload-in-all",
        BOTH,
        lambda request: request.get("MaxPayloadInMB", 0) * max(request.get("MaxConcurrentTransforms", 1), 1) > 100,
    ),
]
