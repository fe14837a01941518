"""What each operation does, as a boto3 client sees it."""

from __future__ import annotations

import datetime

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker, validate


def error_of(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_create_returns_the_arn(smfake, smfake_client):
    response = smfake_client.create_model(**smfake.request(ModelName="churn"))
    assert response["ModelArn"] == "arn:aws:sagemaker:us-east-1:123456789012:model/churn"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert validate("CreateModel.response", {"ModelArn": response["ModelArn"]}) == []


def test_a_model_reads_like_its_request(smfake, smfake_client):
    request = smfake.request(ModelName="churn", Tags=[{"Key": "team", "Value": "ml"}])
    smfake_client.create_model(**request)
    model = smfake.models["churn"]
    assert model == request
    assert model.arn.endswith(":model/churn")
    assert model.tags == {"team": "ml"}
    assert model.created == pytest.approx(smfake.clock.now(), abs=60)


def test_a_model_cannot_be_changed_from_outside(smfake):
    smfake.add_model(ModelName="churn")
    smfake.models["churn"]["PrimaryContainer"]["Image"] = "changed"
    smfake.models["churn"].tags["new"] = "tag"
    assert smfake.models["churn"]["PrimaryContainer"]["Image"] == smfake.image
    assert smfake.models["churn"].tags == {}


def test_an_unknown_model_is_named_with_those_there_are(smfake):
    smfake.add_model(ModelName="churn")
    with pytest.raises(KeyError, match=r"no model 'other' in us-east-1.*models: churn"):
        smfake.models["other"]


def test_the_second_model_of_a_name_is_refused(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    assert error_of(smfake_client.create_model, **smfake.request(ModelName="churn")) == (
        'ValidationException: Cannot create already existing model "arn:aws:sagemaker:us-east-1:123456789012:model/churn".'
    )


def test_names_differ_by_case(smfake, smfake_client):
    smfake_client.create_model(**smfake.request(ModelName="churn"))
    smfake_client.create_model(**smfake.request(ModelName="Churn"))
    assert list(smfake.models) == ["churn", "Churn"]


def test_a_rejected_request_leaves_nothing(smfake, smfake_client):
    with pytest.raises(ClientError):
        smfake_client.create_model(**smfake.request(ModelName="churn", Tags=[{"Key": "a", "Value": "\x00"}]))
    assert dict(smfake.models) == {}
    smfake_client.create_model(**smfake.request(ModelName="churn"))


def test_describe_fills_in_what_the_service_fills_in(smfake, smfake_client):
    smfake_client.create_model(**smfake.request(ModelName="churn", Tags=[{"Key": "a", "Value": "b"}]))
    answer = smfake_client.describe_model(ModelName="churn")
    created = answer.pop("CreationTime")
    del answer["ResponseMetadata"]
    assert created.timestamp() == smfake.models["churn"].created
    assert answer == {
        "ModelName": "churn",
        "ModelArn": smfake.models["churn"].arn,
        "ExecutionRoleArn": smfake.role_arn,
        "EnableNetworkIsolation": False,
        "DeploymentRecommendation": {"RecommendationStatus": "COMPLETED", "RealTimeInferenceRecommendations": []},
        "PrimaryContainer": {
            "Image": smfake.image,
            "Mode": "SingleModel",
            "ModelDataUrl": smfake.model_data_url,
            "ModelDataSource": {
                "S3DataSource": {"S3Uri": smfake.model_data_url, "S3DataType": "S3Object", "CompressionType": "Gzip"},
            },
            "Environment": {},
        },
    }


def test_describe_of_a_pipeline(smfake, smfake_client):
    containers = [{"Image": smfake.image, "Environment": {"A": "1"}}, {"Image": smfake.image, "Mode": "MultiModel"}]
    request = smfake.request(PrimaryContainer=None, Containers=containers, EnableNetworkIsolation=True)
    smfake_client.create_model(**request)
    answer = smfake_client.describe_model(ModelName="model")
    assert {"PrimaryContainer", "VpcConfig", "Tags"}.isdisjoint(answer)
    assert answer["InferenceExecutionConfig"] == {"Mode": "Serial"}
    assert answer["EnableNetworkIsolation"] is True
    assert answer["DeploymentRecommendation"] == {"RecommendationStatus": "NOT_APPLICABLE"}
    assert [container["Mode"] for container in answer["Containers"]] == ["SingleModel", "MultiModel"]
    assert [container["Environment"] for container in answer["Containers"]] == [{"A": "1"}, {}]


def test_describe_echoes_every_member_given(smfake, smfake_client):
    container = {
        "Image": smfake.image,
        "ContainerHostname": "first",
        "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://b/k/", "S3DataType": "S3Prefix", "CompressionType": "None"}},
        "Environment": {"A": "1"},
    }
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    smfake_client.create_model(**smfake.request(PrimaryContainer=container, VpcConfig=vpc))
    answer = smfake_client.describe_model(ModelName="model")
    assert answer["PrimaryContainer"] == container | {"Mode": "SingleModel"}
    assert answer["VpcConfig"] == vpc


