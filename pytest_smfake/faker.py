"""A Faker provider of valid values and requests, in every locale.

`faker sagemaker_model_name -i pytest_smfake.faker` prints one from the command line.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .generate.requests import ACCOUNT, REGION, maker_of
from .generate.tree import Choices, Node
from .rules.rule import Edition
from .rules.service_model import check_members

try:
    from faker.providers import BaseProvider
except ImportError as error:
    raise ImportError("pytest_smfake.faker needs Faker: pip install 'pytest-smfake[faker]'") from error


WORDS = ("churn", "fraud", "demand", "price", "uplift", "ranking", "intent", "sentiment", "segment", "forecast", "anomaly", "vision")
"""Words for names of models: the same in every locale, since names must be ASCII."""


class _PlausibleChoices:
    """Makes choices that look hand-written: few optional members, short lists, short strings of letters."""

    def __init__(self, provider: BaseProvider) -> None:
        self.random = provider.generator.random

    def number(self, least: int, most: int) -> int:
        """Return a number near the minimum."""
        return int(self.random.randint(least, min(most, least + 2)))

    def bits(self, count: int) -> int:
        """Return a number of `count` bits, few of them set."""
        return int(self.random.getrandbits(count) & self.random.getrandbits(count) & self.random.getrandbits(count)) if count else 0

    def picks(self) -> bytes:
        """Return bytes that choose letters."""
        return bytes(self.random.randrange(1, 26) for _ in range(8))

    def part(self, node: Node) -> Any:
        """Return a value for a member."""
        return node.make(self)


class SageMakerProvider(BaseProvider):
    """Values of SageMaker: `fake.add_provider(SageMakerProvider)` adds them to a `Faker` of any locale.

    Example:
        >>> from faker import Faker
        >>> from pytest_smfake import validate
        >>> fake = Faker("ja_JP")
        >>> fake.add_provider(SageMakerProvider)
        >>> fake.seed_instance(7)
        >>> validate("CreateModel", fake.sagemaker_create_model_request())
        []
    """

    def sagemaker_model_name(self) -> str:
        """Return the name of a model, such as `churn-2026-481`."""
        return f"{self._word()}-{self._word()}-{self.random_int(100, 999)}"

    def sagemaker_role_arn(self, *, account: str | None = None) -> str:
        """Return the ARN of an execution role.

        Args:
            account: 12 digits; made up by default.
        """
        return f"arn:aws:iam::{account or self._account()}:role/service-role/{self._word().title()}ExecutionRole"

    def ecr_image_uri(self, *, region: str = REGION, account: str | None = None) -> str:
        """Return the address of an image in ECR.

        Args:
            region: the region of the registry.
            account: 12 digits; made up by default.
        """
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        name, tag = f"{self._word()}-{self._word()}", f"{self.random_int(1, 9)}.{self.random_int(0, 20)}"
        return f"{account or self._account()}.dkr.ecr.{region}.{suffix}/{name}:{tag}"

    def sagemaker_model_data_url(self) -> str:
        """Return the address of an artifact in S3."""
        return f"s3://{self._word()}-artifacts/{self._word()}/{self.random_int(1, 999)}/model.tar.gz"

    def sagemaker_model_package_arn(self, *, region: str = REGION, account: str | None = None) -> str:
        """Return the ARN of a model package version.

        Args:
            region: the region of the package, which must be the model's.
            account: 12 digits; made up by default.
        """
        return (
            f"arn:aws:sagemaker:{region}:{account or self._account()}:model-package/{self._word()}-{self._word()}/{self.random_int(1, 99)}"
        )

    def sagemaker_tags(self) -> list[dict[str, str]]:
        """Return up to three tags with different keys."""
        keys = self.random_elements(("team", "stage", "cost-centre", "owner", "project"), length=self.random_int(0, 3), unique=True)
        return [{"Key": str(key), "Value": self._word()} for key in keys]

    def sagemaker_vpc_config(self) -> dict[str, list[str]]:
        """Return a VPC configuration."""
        return {"SecurityGroupIds": [f"sg-0{self.hexify('^' * 16)}"], "Subnets": [f"subnet-0{self.hexify('^' * 16)}" for _ in range(2)]}

    def sagemaker_container(self, *, region: str = REGION, account: str | None = None) -> dict[str, Any]:
        """Return a container: an image, an artifact, and a few variables.

        Args:
            region, account: as for `ecr_image_uri`.
        """
        container: dict[str, Any] = {
            "Image": self.ecr_image_uri(region=region, account=account),
            "ModelDataUrl": self.sagemaker_model_data_url(),
        }
        if self.random_int(0, 1):
            container["Environment"] = {
                "SAGEMAKER_PROGRAM": "inference.py",
                f"{self._word().upper()}_THRESHOLD": f"0.{self.random_int(1, 9)}",
            }
        return container

    def sagemaker_create_model_request(
        self, *, edition: Edition = "page", region: str = REGION, account: str | None = None, omit: Collection[str] = (), **members: Any
    ) -> dict[str, Any]:
        """Return a plausible CreateModel request. Keywords in CamelCase set its members.

        Args:
            edition: `page` or `sdk`.
            region, account: as for `ecr_image_uri`.
            omit: members to leave out.
            members: members to set, with their values.

        Raises:
            ValueError: an unknown member, at any depth.
        """
        account = account or self._account()
        request: dict[str, Any] = {
            "ModelName": self.sagemaker_model_name(),
            "ExecutionRoleArn": self.sagemaker_role_arn(account=account),
            "PrimaryContainer": self.sagemaker_container(region=region, account=account),
        }
        if tags := self.sagemaker_tags():
            request["Tags"] = tags
        if not self.random_int(0, 3):
            request["VpcConfig"] = self.sagemaker_vpc_config()
        if "Containers" in members:
            del request["PrimaryContainer"]
        maker_of("CreateModel", edition, None).check_members([*members, *omit])
        check_members("CreateModel", members)
        return {name: value for name, value in (request | members).items() if name not in omit}

    def sagemaker_request(
        self,
        operation: str,
        *,
        edition: Edition = "page",
        region: str = REGION,
        account: str | None = None,
        omit: Collection[str] = (),
        **members: Any,
    ) -> dict[str, Any]:
        """Return a valid request of any operation, made from the rules.

        Args:
            operation: the operation, such as `CreateEndpointConfig`.
            edition, omit, members: as for `sagemaker_create_model_request`.
            region, account: the region and account in ARNs and images.

        Raises:
            ValueError: an unknown operation, edition or member.
        """
        maker = maker_of(operation, edition, None, region, account or ACCOUNT)
        maker.check_members([*members, *omit])
        check_members(operation, members)
        choices: Choices = _PlausibleChoices(self)
        request: dict[str, Any] = maker.request(choices, given=members, omit=omit)
        return request

    def _account(self) -> str:
        return self.numerify("%###########")

    def _word(self) -> str:
        return str(self.random_element(WORDS))


Provider = SageMakerProvider
"""The `faker` command finds a provider by this name."""
