"""A kind of resource of a test's own, which is nowhere in the package: what it takes, and that all the rest follows.

`test_a_kind.py` runs it in a process of its own, since a kind that is kept stays.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings

from pytest_smfake import sweep, validate
from pytest_smfake.cases import cases
from pytest_smfake.rules.coded import cross_field, not_taken
from pytest_smfake.rules.service_model import operation_model
from pytest_smfake.service.endpoints import ENDPOINT, ENDPOINT_CONFIG
from pytest_smfake.service.limits import Quota
from pytest_smfake.service.models import MODEL
from pytest_smfake.service.resources import Kind, Resource
from pytest_smfake.service.service import OPERATIONS, keep
from pytest_smfake.strategies import invalid_requests, requests
from tests.proof import kill

# The kind begins here.
NEEDS = "Specification.ComputeResourceRequirements"
MEMORY = f"CreateInferenceComponent/{NEEDS}:memory"


@cross_field("CreateInferenceComponent", NEEDS, "memory", "assumed", "made up")
def memory(request, bound):
    needs = request.get("Specification", {}).get("ComputeResourceRequirements", {})
    if needs.get("MaxMemoryRequiredInMb", 2**31) < needs.get("MinMemoryRequiredInMb", 0):
        yield tuple(NEEDS.split(".")), needs, "The most memory is less than the least."


@memory.repair("InferenceComponentComputeResourceRequirements")
def enough(needs, repair):
    if needs.get("MaxMemoryRequiredInMb", 2**31) < needs["MinMemoryRequiredInMb"]:
        del needs["MaxMemoryRequiredInMb"]


def with_memory(request, least, most):
    request["Specification"]["ComputeResourceRequirements"] |= {"MinMemoryRequiredInMb": least, "MaxMemoryRequiredInMb": most}
    return tuple(NEEDS.split("."))


memory.inside("equal", "as much memory as there has to be", NEEDS)(lambda request, values: with_memory(request, 1024, 1024))
memory.outside("less", "less memory than there has to be", NEEDS)(lambda request, values: with_memory(request, 1024, 512))


class Component(Resource):
    status = "InService"


def describe(request, context):
    component = context.world[COMPONENT].find(request["InferenceComponentName"])
    answer = COMPONENT.described(component, operation_model("DescribeInferenceComponent").output_shape)
    return answer | {"EndpointArn": context.world[ENDPOINT].arn(component["EndpointName"])}


COMPONENT = Kind(
    noun="InferenceComponent",
    label="inference component",
    holds=Component,
    missing='Could not find inference component "{arn}".',
    taken=not_taken("InferenceComponent", "assumed", "as of models"),
    needs=(MODEL, ENDPOINT_CONFIG, ENDPOINT),
    quotas={"inference-components": Quota("Total number of inference components", "Inference Components", 100)},
    filters={name: lambda component, value, name=name: component.get(name) == value for name in ("EndpointName", "VariantName")},
    operations={"DescribeInferenceComponent": describe},
)
keep(COMPONENT)
# The kind ends here.
# Another, a plain record that needs nothing before it, and whose plural is its own.
REPOSITORY = Kind(
    noun="CodeRepository",
    nouns="CodeRepositories",
    label="code repository",
    holds=Resource,
    missing='Could not find code repository "{arn}".',
    taken=not_taken("CodeRepository", "assumed", "as of models"),
    quotas={"code-repositories": Quota("Total number of code repositories", "Code Repositories", 100)},
)
keep(REPOSITORY)
REQUEST = {
    "InferenceComponentName": "churn",
    "EndpointName": "churn",
    "VariantName": "AllTraffic",
    "Specification": {"ModelName": "churn", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
    "RuntimeConfig": {"CopyCount": 1},
    "Tags": [{"Key": "team", "Value": "risk"}],
}


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_create_describe_list_delete_and_tags(smfake):
    client = smfake.client()
    arn = client.create_inference_component(**REQUEST)["InferenceComponentArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:inference-component/churn"
    described = client.describe_inference_component(InferenceComponentName="churn")
    assert (described["InferenceComponentStatus"], described["VariantName"]) == ("InService", "AllTraffic")
    assert described["EndpointArn"].endswith(":endpoint/churn")
    (listed,) = client.list_inference_components(NameContains="urn", StatusEquals="InService")["InferenceComponents"]
    assert (listed["InferenceComponentName"], listed["EndpointName"]) == ("churn", "churn")
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    assert smfake.resources(COMPONENT)["churn"].tags == {"team": "risk", "stage": "test"}
    assert "already existing inference component" in error_of(client.create_inference_component, **REQUEST)[1]
    client.delete_inference_component(InferenceComponentName="churn")
    assert error_of(client.describe_inference_component, InferenceComponentName="churn") == (
        "ValidationException",
        f'Could not find inference component "{arn}".',
    )


def test_a_plain_record(smfake):
    client, git = smfake.client(), {"RepositoryUrl": "https://example.com/churn"}
    client.create_code_repository(CodeRepositoryName="churn", GitConfig=git)
    (found,) = client.list_code_repositories(SortBy="LastModifiedTime", LastModifiedTimeAfter=0)["CodeRepositorySummaryList"]
    assert (found["CodeRepositoryName"], found["GitConfig"], found["LastModifiedTime"]) == ("churn", git, found["CreationTime"])
    with smfake.limit("code-repositories", 1):
        code, text = error_of(client.create_code_repository, CodeRepositoryName="other", GitConfig=git)
        assert (code, "'Total number of code repositories' is 1" in text) == ("ResourceLimitExceeded", True)


def test_limits_and_failures(smfake):
    client = smfake.client()
    with smfake.limit("inference-components", 0):
        code, text = error_of(client.create_inference_component, **REQUEST)
        assert code == "ResourceLimitExceeded"
        assert "'Total number of inference components' is 0 Inference Components" in text
    with smfake.fail("CreateInferenceComponent", "ResourceLimitExceeded"):
        assert "is 100 Inference Components" in error_of(client.create_inference_component, **REQUEST)[1]


def test_a_sweep():
    def deploy(fake):
        fake.client().create_inference_component(**REQUEST)

    runs = {run.failure: run for run in sweep(deploy, keeps=["inference-component/*"])}
    assert {run.operation for run in runs.values()} == {"CreateInferenceComponent"}
    assert isinstance(runs["ResourceLimitExceeded"].raised, ClientError)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if "InferenceComponent" in name or "CodeRepositor" in name])
def test_cases_and_the_kill_matrix(operation):
    row = kill.matrix(operation, "page")
    assert (row.survived, row.entangled, row.unseen) == ([], [], [])
    if operation == "CreateInferenceComponent":
        killed = {MEMORY, f"{operation}/Tags:unique-keys", f"{operation}/InferenceComponentName:not-taken"}
        assert killed | {f"{operation}:limit-inference-components"} <= set(row.killed)
    assert cases(operation)


def test_strategies():
    relaxed = settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))

    @relaxed
    @given(requests("CreateInferenceComponent"))
    def valid(request):
        assert validate("CreateInferenceComponent", request) == []

    @relaxed
    @given(invalid_requests("CreateInferenceComponent", rule=MEMORY))
    def invalid(drawn):
        assert {violation.rule.id for violation in validate("CreateInferenceComponent", drawn.request)} == {MEMORY}

    valid()
    invalid()
