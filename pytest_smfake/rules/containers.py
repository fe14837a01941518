"""Rules of CreateModel about what each container holds: image, package, environment, model data sources, and where these must be.

The service's text is quoted where it was observed or reported; a text graded `assumed` is our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, precondition
from .rule import Key, Rule, Where

CONTAINER = "botocore service-2.json, ContainerDefinition"
PRIVATE_LOG = "a public log, no stable address"
MODEL_INPUT = "CreateModelInput"


def containers(request: Mapping[str, Any], *, empty: bool = False) -> list[tuple[Where, dict[str, Any]]]:
    """Return every container of a CreateModel request with its place; a primary one that is empty if asked."""
    found: list[tuple[Where, dict[str, Any]]] = []
    if (primary := request.get("PrimaryContainer")) or (empty and primary == {}):
        found.append((("PrimaryContainer",), primary))
    if pipeline := request.get("Containers"):
        found += [(("Containers", index), container) for index, container in enumerate(pipeline)]
    return found


def first_container(request: Body, values: Values) -> tuple[Where, Body]:
    """Return the first container, and where it is; make one if there is none."""
    if request.get("Containers"):
        return ("Containers", 0), request["Containers"][0]
    return ("PrimaryContainer",), request.setdefault("PrimaryContainer", values.least("PrimaryContainer"))


# What a container holds.

_IMAGE_OR_PACKAGE = "Specify one of either Image and Model Data URL or ModelPackageName in container definition."


@cross_field("CreateModel", "", "image-or-package", "assumed", f"{CONTAINER}; text reported of image-and-package")
def image_or_package(request: Body, _: Any) -> Breaches:
    """Refuse a container with neither an image nor a model package."""
    for where, container in containers(request, empty=True):
        if container.get("Image") is None and container.get("ModelPackageName") is None:
            yield (*where, "Image"), None, _IMAGE_OR_PACKAGE


@image_or_package.repair("ContainerDefinition")
def _add_image(container: Body, repair: Repair) -> None:
    if not container.keys() & {"Image", "ModelPackageName"}:
        name = "Image" if "Image" not in repair.fixed else "ModelPackageName"
        if name not in repair.fixed:
            container[name] = repair.least(name)


@image_or_package.inside("image", "a container with an image", "PrimaryContainer.Image")
def _image(_: Body, __: Values) -> Where:
    return "PrimaryContainer", "Image"


@image_or_package.outside("neither", "a container with neither Image nor ModelPackageName")
def _no_image(request: Body, values: Values) -> Where:
    where, container = first_container(request, values)
    container.pop("Image", None)
    container.pop("ModelPackageName", None)
    return *where, "Image"


@cross_field(
    "CreateModel", "", "image-and-package", "contested", f"{PRIVATE_LOG}; the SDK's model allows both", only_with=("ModelPackageName",)
)
def image_and_package(request: Body, _: Any) -> Breaches:
    """Refuse a container with both an image and a model package."""
    for where, container in containers(request):
        if container.get("Image") is not None and container.get("ModelPackageName") is not None:
            yield (*where, "ModelPackageName"), container["ModelPackageName"], _IMAGE_OR_PACKAGE


image_and_package.one_of("ContainerDefinition", ("Image", "ModelPackageName"))


@image_and_package.repair("ContainerDefinition")
def _drop_package(container: Body, repair: Repair) -> None:
    repair.only_one(container, ("Image", "ModelPackageName"))


@image_and_package.inside("package", "a container with a model package", "PrimaryContainer.ModelPackageName")
def _package(_: Body, __: Values) -> Where:
    return "PrimaryContainer", "ModelPackageName"


@image_and_package.outside("both", "a container with Image and ModelPackageName")
def _image_beside_package(request: Body, values: Values) -> Where:
    where, container = first_container(request, values)
    for name in ("Image", "ModelPackageName"):
        container.setdefault(name, values.least(f"PrimaryContainer.{name}"))
    return *where, "ModelPackageName"


ECR_IMAGE = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/.+", re.ASCII)
"""An image in a registry of ECR."""
OUTSIDE_ECR = "registry.example.com/a:1"


def _is_out_of_reach(container: Mapping[str, Any]) -> bool:
    image, mode = container.get("Image"), (container.get("ImageConfig") or {}).get("RepositoryAccessMode")
    return image is not None and mode != "Vpc" and not ECR_IMAGE.fullmatch(image)


@cross_field("CreateModel", "", "ecr-image", "observed", "aws/sagemaker-python-sdk#4700 (GitHub)", editions=("sdk",))
def ecr_image(request: Body, _: Any) -> Breaches:
    """Refuse an image outside ECR that is not reached through the VPC."""
    for where, container in containers(request):
        if _is_out_of_reach(container):
            text = f'Using non-ECR image "{container["Image"]}" without Vpc repository access mode is not supported.'
            yield (*where, "Image"), container["Image"], text


@ecr_image.repair("ContainerDefinition")
def _give_access(container: Body, repair: Repair) -> None:
    if _is_out_of_reach(container):
        if not repair.stays("ImageConfig"):
            container["ImageConfig"] = container.get("ImageConfig", {}) | {"RepositoryAccessMode": "Vpc"}
        elif "Image" not in repair.fixed:
            container["Image"] = repair.least("Image")


@ecr_image.inside("vpc", "an image outside ECR, with repository access through the VPC")
def _image_with_access(request: Body, values: Values) -> Where:
    where = _image_elsewhere(request, values)
    first_container(request, values)[1]["ImageConfig"] = {"RepositoryAccessMode": "Vpc"}
    return where


@ecr_image.outside("elsewhere", "an image outside ECR, with no access to its registry")
def _image_elsewhere(request: Body, values: Values) -> Where:
    where, container = first_container(request, values)
    container.pop("ModelPackageName", None)
    container.pop("ImageConfig", None)
    container["Image"] = OUTSIDE_ECR
    return *where, "Image"


@cross_field(
    "CreateModel",
    "",
    "environment-bytes",
    "documented",
    f"{CONTAINER}.Environment; text assumed",
    bound=32 * 1024,
    only_with=("Environment",),
)
def environment_bytes(request: Body, bound: int) -> Breaches:
    """Refuse environments whose keys and values hold too many bytes together."""
    sizes = {
        (*where, "Environment"): sum(_bytes(*entry) for entry in environment.items())
        for where, container in containers(request)
        if (environment := container.get("Environment"))
    }
    total = sum(sizes.values())
    if total > bound:
        text = f"The Environment maps of a model may hold {bound} bytes of keys and values in all, and hold {total}."
        yield max(sizes, key=lambda where: sizes[where]), total, text


def _bytes(key: str, value: str) -> int:
    return len(key.encode()) + len(value.encode())


@environment_bytes.repair("ContainerDefinition")
def _cut_environment(container: Body, repair: Repair) -> None:
    if "Environment" in container and "Environment" not in repair.fixed:
        _cut([container["Environment"]], "Environment", repair)


@environment_bytes.repair(MODEL_INPUT)
def _cut_environments(request: Body, repair: Repair) -> None:
    free = [one for where, one in containers(request) if where[0] not in repair.fixed]
    _cut([one["Environment"] for one in free if "Environment" in one], "PrimaryContainer.Environment", repair)


SPARE_BYTES = 3 * 4 * 1024
"""Bytes that environments leave free where one of their entries is going to be changed."""


def _cut(environments: list[dict[str, str]], path: str, repair: Repair) -> None:
    """Cut entries down to their share of the bytes, but for the very first if it leaves half of them."""
    sizes = [_bytes(*entry) for environment in environments for entry in environment.items()]
    left = max(repair.bound - (SPARE_BYTES if ".Environment" in repair.wanted else 0), repair.bound // 2)
    if sum(sizes) <= left:
        return
    kept = int(sizes[0] <= left // 2)
    share = (left - sum(sizes[:kept])) // max(len(sizes) - kept, 1)
    for environment in environments:
        entries = [*environment.items()]
        entries[kept:] = [_cut_entry(key, value, path, repair, share) for key, value in entries[kept:]]
        kept = 0
        environment.clear()
        keys = repair.distinct(f"{path}[key]", (key for key, _ in entries))
        for key, value in zip(keys, (value for _, value in entries), strict=True):
            if left >= _bytes(key, value):
                environment[key] = value
                left -= _bytes(key, value)


def _cut_entry(key: str, value: str, path: str, repair: Repair, share: int) -> tuple[str, str]:
    shorter = key if len(key.encode()) <= share // 2 else repair.string(f"{path}[key]", share // 2)
    left = share - len(shorter.encode())
    return shorter, value if len(value.encode()) <= left else repair.string(f"{path}[value]", left)


def _fill(request: Body, values: Values, total: int) -> Where:
    for _, container in containers(request, empty=True):
        container.pop("Environment", None)
    where, container = first_container(request, values)
    path = "PrimaryContainer.Environment"
    longest = values.most(f"{path}[value]")
    environment = values.sized(path, -(-total // longest) + 1, {})
    left = total - sum(len(key) for key in environment)
    for key in environment:
        environment[key] = values.string(f"{path}[value]", min(left, longest))
        left -= len(environment[key])
    container["Environment"] = environment
    return *where, "Environment"


@environment_bytes.inside("{bound}", "as many bytes in environments as may be")
def _bytes_inside(request: Body, values: Values) -> Where:
    return _fill(request, values, values.bound)


@environment_bytes.outside("{beyond}", "a byte more in environments than may be")
def _bytes_outside(request: Body, values: Values) -> Where:
    return _fill(request, values, values.bound + 1 + values.number(0, 99))


@cross_field(
    "CreateModel",
    "",
    "environment-entry-bytes",
    "documented",
    f"{CONTAINER}.Environment: each key and value has at most 1,024 bytes; text assumed",
    bound=1024,
    only_with=("Environment",),
)
def environment_entry_bytes(request: Body, bound: int) -> Breaches:
    """Refuse a key or a value of an environment that has too many bytes; the schema bounds its characters."""
    for where, container in containers(request):
        for key, value in (container.get("Environment") or {}).items():
            for what, text in (("key", key), ("value", value)):
                if (size := len(text.encode())) > bound:
                    sentence = f"A {what} of Environment may have {bound} bytes, and that of {key[:64]} has {size}."
                    yield (*where, "Environment", Key(key)), value, sentence
                    return


@environment_entry_bytes.repair("ContainerDefinition")
def _cut_entries(container: Body, repair: Repair) -> None:
    environment = container.get("Environment") or {}
    if "Environment" in repair.fixed or all(
        max(len(key.encode()), len(value.encode())) <= repair.bound for key, value in environment.items()
    ):
        return
    keys = [key if len(key.encode()) <= repair.bound else repair.string("Environment[key]", repair.bound) for key in environment]
    entries = [
        value if len(value.encode()) <= repair.bound else repair.string("Environment[value]", repair.bound)
        for value in environment.values()
    ]
    container["Environment"] = dict(zip(repair.distinct("Environment[key]", keys), entries, strict=True))


def _entry(request: Body, values: Values, size: int) -> Where:
    where, container = first_container(request, values)
    # Two bytes a character, so that the number of characters keeps the schema's bound.
    container["Environment"] = {"A": "é" * (size // 2) + "e" * (size % 2)}
    return *where, "Environment", Key("A")


@environment_entry_bytes.inside("{bound}", "a value of an environment with as many bytes as may be")
def _entry_inside(request: Body, values: Values) -> Where:
    return _entry(request, values, values.bound)


@environment_entry_bytes.outside("{beyond}", "a value of an environment with a byte more than may be")
def _entry_outside(request: Body, values: Values) -> Where:
    return _entry(request, values, values.bound + 1)


@cross_field(
    "CreateModel",
    "",
    "platform-without-auth",
    "documented",
    "botocore service-2.json, ImageConfig.RepositoryAuthConfig: only with RepositoryAccessMode Vpc; text assumed",
    only_with=("ImageConfig",),
)
def platform_without_auth(request: Body, _: Any) -> Breaches:
    """Refuse credentials for a private registry where the image is pulled from ECR."""
    for where, container in containers(request):
        config = container.get("ImageConfig") or {}
        if config.get("RepositoryAccessMode") == "Platform" and config.get("RepositoryAuthConfig") is not None:
            text = "RepositoryAuthConfig cannot be used with RepositoryAccessMode Platform."
            yield (*where, "ImageConfig", "RepositoryAuthConfig"), config["RepositoryAuthConfig"], text


@platform_without_auth.repair("ImageConfig")
def _drop_auth(config: Body, repair: Repair) -> None:
    if config.get("RepositoryAccessMode") == "Platform" and "RepositoryAuthConfig" in config:
        if not repair.stays("RepositoryAuthConfig"):
            del config["RepositoryAuthConfig"]
        elif "RepositoryAccessMode" not in repair.fixed:
            config["RepositoryAccessMode"] = "Vpc"


def _auth(request: Body, values: Values, mode: str) -> Where:
    where, container = first_container(request, values)
    auth = values.least("PrimaryContainer.ImageConfig.RepositoryAuthConfig")
    container.pop("ModelPackageName", None)
    container["Image"] = values.least("PrimaryContainer.Image")  # one of ECR, which needs no access through a VPC
    container["ImageConfig"] = {"RepositoryAccessMode": mode, "RepositoryAuthConfig": auth}
    return *where, "ImageConfig", "RepositoryAuthConfig"


@platform_without_auth.inside("vpc", "credentials for a private registry in a VPC")
def _auth_in_vpc(request: Body, values: Values) -> Where:
    return _auth(request, values, "Vpc")


@platform_without_auth.outside("platform", "credentials for a private registry, with images from ECR")
def _auth_on_platform(request: Body, values: Values) -> Where:
    return _auth(request, values, "Platform")


# Model data sources.

SOURCE = "botocore service-2.json, S3ModelDataSource"
DATA_SOURCE = "PrimaryContainer.ModelDataSource"


def _sources(request: Mapping[str, Any]) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield every S3DataSource of the containers with its place."""
    for where, container in containers(request):
        if source := (container.get("ModelDataSource") or {}).get("S3DataSource"):
            yield (*where, "ModelDataSource", "S3DataSource"), source
        for index, channel in enumerate(container.get("AdditionalModelDataSources") or ()):
            if source := channel.get("S3DataSource"):
                yield (*where, "AdditionalModelDataSources", index, "S3DataSource"), source


