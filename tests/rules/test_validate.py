"""The validator, keyword by keyword and rule by rule."""

from __future__ import annotations

import pytest

from pytest_smfake import Catalogue, validate
from pytest_smfake.rules.coded import CrossField, coded_rules
from pytest_smfake.rules.java_regex import LONGEST_STRING
from pytest_smfake.rules.service_model import operation_names

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/{}:1"
IMAGE = ECR.format("model")


def request(**overrides):
    base = {"ModelName": "a", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r", "PrimaryContainer": {"Image": IMAGE}}
    return {name: value for name, value in (base | overrides).items() if value is not None}


def container(**overrides):
    return request(PrimaryContainer={"Image": IMAGE} | overrides)


def pipeline(*containers, **overrides):
    return request(PrimaryContainer=None, Containers=[{"Image": IMAGE} | one for one in containers], **overrides)


def ids(*arguments, **keywords) -> list[str]:
    return [violation.rule.id.partition("/")[2] or violation.rule.id for violation in validate(*arguments, **keywords)]


C = "PrimaryContainer"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (container(Mode="MultiModel"), []),
        (container(Mode="multimodel"), [f"{C}.Mode:enum"]),
        (container(Image="a b"), [f"{C}.Image:pattern"]),
        (container(Image="i" * 255), []),
        (container(Image="i" * 256), [f"{C}.Image:max"]),
        (container(Environment={}), []),
        (container(Environment={f"K{index}": "" for index in range(100)}), []),
        (container(Environment={f"K{index}": "" for index in range(101)}), [f"{C}.Environment:max"]),
        (container(Environment={"1": "x"}), [f"{C}.Environment[key]:pattern"]),
        (container(Environment={"K" * 1025: "x"}), [f"{C}.Environment[key]:max"]),
        (container(Environment={"K": "x" * 1024}), []),
        (container(Environment={"K": "x" * 1025}), [f"{C}.Environment[value]:max"]),
        (container(Environment={"K": None}), [f"{C}.Environment[value]:required"]),
        (container(ImageConfig={}), [f"{C}.ImageConfig.RepositoryAccessMode:required"]),
        (container(ImageConfig={"RepositoryAccessMode": None}), [f"{C}.ImageConfig.RepositoryAccessMode:required"]),
        (container(AdditionalModelDataSources=[{"ChannelName": "c"}]), [f"{C}.AdditionalModelDataSources[].S3DataSource:required"]),
        (request(Tags=[{"Key": ""}]), ["Tags[].Key:min", "Tags[].Value:required"]),
        (request(Tags=[{"Key": "𝒜" * 128, "Value": "𝒜" * 256}]), []),
        (request(Tags=[{"Key": "𝒜" * 129, "Value": "𝒜" * 257}]), ["Tags[].Key:max", "Tags[].Value:max"]),
        (request(Tags=[None]), ["Tags[]:required"]),
        (request(VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}), []),
        (request(VpcConfig={"SecurityGroupIds": [], "Subnets": ["s"] * 17}), ["VpcConfig.SecurityGroupIds:min", "VpcConfig.Subnets:max"]),
        (
            request(VpcConfig={"SecurityGroupIds": ["_"], "Subnets": [None]}),
            ["VpcConfig.SecurityGroupIds[]:pattern", "VpcConfig.Subnets[]:required"],
        ),
        (request(VpcConfig={"Subnets": ["s"]}), ["VpcConfig.SecurityGroupIds:required"]),
        (request(ModelName="_" * 64), ["ModelName:max", "ModelName:pattern"]),
        (request(ModelName="_" * 1_000_000), ["ModelName:max", "ModelName:pattern"]),
        (container(ModelDataUrl="_" * LONGEST_STRING), [f"{C}.ModelDataUrl:max", f"{C}.ModelDataUrl:pattern"]),
        (container(ModelDataUrl="_" * (LONGEST_STRING + 1)), [f"{C}.ModelDataUrl:max"]),
        (pipeline({}, {"Mode": "x"}), ["Containers[].Mode:enum"]),
    ],
)
def test_constraints(body, expected):
    assert ids("CreateModel", body) == expected


