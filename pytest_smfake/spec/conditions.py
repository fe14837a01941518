"""Rules that need the state of the account: looked at by the service once the request itself is sound.

They stand in the catalogue like every other rule, so that they can be listed, cited and overridden. The texts take
their blanks from the service.
"""

from __future__ import annotations

from .rules import EDITIONS, Edition, Rule

NAME_TAKEN = Rule(
    "CreateModel/ModelName:not-taken",
    "CreateModel",
    "ModelName",
    "not-taken",
    True,
    "condition",
    "observed",
    "astronomer/astronomer-providers#1055 (GitHub)",
)
PACKAGE_REGION = Rule(
    "CreateModel:package-region",
    "CreateModel",
    "",
    "package-region",
    True,
    "condition",
    "observed",
    "aws/amazon-sagemaker-examples#1444 (GitHub)",
)
TAGS_IN_ALL = Rule(
    "AddTags/Tags:in-all",
    "AddTags",
    "Tags",
    "in-all",
    50,
    "condition",
    "assumed",
    "the page's bound on Tags, held for the resource; text assumed",
)

CONDITIONS: dict[str, tuple[Rule, tuple[Edition, ...]]] = {rule.id: (rule, EDITIONS) for rule in (NAME_TAKEN, PACKAGE_REGION, TAGS_IN_ALL)}