def _source(request: Body, values: Values, **members: Any) -> Where:
    """Give the first container one model data source."""
    where, container = first_container(request, values)
    for name in ("ModelDataUrl", "AdditionalModelDataSources", "Mode", "ModelPackageName"):
        container.pop(name, None)
    container.setdefault("Image", values.least("PrimaryContainer.Image"))
    source = {"S3Uri": "s3://bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"} | members
    container["ModelDataSource"] = {"S3DataSource": source}
    return *where, "ModelDataSource", "S3DataSource"


@cross_field(
    "CreateModel",
    "",
    "prefix-slash",
    "documented",
    f"{SOURCE}.S3DataType: a key prefix ends with a forward slash; text assumed",
    only_with=("ModelDataSource", "AdditionalModelDataSources"),
)
def prefix_slash(request: Body, _: Any) -> Breaches:
    """Refuse a key prefix of S3 that does not end with a slash."""
    for where, source in _sources(request):
        uri = source.get("S3Uri")
        if source.get("S3DataType") == "S3Prefix" and uri is not None and not uri.endswith("/"):
            yield (*where, "S3Uri"), uri, f'S3Uri "{uri}" of S3DataType S3Prefix has to end with a forward slash.'


@prefix_slash.repair("S3ModelDataSource")
def _end_with_slash(source: Body, repair: Repair) -> None:
    if source.get("S3DataType") == "S3Prefix" and not source["S3Uri"].endswith("/"):
        if "S3Uri" not in repair.fixed and repair.wanted.rpartition(".")[2] != "S3Uri":
            uri = source["S3Uri"]
            source["S3Uri"] = f"{uri if len(uri) < repair.most('S3Uri') else uri[:-1]}/"
        elif "S3DataType" not in repair.fixed:
            source["S3DataType"] = "S3Object"