@pytest.mark.parametrize(("value", "expected"), [(1, []), (100, []), (0, ["MaxResults:min"]), (101, ["MaxResults:max"])])
def test_numbers(value, expected):
    assert ids("ListModels", {"MaxResults": value}) == expected


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("ListModels", {"MaxResults": "1"}, ["MaxResults:type"]),
        ("ListModels", {"MaxResults": True}, ["MaxResults:type"]),
        ("ListModels", {"MaxResults": 1.0}, ["MaxResults:type"]),
        ("ListModels", {"MaxResults": 2**31}, ["MaxResults:type"]),
        ("ListModels", {"CreationTimeAfter": 1.5}, []),
        ("ListModels", {"CreationTimeAfter": 1}, []),
        ("ListModels", {"CreationTimeAfter": "2026"}, ["CreationTimeAfter:type"]),
        ("CreateModel", request(EnableNetworkIsolation=1), ["EnableNetworkIsolation:type"]),
        ("CreateModel", request(Tags=[[]]), ["Tags[]:type"]),
        ("CreateModel", container(Environment=[]), [f"{C}.Environment:type"]),
        ("CreateModel", container(Environment={"K": 1}), [f"{C}.Environment[value]:type"]),
        (
            "CreateModel",
            request(VpcConfig={"SecurityGroupIds": [1], "Subnets": "s"}),
            ["VpcConfig.SecurityGroupIds[]:type", "VpcConfig.Subnets:type"],
        ),
        ("CreateModel", [], ["CreateModel:type"]),
        ("CreateModel", request(ModelName="-", Tags="x"), ["Tags:type"]),
    ],
)
def test_types_hide_everything_else(operation, body, expected):
    assert ids(operation, body) == expected


def test_the_order_is_the_model_s_whatever_the_request_s():
    body = {"VpcConfig": {}, "Tags": [{"Value": "\x00", "Key": ""}] * 2, "PrimaryContainer": {"Mode": "x", "Image": " "}, "ModelName": "-"}
    expected = [
        "ModelName:pattern",
        f"{C}.Image:pattern",
        f"{C}.Mode:enum",
        "ExecutionRoleArn:required",
        *["Tags[].Key:min", "Tags[].Value:pattern"] * 2,
        "VpcConfig.SecurityGroupIds:required",
        "VpcConfig.Subnets:required",
    ]
    assert ids("CreateModel", body) == expected
    places = [violation.path for violation in validate("CreateModel", body)]
    assert places[4:8] == ["tags.1.member.key", "tags.1.member.value", "tags.2.member.key", "tags.2.member.value"]


def test_where_a_value_is():
    (violation,) = validate("CreateModel", pipeline({}, {"Environment": {"Kä": "x"}}))
    assert violation.where == ("Containers", 1, "Environment", "Kä")
    assert violation.path == "containers.2.member.environment"
    assert violation.value == "Kä"
    assert "CreateModel/Containers[].Environment[key]:pattern at containers.2.member.environment" in repr(violation)


def test_what_the_service_reads_past():
    body = request(Nope=1, Tags=[{"Key": "a", "Value": "", "Also": 1}]) | {"VpcConfig": None}
    found = Catalogue().find("CreateModel", body)
    assert found.violations == []
    assert set(found.ignored) == {("Nope",), ("Tags", 0, "Also"), ("VpcConfig",)}


MULTI = {"Mode": "MultiModel"}
BUILT_IN = "811284229777.dkr.ecr.us-east-1.amazonaws.com"
SEGMENTATION = {"Image": f"{BUILT_IN}/semantic-segmentation:1"}
FULL = {f"K{index:02}": "x" * 1021 for index in range(32)}  # 32 times 1024 bytes

AUTH = {"RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": "arn:aws:lambda:us-east-1:123456789012:function:f"}}
GATED = "s3://jumpstart-private-cache-prod-us-east-1/m/"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model/a"


