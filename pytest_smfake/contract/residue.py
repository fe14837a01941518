"""What a run left in an account, told from what bears a similar name, and removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_smfake.service.arns import arn

from .boundaries import MISSING
from .check import Difference
from .names import UNTAGGED
from .stops import UnprovedError

if TYPE_CHECKING:
    from .aws import AwsTarget


@dataclass(slots=True)
class Residue:
    """What is there under the name of a run.

    Attributes:
        own: the names of the models that are the run's beyond doubt.
        passed_over: why others are left alone, by their names.
        deleted, gone: those of the run's own that were deleted, and that somebody else had deleted before.
        failed: why others of the run's own are left, or why it cannot be told whose they are, by their names.
    """

    own: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def find(target: AwsTarget) -> Residue:
    """Return what is there under the name of a target's run. A model is the run's by its name and its tag, not by one of them.

    Raises:
        UnprovedError: the service does not tell what there is.
        Difference: likewise.
    """
    residue = Residue()
    for name in target.census():
        try:
            why = _why_not(target, name)
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if why is None:
            residue.own.append(name)
        else:
            residue.passed_over[name] = why
    return residue


def _why_not(target: AwsTarget, name: str) -> str | None:
    """Return why a model may be another's, None where it is the run's."""
    request = {"ResourceArn": arn(target.region, target.settings.account, f"model/{name}")}
    try:
        tags = {tag["Key"]: tag["Value"] for page in target.pages("ListTags", request) for tag in page["Tags"]}
    except Difference as difference:
        return f"its tags cannot be read: {difference.actual}"
    if target.run_tag not in tags:
        return None if name == target.name_of(UNTAGGED) else f"it bears no tag {target.run_tag}"
    value = tags[target.run_tag]
    return None if value == target.run else f"its tag {target.run_tag} is {value!r}"


def remove(target: AwsTarget, residue: Residue) -> None:
    """Delete what is the run's, each whatever comes of the others, and keep what came of it."""
    for name in residue.own:
        try:
            reply = target.send("DeleteModel", {"ModelName": name})
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if reply.code is None:
            residue.deleted.append(name)
        elif reply.message.startswith(MISSING):
            residue.gone.append(name)
        else:
            residue.failed[name] = reply.verdict