@prefix_slash.inside("slash", "a key prefix that ends with a slash")
def _with_slash(request: Body, values: Values) -> Where:
    return *_source(request, values), "S3Uri"


@prefix_slash.outside("no-slash", "a key prefix that does not end with a slash")
def _without_slash(request: Body, values: Values) -> Where:
    return *_source(request, values, S3Uri="s3://bucket/model"), "S3Uri"


GATED = re.compile("(?:s3|https)://jumpstart-private-cache-prod-")
"""The start of an address of a gated model of JumpStart."""


@cross_field(
    "CreateModel",
    "",
    "accept-eula",
    "observed",
    "hashicorp/terraform-provider-aws#34795 (GitHub), cut off; the rest is from botocore service-2.json, ModelAccessConfig.AcceptEula",
    only_with=("ModelDataSource", "AdditionalModelDataSources"),
)
def accept_eula(request: Body, _: Any) -> Breaches:
    """Refuse a gated model of JumpStart whose licence is not accepted."""
    for where, source in _sources(request):
        uri = source.get("S3Uri") or ""
        if GATED.match(uri) and (source.get("ModelAccessConfig") or {}).get("AcceptEula") is not True:
            text = (
                "The AcceptEula value must be explicitly defined as True in order to accept the end-user license agreement (EULA) that "
                f'this "{uri}" model requires. You are responsible for reviewing and complying with any applicable license terms and '
                "making sure they are acceptable for your use case before downloading or using a model."
            )
            yield (*where, "ModelAccessConfig"), source.get("ModelAccessConfig"), text