def source(uri, **members):
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"} | members}


# Rule: what just keeps it, what breaks it.
BETWEEN = {
    "CreateModel:container-required": (
        [request(), pipeline({})],
        [request(PrimaryContainer=None), request(PrimaryContainer=None, Containers=[])],
    ),
    "CreateModel:one-container-form": ([request(Containers=[])], [request(Containers=[{"Image": IMAGE}])]),
    "CreateModel:image-or-package": (
        [request(PrimaryContainer={"ModelPackageName": "mine"})],
        [request(PrimaryContainer={}), request(PrimaryContainer={"Mode": "SingleModel"}), request(PrimaryContainer=None, Containers=[{}])],
    ),
    "CreateModel:image-and-package": ([], [container(ModelPackageName="mine")]),
    "CreateModel:environment-entry-bytes": (
        [container(Environment={"A": "é" * 512}), container(Environment=None)],
        [container(Environment={"A": "é" * 513}), pipeline({"Environment": {"A" * 1024: "é" * 1024}})],
    ),
    "CreateModel:platform-without-auth": (
        [container(ImageConfig=AUTH | {"RepositoryAccessMode": "Vpc"}), container(ImageConfig={"RepositoryAccessMode": "Platform"})],
        [container(ImageConfig=AUTH | {"RepositoryAccessMode": "Platform"})],
    ),
    "CreateModel:prefix-slash": (
        [container(ModelDataSource=source("s3://b/m/")), container(ModelDataSource=source("s3://b/m", S3DataType="S3Object"))],
        [
            container(ModelDataSource=source("s3://b/m")),
            pipeline({"AdditionalModelDataSources": [{"ChannelName": "c", **source("s3://b/m")}]}),
        ],
    ),
    "CreateModel:accept-eula": (
        [container(ModelDataSource=source(GATED, ModelAccessConfig={"AcceptEula": True})), container(ModelDataSource=source("s3://b/m/"))],
        [
            container(ModelDataSource=source(GATED)),
            container(ModelDataSource=source(GATED, ModelAccessConfig={"AcceptEula": False})),
            container(ModelDataSource=source(GATED.replace("us-east-1", "eu-west-1"), ModelAccessConfig=None)),
        ],
    ),
    "CreateModel:data-source-of-one-model": (
        [container(ModelDataSource=source("s3://b/m/")), container(Mode="MultiModel", ModelDataUrl="s3://b/m/")],
        [container(Mode="MultiModel", ModelDataSource=source("s3://b/m/"))],
    ),
    "DeleteTags/TagKeys:reserved-prefix": (
        [{"ResourceArn": ARN, "TagKeys": ["aws", "x"]}],
        [{"ResourceArn": ARN, "TagKeys": ["x", "aws:x"]}],
    ),
    "CreateModel/Tags:unique-keys": (
        [request(Tags=[{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}])],
        [request(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}, {"Key": "a", "Value": "2"}])],
    ),
    "AddTags/Tags:unique-keys": (
        [],
        [{"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/a", "Tags": [{"Key": "a", "Value": ""}] * 2}],
    ),
    "CreateModel/Containers[].ContainerHostname:all-or-none": (
        [pipeline({}, {}), pipeline({"ContainerHostname": "a"}, {"ContainerHostname": "b"})],
        [pipeline({"ContainerHostname": "a"}, {})],
    ),
    "CreateModel/Containers[].ContainerHostname:unique": ([], [pipeline({"ContainerHostname": "a"}, {"ContainerHostname": "a"})]),
    "CreateModel/Containers[].ContainerHostname:direct": (
        [
            pipeline({"ContainerHostname": "a"}, InferenceExecutionConfig={"Mode": "Direct"}),
            pipeline({}, InferenceExecutionConfig={"Mode": "Serial"}),
        ],
        [pipeline({}, {}, InferenceExecutionConfig={"Mode": "Direct"})],
    ),
    "CreateModel/Containers[].Mode:one-multi-model": (
        [
            pipeline(MULTI, {}),
            pipeline(MULTI | {"ContainerHostname": "a"}, MULTI | {"ContainerHostname": "b"}, InferenceExecutionConfig={"Mode": "Direct"}),
        ],
        [pipeline(MULTI, MULTI)],
    ),
    "CreateModel/EnableNetworkIsolation:semantic-segmentation": (
        [
            container(**SEGMENTATION) | {"EnableNetworkIsolation": False},
            container(Image=ECR.format("my-semantic-segmentation")) | {"EnableNetworkIsolation": True},
            container(Image=ECR.format("semantic-segmentation")) | {"EnableNetworkIsolation": True},
            container(Image=f"{BUILT_IN}/my/semantic-segmentation:1") | {"EnableNetworkIsolation": True},
        ],
        [
            container(**SEGMENTATION) | {"EnableNetworkIsolation": True},
            pipeline({}, {"Image": f"{BUILT_IN}/semantic-segmentation@sha256:0"}, EnableNetworkIsolation=True),
            container(Image="semantic-segmentation") | {"EnableNetworkIsolation": True},
        ],
    ),
    "CreateModel:ecr-image": (
        [
            request(),
            container(Image="mine:1", ImageConfig={"RepositoryAccessMode": "Vpc"}),
            container(Image="123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a"),
            container(Image="123456789012.dkr-ecr.us-east-1.on.aws/a"),
            container(Image="123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b@sha256:1"),
        ],
        [container(Image="mine:1"), container(Image="public.ecr.aws/a/b", ImageConfig={"RepositoryAccessMode": "Platform"})],
    ),
    "CreateModel:environment-bytes": (
        [
            container(Environment=FULL),
            pipeline({"Environment": dict(list(FULL.items())[:16])}, {"Environment": dict(list(FULL.items())[16:])}),
        ],
        [
            container(Environment=FULL | {"X": ""}),
            container(Environment=FULL | {"K00": "x" * 1020 + "ä"}),
            pipeline({"Environment": FULL}, {"Environment": {"X": ""}}),
        ],
    ),
}