def test_describe_leaves_out_an_empty_list_of_containers(smfake, smfake_client):
    smfake_client.create_model(**smfake.request(Containers=[]))
    assert "Containers" not in smfake_client.describe_model(ModelName="model")


@pytest.mark.parametrize("operation", ["describe_model", "delete_model"])
def test_a_missing_model(operation, smfake, smfake_client):
    assert error_of(getattr(smfake_client, operation), ModelName="nope") == (
        'ValidationException: Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/nope".'
    )


def test_delete_frees_the_name_and_answers_with_an_empty_body(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    answer = smfake_client.delete_model(ModelName="churn")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "0"
    assert "churn" not in smfake.models
    smfake_client.create_model(**smfake.request(ModelName="churn"))


class TestListModels:
    @pytest.fixture
    def names(self, smfake):
        """Ten models, a minute apart, whose order by name is not that of their creation."""
        names = [f"m-{(7 * index) % 10}" for index in range(10)]
        for name in names:
            smfake.add_model(ModelName=name)
            smfake.clock.advance(60)
        return names

    @staticmethod
    def listed(client, **arguments):
        return [model["ModelName"] for model in client.list_models(**arguments)["Models"]]

    def test_newest_first_by_default(self, names, smfake_client):
        assert self.listed(smfake_client) == names[::-1]

    @pytest.mark.parametrize("sort_by", ["Name", "CreationTime"])
    @pytest.mark.parametrize("order", ["Ascending", "Descending"])
    @pytest.mark.parametrize("size", [1, 3, 10, 100])
    def test_sorted_and_paged(self, names, smfake_client, sort_by, order, size):
        expected = sorted(names) if sort_by == "Name" else names
        expected = expected if order == "Ascending" else expected[::-1]
        paginator = smfake_client.get_paginator("list_models")
        pages = list(paginator.paginate(SortBy=sort_by, SortOrder=order, PaginationConfig={"PageSize": size}))
        sizes = [len(page["Models"]) for page in pages]
        assert [model["ModelName"] for page in pages for model in page["Models"]] == expected
        assert all(found == size for found in sizes[:-1])

    def test_sorting_by_name_is_descending_by_default_too(self, names, smfake_client):
        assert self.listed(smfake_client, SortBy="Name") == sorted(names, reverse=True)

    def test_a_page_has_ten_models_by_default(self, names, smfake, smfake_client):
        smfake.add_model(ModelName="eleventh")
        first = smfake_client.list_models()
        assert len(first["Models"]) == 10
        assert [model["ModelName"] for model in smfake_client.list_models(NextToken=first["NextToken"])["Models"]] == [names[0]]

    def test_the_page_is_cut_before_the_name_filter(self, names, smfake_client):
        first = smfake_client.list_models(MaxResults=3, NameContains=names[0])
        assert first["Models"] == []
        pages = smfake_client.get_paginator("list_models").paginate(NameContains=names[0], PaginationConfig={"PageSize": 3})
        assert [model["ModelName"] for page in pages for model in page["Models"]] == [names[0]]

    def test_time_filters(self, names, smfake, smfake_client):
        # Whole seconds: botocore sends no fractions.
        middle = datetime.datetime.fromtimestamp(int(smfake.models[names[5]].created) - 1, datetime.UTC)
        assert self.listed(smfake_client, CreationTimeAfter=middle) == names[:4:-1]
        assert self.listed(smfake_client, CreationTimeBefore=middle) == names[4::-1]

    def test_time_filters_are_closed_below_and_open_above(self, smfake):
        smfake.add_model(ModelName="churn")
        created = smfake.models["churn"].created
        for filters, expected in (({"CreationTimeAfter": created}, 1), ({"CreationTimeBefore": created}, 0)):
            answer = smfake.service.execute("ListModels", filters, smfake.home)
            assert len(answer["Models"]) == expected

    def test_a_model_deleted_between_two_pages(self, names, smfake_client):
        first = smfake_client.list_models(MaxResults=5)
        for model in first["Models"][-2:]:
            smfake_client.delete_model(ModelName=model["ModelName"])
        assert self.listed(smfake_client, NextToken=first["NextToken"]) == names[4::-1]

    @pytest.mark.parametrize("token", ["bad", "W10=", "eA==", "é", "W1tdXQ=="])
    def test_a_bad_token(self, token, smfake_client):
        assert error_of(smfake_client.list_models, NextToken=token) == f"ValidationException: Invalid NextToken: {token}"

    def test_a_token_of_another_list(self, names, smfake_client, smfake):
        token = smfake_client.list_models(MaxResults=1)["NextToken"]
        assert error_of(smfake_client.list_models, NextToken=token, SortBy="Name").startswith("ValidationException: Invalid NextToken")
        elsewhere = smfake.client(region_name="eu-west-1")
        assert error_of(elsewhere.list_models, NextToken=token).startswith("ValidationException: Invalid NextToken")

    def test_summaries(self, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        (summary,) = smfake_client.list_models()["Models"]
        assert summary.pop("CreationTime").timestamp() == smfake.models["churn"].created
        assert summary == {"ModelName": "churn", "ModelArn": smfake.models["churn"].arn}

    def test_no_models(self, smfake_client):
        answer = smfake_client.list_models()
        assert answer["Models"] == []
        assert "NextToken" not in answer

    @pytest.mark.parametrize(("arguments", "verdict"), [({"MaxResults": 101}, "less"), ({"MaxResults": 0}, "greater")])
    def test_the_bounds_of_max_results(self, arguments, verdict, smfake):
        client = smfake.client(config=Config(parameter_validation=False))
        text = error_of(client.list_models, **arguments)
        assert f"at 'maxResults' failed to satisfy constraint: Member must have value {verdict} than or equal to" in text


class TestTags:
    @pytest.fixture
    def arn(self, smfake):
        smfake.add_model(ModelName="churn", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        return smfake.models["churn"].arn

    def test_add_merges_by_key(self, arn, smfake, smfake_client):
        answer = smfake_client.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}])
        assert answer["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]
        assert smfake.models["churn"].tags == {"a": "1", "b": "3", "c": "4"}
        assert smfake.models["churn"]["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]

    def test_fifty_in_all(self, arn, smfake, smfake_client):
        tags = [{"Key": f"k{index}", "Value": ""} for index in range(49)]
        assert "at most 50 tags" in error_of(smfake_client.add_tags, ResourceArn=arn, Tags=tags)
        assert smfake.models["churn"].tags == {"a": "1", "b": "2"}
        smfake_client.add_tags(ResourceArn=arn, Tags=tags[:48])
        smfake_client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "new"}])
        assert len(smfake.models["churn"].tags) == 50

    @pytest.mark.smfake(rules={"AddTags/Tags:in-all": 60})
    def test_pages(self, arn, smfake_client):
        smfake_client.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{index}", "Value": ""} for index in range(50)])
        first = smfake_client.list_tags(ResourceArn=arn)
        assert len(first["Tags"]) == 50
        second = smfake_client.list_tags(ResourceArn=arn, NextToken=first["NextToken"])
        assert [tag["Key"] for tag in second["Tags"]] == ["k48", "k49"]
        assert "NextToken" not in second

    def test_delete(self, arn, smfake, smfake_client):
        smfake_client.delete_tags(ResourceArn=arn, TagKeys=["a", "not-there"])
        assert smfake.models["churn"].tags == {"b": "2"}
        assert smfake_client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]

    @pytest.mark.parametrize(
        "arn",
        [
            "arn:aws:sagemaker:us-east-1:123456789012:model/nope",
            "arn:aws:sagemaker:eu-west-1:123456789012:model/churn",
            "arn:aws:sagemaker:us-east-1:111122223333:model/churn",
            "arn:aws-cn:sagemaker:us-east-1:123456789012:model/churn",
        ],
    )
    def test_a_resource_that_does_not_exist(self, arn, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        expected = "ValidationException: Resource does not exist"
        assert error_of(smfake_client.list_tags, ResourceArn=arn) == expected
        assert error_of(smfake_client.add_tags, ResourceArn=arn, Tags=[]) == expected
        assert error_of(smfake_client.delete_tags, ResourceArn=arn, TagKeys=["a"]) == expected

    def test_a_resource_that_the_fake_does_not_keep(self, smfake_client):
        arn = "arn:aws:sagemaker:us-east-1:123456789012:space/d-1/mine"
        assert error_of(smfake_client.list_tags, ResourceArn=arn).startswith(f"NotImplemented: ListTags for {arn} is not implemented")

    def test_a_bad_token(self, arn, smfake_client):
        assert error_of(smfake_client.list_tags, ResourceArn=arn, NextToken="bad") == "ValidationException: Invalid NextToken: bad"


class TestWorlds:
    def test_regions_are_apart(self, smfake, smfake_client):
        smfake_client.create_model(**smfake.request(ModelName="churn"))
        elsewhere = smfake.client(region_name="eu-west-1")
        assert elsewhere.create_model(**smfake.at(region="eu-west-1").request(ModelName="churn"))["ModelArn"].startswith(
            "arn:aws:sagemaker:eu-west-1:"
        )
        assert list(smfake.at(region="eu-west-1").models) == ["churn"]
        assert elsewhere.list_models()["Models"][0]["ModelArn"] != smfake.models["churn"].arn

    def test_accounts_are_apart(self, smfake, smfake_client):
        other = smfake.client(account="111122223333")
        other.create_model(**smfake.request(ModelName="churn"))
        assert smfake_client.list_models()["Models"] == []
        assert smfake.at(account="111122223333").models["churn"].arn == "arn:aws:sagemaker:us-east-1:111122223333:model/churn"

    @pytest.mark.filterwarnings("ignore:'mars-central-1' is not a region")
    @pytest.mark.parametrize(
        ("region", "partition"),
        [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-west-2", "aws"), ("mars-central-1", "aws")],
    )
    def test_partitions(self, region, partition):
        with FakeSageMaker(region=region) as fake:
            request = fake.request(ModelName="churn")
            assert request["ExecutionRoleArn"].startswith(f"arn:{partition}:iam::")
            assert fake.client().create_model(**request)["ModelArn"] == f"arn:{partition}:sagemaker:{region}:123456789012:model/churn"

    def test_a_package_of_another_region(self, smfake, smfake_client):
        arn = "arn:aws:sagemaker:{}:123456789012:model-package/mine"
        container = {"ModelPackageName": arn.format("us-west-2")}
        assert error_of(smfake_client.create_model, **smfake.request(PrimaryContainer=container)) == (
            "ValidationException: ARN should be scoped to correct region: us-east-1"
        )
        smfake_client.create_model(**smfake.request(PrimaryContainer={"ModelPackageName": arn.format("us-east-1")}))
        smfake_client.create_model(**smfake.request(ModelName="by-name", PrimaryContainer={"ModelPackageName": "mine"}))


class TestOverrides:
    @pytest.mark.smfake(rules={"CreateModel/ModelName:not-taken": None})
    def test_a_name_may_be_taken_where_the_rule_is_off(self, smfake, smfake_client):
        smfake_client.create_model(**smfake.request(ModelName="churn"))
        smfake_client.create_model(**smfake.request(ModelName="churn", EnableNetworkIsolation=True))
        assert smfake.models["churn"]["EnableNetworkIsolation"] is True
        assert len(smfake.models) == 1

    @pytest.mark.smfake(rules={"CreateModel:package-region": None, "CreateModel/Containers:max": 6})
    def test_more_containers(self, smfake, smfake_client):
        containers = [{"Image": smfake.image}] * 6
        smfake_client.create_model(**smfake.request(PrimaryContainer=None, Containers=containers))
        assert len(smfake.models["model"]["Containers"]) == 6


class TestAddModel:
    def test_it_refuses_what_the_service_refuses(self, smfake):
        smfake.add_model(ModelName="churn")
        with pytest.raises(ValueError, match="Cannot create already existing model"):
            smfake.add_model(ModelName="churn")
        with pytest.raises(ValueError, match="1 validation error detected: Value '-' at 'modelName'"):
            smfake.add_model(ModelName="-")

    def test_it_keeps_a_copy(self, smfake):
        container = {"Image": smfake.image, "ModelDataUrl": None}
        smfake.add_model(ModelName="churn", PrimaryContainer=container)
        assert container == {"Image": smfake.image, "ModelDataUrl": None}
        container["Image"] = "changed"
        assert smfake.models["churn"]["PrimaryContainer"] == {"Image": smfake.image}

    @pytest.mark.parametrize(
        ("members", "sentence"),
        [
            ({"Modelname": "churn"}, "CreateModel has no member 'Modelname'; did you mean 'ModelName'\\?; its members are: ModelName, "),
            ({"churn": 1}, "CreateModel has no member 'churn'; its members are: ModelName, "),
            ({"self": "churn"}, "CreateModel has no member 'self'"),
            (
                {"Tags": [{"key": "a", "Value": "b"}]},
                r"CreateModel's Tags\[0\] has no member 'key'; did you mean 'Key'\?; its members are: Key",
            ),
            (
                {"PrimaryContainer": {"Image": "i", "ModelDataURL": "s3://a"}},
                "CreateModel's PrimaryContainer has no member 'ModelDataURL'; did you mean 'ModelDataUrl'",
            ),
            ({"VpcConfig": {"Subnet": ["a"]}}, "CreateModel's VpcConfig has no member 'Subnet'; did you mean 'Subnets'"),
        ],
        ids=str,
    )
    def test_an_unknown_member_is_an_error_in_every_helper(self, smfake, members, sentence):
        for helper in (smfake.add_model, smfake.request, smfake.at(region="eu-west-1").add_model, smfake.at(region="eu-west-1").request):
            with pytest.raises(ValueError, match=sentence):
                helper(**members)
        assert not smfake.models

    def test_a_value_of_a_wrong_type_is_the_service_s_business(self, smfake):
        assert smfake.request(Tags="a", PrimaryContainer=[1], VpcConfig=7)["Tags"] == "a"

    def test_it_is_no_call(self, smfake):
        smfake.add_model(ModelName="churn")
        assert len(smfake.calls) == 0

    def test_elsewhere(self, smfake):
        smfake.at(region="eu-west-1").add_model(ModelName="churn")
        assert list(smfake.models) == []
        assert "churn" in smfake.at(region="eu-west-1").models


def test_unknown_members_and_nulls_are_read_past(smfake):
    client = smfake.client(config=Config(parameter_validation=False))
    client.meta.events.register(
        "before-call", lambda params, **_: params.update(body=params["body"][:-1] + b', "Nope": 1, "VpcConfig": null}')
    )
    client.create_model(**smfake.request(ModelName="churn"))
    assert smfake.models["churn"] == smfake.request(ModelName="churn")
    assert smfake.calls[-1].parameters["Nope"] == 1


class TestWhereElse:
    """A KeyError names the place that holds what was looked for."""

    def test_in_another_region_or_account(self, smfake):
        smfake.at(region="eu-west-1").add_endpoint("churn")
        smfake.at(account="111122223333").add_endpoint("churn")
        smfake.add_model(ModelName="other")
        for found in (smfake.models, smfake.endpoint_configs, smfake.endpoints):
            with pytest.raises(KeyError) as caught:
                found["churn"]
            assert (
                "'churn' in us-east-1, account 123456789012, but there is one in eu-west-1: .at(region=\"eu-west-1\") and in us-east-1 of "
                'account 111122223333: .at(account="111122223333"); '
            ) in caught.value.args[0]
        with pytest.raises(KeyError, match=r'and in us-east-1 of account 111122223333: .at\(region="us-east-1", account='):
            smfake.at(region="eu-west-2").models["churn"]

    def test_nowhere(self, smfake):
        smfake.at(region="eu-west-1").add_model(ModelName="churn")
        with pytest.raises(KeyError) as caught:
            smfake.models["chum"]
        assert caught.value.args[0] == "no model 'chum' in us-east-1, account 123456789012; models: none"
        with pytest.raises(KeyError, match="no endpoint 'churn' in us-east-1, account 123456789012; endpoints: none"):
            smfake.endpoints["churn"]  # a model of that name does not count


def test_a_clock_stays_within_what_a_date_can_hold(smfake, smfake_client):
    for _ in range(25):
        smfake.clock.advance(10**10)
    with pytest.raises(ValueError, match="a clock cannot go past the end of the year 9999, so it cannot advance by 1e\\+10 seconds"):
        smfake.clock.advance(10**10)
    smfake_client.create_model(**smfake.request(ModelName="late"))
    assert smfake_client.describe_model(ModelName="late")["CreationTime"].year > 9000