@accept_eula.repair("S3ModelDataSource")
def _accept(source: Body, repair: Repair) -> None:
    if GATED.match(source["S3Uri"]) and "ModelAccessConfig" not in repair.fixed:
        source["ModelAccessConfig"] = {"AcceptEula": True}


def _gated(request: Body, values: Values, **members: Any) -> Where:
    return *_source(request, values, S3Uri="s3://jumpstart-private-cache-prod-us-east-1/model/", **members), "ModelAccessConfig"


@accept_eula.inside("accepted", "a gated model whose licence is accepted")
def _gated_accepted(request: Body, values: Values) -> Where:
    return _gated(request, values, ModelAccessConfig={"AcceptEula": True})


@accept_eula.outside("absent", "a gated model without ModelAccessConfig")
def _gated_absent(request: Body, values: Values) -> Where:
    return _gated(request, values)


@accept_eula.outside("false", "a gated model whose licence is not accepted")
def _gated_refused(request: Body, values: Values) -> Where:
    return _gated(request, values, ModelAccessConfig={"AcceptEula": False})


@cross_field(
    "CreateModel",
    "",
    "data-source-of-one-model",
    "documented",
    f"{CONTAINER}.ModelDataSource: not with multi-model endpoints; text assumed",
    only_with=("ModelDataSource",),
)
def data_source_of_one_model(request: Body, _: Any) -> Breaches:
    """Refuse a model data source of a container in MultiModel mode."""
    for where, container in containers(request):
        if container.get("Mode") == "MultiModel" and container.get("ModelDataSource") is not None:
            text = "ModelDataSource cannot be used by a container in Mode MultiModel."
            yield (*where, "ModelDataSource"), container["ModelDataSource"], text


