"""The Faker provider, its fixture and the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from faker import Faker

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.faker import Provider, SageMakerProvider
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.service.service import OPERATIONS

VALUES = {
    "sagemaker_model_name": "ModelName",
    "sagemaker_role_arn": "ExecutionRoleArn",
    "ecr_image_uri": "PrimaryContainer.Image",
    "sagemaker_model_data_url": "PrimaryContainer.ModelDataUrl",
    "sagemaker_model_package_arn": "PrimaryContainer.ModelPackageName",
    "sagemaker_tags": "Tags",
    "sagemaker_vpc_config": "VpcConfig",
    "sagemaker_container": "PrimaryContainer",
}


def provider(seed, locale=None):
    fake = Faker(locale)
    fake.add_provider(SageMakerProvider)
    fake.seed_instance(seed)
    return fake


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_value_is_valid(edition):
    fake = provider(1)
    for method, path in VALUES.items():
        for _ in range(50):
            value = getattr(fake, method)()
            first, _, last = path.partition(".")
            container = {"Image": fake.ecr_image_uri()}
            if last == "ModelPackageName":
                container = {}
            member = {first: container | {last: value}} if last else {first: value}
            assert validate("CreateModel", fake.sagemaker_create_model_request(**member), edition=edition) == [], (method, value)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_of_every_operation(operation, edition):
    fake = provider(2)
    for _ in range(20):
        assert validate(operation, fake.sagemaker_request(operation, edition=edition), edition=edition) == []


def test_a_fake_takes_them():
    fake = provider(4)
    with FakeSageMaker() as sagemaker:
        for _ in range(20):
            sagemaker.client().create_model(**fake.sagemaker_create_model_request(ModelName=fake.unique.sagemaker_model_name()))


def test_arguments():
    fake = provider(5)
    request = fake.sagemaker_create_model_request(ModelName="churn", region="eu-west-1", account="111122223333", omit={"Tags", "VpcConfig"})
    assert request["ModelName"] == "churn"
    assert request["PrimaryContainer"]["Image"].startswith("111122223333.dkr.ecr.eu-west-1.amazonaws.com/")
    assert not request.keys() & {"Tags", "VpcConfig"}
    assert fake.ecr_image_uri(region="cn-north-1").split("/")[0].endswith(".cn-north-1.amazonaws.com.cn")
    assert "PrimaryContainer" not in fake.sagemaker_create_model_request(Containers=[{"Image": "a"}])
    with pytest.raises(ValueError, match="CreateModel has no member 'Name'"):
        fake.sagemaker_create_model_request(Name="x")
    with pytest.raises(ValueError, match=r"DeleteModel has no member 'Name'; did you mean 'ModelName'\?; its members are: ModelName"):
        fake.sagemaker_request("DeleteModel", Name="x")
    with pytest.raises(ValueError, match=r"CreateModel's PrimaryContainer has no member 'image'; did you mean 'Image'\?"):
        fake.sagemaker_create_model_request(PrimaryContainer={"image": "x"})
    with pytest.raises(ValueError, match=r"AddTags's Tags\[0\] has no member 'key'; did you mean 'Key'\?"):
        fake.sagemaker_request("AddTags", Tags=[{"key": "x", "Value": "y"}])


def test_the_fixture_is_seeded_by_the_test(pytester):
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_it(n, smfake_faker):
            print("made", smfake_faker.sagemaker_model_name(), smfake_faker.sagemaker_role_arn())
    """)

    def made():
        lines = pytester.runpytest_inprocess("-s").outlines
        return sorted(line.rpartition("made")[2] for line in lines if "made" in line)

    first = made()
    assert len(set(first)) == 3
    assert made() == first


def test_without_faker(pytester, monkeypatch):
    from importlib import reload

    import pytest_smfake.faker

    monkeypatch.setitem(sys.modules, "faker.providers", None)
    with pytest.raises(ImportError, match=r"needs Faker: pip install 'pytest-smfake\[faker\]'"):
        reload(pytest_smfake.faker)
    pytester.makeconftest("import sys; sys.modules['faker'] = None")
    pytester.makepyfile("def test_it(smfake_faker): pass")
    result = pytester.runpytest_subprocess("-p", "no:faker")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["smfake_faker needs Faker: pip install 'pytest-smfake?faker?'"])


def test_the_command_line():
    assert Provider is SageMakerProvider
    command = [str(Path(sys.executable).parent / "faker"), "--seed", "1", "sagemaker_model_name", "-i", "pytest_smfake.faker"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert validate("DescribeModel", {"ModelName": done.stdout.strip()}) == []