def config(*variants, **more):
    named = [{"VariantName": f"v{index}"} | ONE | variant for index, variant in enumerate(variants)]
    cleaned = [{name: value for name, value in variant.items() if value is not ...} for variant in named]
    return {"EndpointConfigName": "c", "ProductionVariants": cleaned} | more


def serverless(**changes):
    return SERVERLESS | {"ServerlessConfig": SERVERLESS["ServerlessConfig"] | changes}


def shadow(variant):
    return config(variant | {"VariantName": "shadow"})["ProductionVariants"][0]


def metrics(frequency):
    return {"MetricPublishFrequencyInSeconds": frequency}


ONE = {"ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
SERVERLESS = {"InstanceType": ..., "InitialInstanceCount": ..., "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
SHADOW = {"VariantName": "shadow"} | ONE
CAPTURE = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://bucket/c", "CaptureOptions": [{"CaptureMode": "Input"}]}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
POOLS = {"InstanceType": ..., "InstancePools": [{"InstanceType": "ml.m5.xlarge", "Priority": 1}]}
JOB = {
    "TransformJobName": "j",
    "ModelName": "m",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
    "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
}
ENDPOINT = {"EndpointName": "e", "EndpointConfigName": "c"}
TWICE = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
ROLE_OF_CONFIG = {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/r"}
BETWEEN |= {
    f"{operation}/Tags:unique-keys": ([body, body | {"Tags": TWICE[:1]}], [body | {"Tags": TWICE}])
    for operation, body in (("CreateEndpointConfig", config({})), ("CreateEndpoint", ENDPOINT), ("CreateTransformJob", JOB))
}
BETWEEN |= {
    f"{operation}/Tags:reserved-prefix": (
        [body | {"Tags": [{"Key": "aws", "Value": ""}, {"Key": "my-aws:", "Value": ""}]}],
        [body | {"Tags": [{"Key": "a", "Value": ""}, {"Key": "aws:x", "Value": ""}]}],
    )
    for operation, body in (
        ("CreateModel", request()),
        ("AddTags", {"ResourceArn": ARN}),
        ("CreateEndpointConfig", config({})),
        ("CreateEndpoint", ENDPOINT),
        ("CreateTransformJob", JOB),
    )
}
BETWEEN |= {
    "CreateEndpointConfig/ProductionVariants[].VariantName:unique": (
        [config({}, {}), config({}, ShadowProductionVariants=[SHADOW])],
        [config({}, {"VariantName": "v0"}), config({}, ShadowProductionVariants=[{"VariantName": "v0"} | ONE])],
    ),
    "CreateEndpointConfig/ProductionVariants[]:capacity": (
        [config({}), config(SERVERLESS), config(POOLS)],
        [
            config({"InstanceType": ..., "InitialInstanceCount": ...}),
            config({"InitialInstanceCount": ...}),
            config(SERVERLESS | {"InstanceType": "ml.m5.xlarge"}),
        ],
    ),
    "CreateEndpointConfig/ProductionVariants[].ModelName:model-or-role": (
        [config({}), config({"ModelName": ...}, **ROLE_OF_CONFIG)],
        [config({"ModelName": ...})],
    ),
    "CreateEndpointConfig/ProductionVariants[].ManagedInstanceScaling:inference-components": (
        [
            config({"ModelName": ..., "ManagedInstanceScaling": {"MinInstanceCount": 0}}, **ROLE_OF_CONFIG),
            config({"ModelName": ..., "ManagedInstanceScaling": {"Status": "ENABLED"}}, **ROLE_OF_CONFIG),
        ],
        [config({"ManagedInstanceScaling": {"MinInstanceCount": 0}})],
    ),
    "CreateEndpointConfig/ProductionVariants[].ManagedInstanceScaling:scaling-with-model": (
        [
            config({"ModelName": ..., "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1}}, **ROLE_OF_CONFIG),
            config({"ManagedInstanceScaling": {"Status": "DISABLED", "MinInstanceCount": 1}}),
            config({"ManagedInstanceScaling": {}}),
        ],
        [
            config({"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1}}),
            config({"ManagedInstanceScaling": {"Status": "ENABLED", "MaxInstanceCount": 3}}, **ROLE_OF_CONFIG),
            config({}, ShadowProductionVariants=[SHADOW | {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 2}}]),
        ],
    ),
    "CreateEndpointConfig/EnableNetworkIsolation:isolation-with-model": (
        [
            config({}, EnableNetworkIsolation=False, **ROLE_OF_CONFIG),
            config({"ModelName": ...}, EnableNetworkIsolation=True, **ROLE_OF_CONFIG),
        ],
        [
            config({}, EnableNetworkIsolation=True, **ROLE_OF_CONFIG),
            config({"ModelName": ...}, ShadowProductionVariants=[SHADOW], EnableNetworkIsolation=True, **ROLE_OF_CONFIG),
        ],
    ),
    "CreateEndpointConfig/ProductionVariants[].VolumeSizeInGB:own-storage": (
        [
            *(config({"InstanceType": f"ml.{name}.xlarge", "VolumeSizeInGB": 64}) for name in ("c5", "m6g", "inf2")),
            *(config({"InstanceType": f"ml.{name}.xlarge"}) for name in ("g5", "c5d")),
        ],
        [
            *(
                config({"InstanceType": f"ml.{name}", "VolumeSizeInGB": 64})
                for name in ("c5d.xlarge", "m6gd.large", "g4dn.xlarge", "p4d.24xlarge", "g5.2xlarge", "g6e.xlarge", "p5en.48xlarge")
            ),
            config({}, ShadowProductionVariants=[SHADOW | {"InstanceType": "ml.trn1.2xlarge", "VolumeSizeInGB": 1}]),
        ],
    ),
    "CreateEndpointConfig/ProductionVariants[].ServerlessConfig.MemorySizeInMB:values": (
        [config(serverless(MemorySizeInMB=size)) for size in (1024, 3072, 6144)],
        [config(serverless(MemorySizeInMB=size)) for size in (1025, 1500, 6143)],
    ),
    "CreateEndpointConfig/ProductionVariants[].ServerlessConfig.ProvisionedConcurrency:at-most-max": (
        [config(serverless(MaxConcurrency=5, ProvisionedConcurrency=provisioned)) for provisioned in (1, 5)],
        [config(serverless(MaxConcurrency=5, ProvisionedConcurrency=provisioned)) for provisioned in (6, 10)],
    ),
    "CreateEndpointConfig/ProductionVariants[].ServerlessConfig:alone": (
        [config(SERVERLESS), config({}, {})],
        [config(SERVERLESS, {}), config({}, {}, SERVERLESS), config(SERVERLESS, SERVERLESS)],
    ),
    "CreateEndpointConfig/DataCaptureConfig:serverless": (
        [
            config(SERVERLESS, DataCaptureConfig=CAPTURE | {"EnableCapture": False}),
            config({}, DataCaptureConfig=CAPTURE),
            config({}, DataCaptureConfig=CAPTURE | {"CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}),
        ],
        [config(SERVERLESS, DataCaptureConfig=CAPTURE), config(SERVERLESS, DataCaptureConfig=CAPTURE | {"EnableCapture": True})],
    ),
    "CreateEndpointConfig/ShadowProductionVariants:one-each": (
        [config({}, ShadowProductionVariants=[SHADOW])],
        [
            config({}, {}, ShadowProductionVariants=[SHADOW]),
            config({}, ShadowProductionVariants=[SHADOW, SHADOW | {"VariantName": "other"}]),
        ],
    ),
    "CreateEndpointConfig/ShadowProductionVariants:exclusions": (
        [config({}, AsyncInferenceConfig=ASYNC), config({"InstanceType": "ml.inf1.xlarge"})],
        [
            config({}, ShadowProductionVariants=[shadow(SERVERLESS)]),
            config(SERVERLESS, ShadowProductionVariants=[SHADOW]),
            config({"InstanceType": "ml.inf1.xlarge"}, ShadowProductionVariants=[SHADOW]),
            config({}, ShadowProductionVariants=[SHADOW | {"InstanceType": "ml.inf1.2xlarge"}]),
            config({}, ShadowProductionVariants=[SHADOW], AsyncInferenceConfig=ASYNC),
        ],
    ),
    "CreateEndpointConfig/MetricsConfig.MetricPublishFrequencyInSeconds:values": (
        [
            config({}, MetricsConfig={"EnableEnhancedMetrics": True}),
            *(config({}, MetricsConfig=metrics(number)) for number in (10, 60, 300)),
        ],
        [config({}, MetricsConfig=metrics(number)) for number in (-1, 0, 7, 61, 301)],
    ),
    "CreateTransformJob/MaxPayloadInMB:payload-in-all": (
        [
            JOB | {"MaxPayloadInMB": 100},
            JOB | {"MaxPayloadInMB": 10, "MaxConcurrentTransforms": 10},
            JOB | {"MaxConcurrentTransforms": 200},
        ],
        [JOB | {"MaxPayloadInMB": 101}, JOB | {"MaxPayloadInMB": 10, "MaxConcurrentTransforms": 11}],
    ),
}


CROSS_FIELDS = [coded for coded in coded_rules() if isinstance(coded, CrossField)]


def test_every_cross_field_rule_is_here():
    assert set(BETWEEN) == {cross_field.rule.id for cross_field in CROSS_FIELDS}


CASES = [
    pytest.param(cross_field, edition, id=f"{cross_field.rule.id}-{edition}")
    for cross_field in CROSS_FIELDS
    for edition in cross_field.editions or ("page",)  # one that is off is asked for
]


@pytest.mark.parametrize(("cross_field", "edition"), CASES)
def test_between_members(cross_field, edition):
    assert cross_field.rule.id in BETWEEN, "a rule between members has a line in the table above"
    kept, broken = BETWEEN[cross_field.rule.id]
    operation = cross_field.rule.operation
    asked = {} if cross_field.editions else {cross_field.rule.id: True}
    for body in kept:
        assert validate(operation, body, edition=edition, rules=asked) == []
    for body in broken:
        violations = validate(operation, body, edition=edition, rules=asked)
        assert [violation.rule.id for violation in violations] == [cross_field.rule.id]
        assert violations[0].text
        assert validate(operation, body, edition=edition, rules={cross_field.rule.id: None}) == []


@pytest.mark.parametrize("cross_field", [one for one in CROSS_FIELDS if len(one.editions) == 1], ids=lambda one: one.rule.id)
def test_a_rule_of_one_edition_is_not_in_the_other(cross_field):
    other = "sdk" if cross_field.editions == ("page",) else "page"
    assert validate("CreateModel", BETWEEN[cross_field.rule.id][1][0], edition=other) == []


def test_constraints_hide_what_is_between_members():
    assert ids("CreateModel", request(PrimaryContainer=None, ModelName="-")) == ["ModelName:pattern"]


def test_a_shape_that_holds_itself():
    inner = {"SubExpressions": [{"SubExpressions": [{"Operator": "x"}]}]}
    found = validate("Search", {"Resource": "Endpoint", "SearchExpression": {"SubExpressions": [inner]}})
    assert [violation.path for violation in found] == [
        "searchExpression.subExpressions.1.member.subExpressions.1.member.subExpressions.1.member.operator"
    ]
    found = validate("Search", {"Resource": "Endpoint", "SearchExpression": {"SubExpressions": []}})
    assert [violation.rule.keyword for violation in found] == ["min"]


def test_every_operation_of_the_sdk_is_validated():
    for name in sorted(operation_names()):
        for half in (name, f"{name}.response"):
            for edition in ("page", "sdk"):
                required = {
                    rule.id for rule in Catalogue(edition).rules(half) if rule.keyword == "required" and not set(".[") & set(rule.path)
                }
                found = Catalogue(edition).validate(half, {})
                assert {violation.rule.id for violation in found if violation.rule.is_constraint} == required


def test_numbers_that_have_no_upper_bound():
    body = {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/a"}
    assert ids("ListTags", body | {"MaxResults": 2**31 - 1}) == []
    assert ids("ListTags", body | {"MaxResults": 49}) == ["MaxResults:min"]


@pytest.mark.parametrize("key", [5, None, True, b"a", 1.5])
def test_keys_that_are_no_text(key):
    assert validate("CreateModel", {"PrimaryContainer": {"Environment": {key: 6, "B": "c"}}}) != []


def test_a_number_that_python_does_not_print():
    (violation, *_) = validate("CreateModel", {"ModelName": 10**5000})
    assert "a number too long to print" in repr(violation)


@pytest.mark.parametrize("rules", [5, {5: 1}, ["CreateModel/Tags:max"]])
def test_overrides_that_are_none(rules):
    with pytest.raises(ValueError, match="is not a dict, such as {'CreateModel/Containers:max': 15}"):
        validate("CreateModel", {}, rules=rules)


def test_an_operation_that_is_no_text():
    with pytest.raises(ValueError, match="None is not an operation of SageMaker, such as 'CreateModel'"):
        validate(None, {})


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB is 101, and cannot exceed 100 MB."),
        ({"MaxPayloadInMB": 101, "MaxConcurrentTransforms": 0}, "MaxPayloadInMB is 101, and cannot exceed 100 MB."),
        (
            {"MaxPayloadInMB": 51, "MaxConcurrentTransforms": 2},
            "MaxPayloadInMB times MaxConcurrentTransforms is 102, and cannot exceed 100 MB.",
        ),
    ],
)
def test_the_text_names_what_was_sent(members, text):
    (violation,) = validate("CreateTransformJob", JOB | members)
    assert violation.text == text