@data_source_of_one_model.repair("ContainerDefinition")
def _drop_source(container: Body, repair: Repair) -> None:
    if container.get("Mode") == "MultiModel" and "ModelDataSource" in container:
        if not repair.stays("ModelDataSource"):
            del container["ModelDataSource"]
        elif "Mode" not in repair.fixed:
            container["Mode"] = "SingleModel"


def _mode_with_source(request: Body, values: Values, mode: str) -> Where:
    *where, _ = _source(request, values)
    for _, container in containers(request):
        container.pop("Mode", None)
    first_container(request, values)[1]["Mode"] = mode
    return tuple(where)


@data_source_of_one_model.inside("single", "a model data source of a container in SingleModel mode")
def _single_with_source(request: Body, values: Values) -> Where:
    return _mode_with_source(request, values, "SingleModel")


@data_source_of_one_model.outside("multi", "a model data source of a container in MultiModel mode")
def _multi_with_source(request: Body, values: Values) -> Where:
    return _mode_with_source(request, values, "MultiModel")


# Where images and packages must be.

ECR_HOST = re.compile(r"(?P<before>\d{12}\.dkr[.-]ecr(?:-fips)?\.)(?P<region>[a-z0-9-]+)\..+", re.ASCII)


@precondition(
    "CreateModel",
    "",
    "image-region",
    "observed",
    "aws/sagemaker-pytorch-inference-toolkit#7 (GitHub); documented: botocore service-2.json, ContainerDefinition.Image",
    regional=True,
)
def image_region(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse an image of ECR in another region than the call's."""
    for where, container in containers(request):
        host = ECR_HOST.fullmatch(container.get("Image") or "")
        if host and host["region"] != account.region:
            image = container["Image"]
            text = f'Region of "{image}" does not match expected region of {account.region}. Cross region ECR image pulls are not allowed.'
            yield (*where, "Image"), image, text


@image_region.repair("ContainerDefinition")
def _move_image(container: Body, repair: Repair) -> None:
    host = ECR_HOST.fullmatch(container.get("Image", ""))
    if host and host["region"] != repair.region and "Image" not in repair.fixed:
        container["Image"] = repair.least("Image")


@image_region.examples
def _images(_: Rule, setup: Setup) -> Iterator[State]:
    elsewhere = "us-west-2" if setup.region != "us-west-2" else "us-east-1"
    for side, region in zip(SIDES, (setup.region, elsewhere), strict=True):
        request = setup.make("CreateModel")
        request["PrimaryContainer"] = {"Image": f"{setup.account}.dkr.ecr.{region}.amazonaws.com/model:1"}
        label = "here" if region == setup.region else "elsewhere"
        yield State(side, label, f"an image of {region}", request, ("PrimaryContainer", "Image"))


@precondition(
    "CreateModel",
    "",
    "package-region",
    "assumed",
    "of DescribeModelPackage: aws/amazon-sagemaker-examples#1444 (GitHub)",
    regional=True,
    only_with=("ModelPackageName",),
)
def package_region(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a model package of another region than the call's."""
    for where, container in containers(request):
        parts = container.get("ModelPackageName", "").split(":")
        if len(parts) > 3 and parts[3] != account.region:
            text = f"ARN should be scoped to correct region: {account.region}"
            yield (*where, "ModelPackageName"), container["ModelPackageName"], text


@package_region.repair("ContainerDefinition")
def _move_package(container: Body, repair: Repair) -> None:
    package = container.get("ModelPackageName", "")
    if package.startswith("arn:") and "ModelPackageName" not in repair.fixed:
        # The first example of an ARN that is long enough names the region of the request.
        container["ModelPackageName"] = repair.string("ModelPackageName", len(package))


@package_region.examples
def _packages(_: Rule, setup: Setup) -> Iterator[State]:
    elsewhere = "us-west-2" if setup.region != "us-west-2" else "us-east-1"
    for side, region in zip(SIDES, (setup.region, elsewhere), strict=True):
        label = "here" if region == setup.region else "elsewhere"
        request = setup.make("CreateModel")
        request["PrimaryContainer"] = {"ModelPackageName": setup.arn("model-package/a/1", region)}
        yield State(side, label, f"a model package of {region}", request, ("PrimaryContainer", "ModelPackageName"))


def is_of_marketplace(container: Mapping[str, Any], account: Account) -> bool:
    """Whether a model package is of AWS Marketplace: of another account, and without a version, which shared ones have (assumed)."""
    parts = (container.get("ModelPackageName") or "").split(":", 5)
    return len(parts) > 5 and parts[4] != account.account and parts[5].count("/") == 1


@precondition(
    "CreateModel",
    "",
    "data-source-of-marketplace",
    "documented",
    f"{CONTAINER}.ModelDataSource: not with AWS Marketplace; text assumed",
    only_with=("ModelDataSource",),
)
def data_source_of_marketplace(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a model data source beside a model package of AWS Marketplace, which is one of another account."""
    for where, container in containers(request):
        if container.get("ModelDataSource") is not None and is_of_marketplace(container, account):
            text = "ModelDataSource cannot be used with a ModelPackageName of AWS Marketplace."
            yield (*where, "ModelDataSource"), container["ModelDataSource"], text


@data_source_of_marketplace.examples
def _packages_with_source(_: Rule, setup: Setup) -> Iterator[State]:
    other = "865070037744" if setup.account != "865070037744" else "123456789012"
    for side, label, owner in zip(SIDES, ("own", "marketplace"), (setup.account, other), strict=True):
        request = setup.make("CreateModel")
        request["PrimaryContainer"] = {
            "ModelPackageName": setup.arn("model-package/a").replace(setup.account, owner),
            "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}},
        }
        how = f"a model data source beside a package of account {owner}"
        yield State(side, label, how, request, ("PrimaryContainer", "ModelDataSource"))


@precondition(
    "CreateModel", "", "environment-of-marketplace", "reported", "a public log, no stable address", only_with=("ModelPackageName",)
)
def environment_of_marketplace(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse an environment beside a model package of AWS Marketplace."""
    for where, container in containers(request):
        if container.get("Environment") and is_of_marketplace(container, account):
            text = "Environment variable map cannot be specified when using a ModelPackage subscribed from AWS Marketplace."
            yield (*where, "Environment"), container["Environment"], text


@environment_of_marketplace.examples
def _packages_with_environment(_: Rule, setup: Setup) -> Iterator[State]:
    other = "865070037744" if setup.account != "865070037744" else "123456789012"
    for side, label, owner in zip(SIDES, ("own", "marketplace"), (setup.account, other), strict=True):
        request = setup.make("CreateModel")
        package = setup.arn("model-package/a").replace(setup.account, owner)
        request["PrimaryContainer"] = {"ModelPackageName": package, "Environment": {"A": "b"}}
        yield State(side, label, f"an environment beside a package of account {owner}", request, ("PrimaryContainer", "Environment"))
