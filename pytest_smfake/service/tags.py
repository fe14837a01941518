"""The operations on tags, of every kind of resource that the fake keeps."""

from __future__ import annotations

from typing import Any

from .context import Answer, Context
from .errors import ServiceError
from .records import decode_token, encode_token
from .resources import Resource, World

TAGS_PAGE_SIZE = 50
"""Tags on a page of ListTags where MaxResults does not say (assumed; the least that MaxResults may be)."""


def add_tags(request: dict[str, Any], context: Context) -> Answer:
    """Merge tags by key."""
    resource = _tagged(request["ResourceArn"], context.world)
    tags = resource.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    context.check("AddTags", request)
    resource.set_tags(tags)
    return {"Tags": _tag_list(tags)}


def list_tags(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of tags, in the order in which they were added (assumed)."""
    resource = _tagged(request["ResourceArn"], context.world)
    tags = _tag_list(resource.tags)
    scope = ["ListTags", resource.arn]
    start = decode_token(request["NextToken"], scope) if "NextToken" in request else 0
    end = start + request.get("MaxResults", TAGS_PAGE_SIZE)
    answer: dict[str, Any] = {"Tags": tags[start:end]}
    if end < len(tags):
        answer["NextToken"] = encode_token(scope, end)
    return answer


def delete_tags(request: dict[str, Any], context: Context) -> Answer:
    """Drop tags by key; a key that is not there is passed over (assumed)."""
    resource = _tagged(request["ResourceArn"], context.world)
    resource.set_tags({key: value for key, value in resource.tags.items() if key not in request["TagKeys"]})
    return {}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def slug_of(arn: str) -> str:
    """Return the kind of the resource that an ARN names."""
    return arn.split(":", 5)[5].split("/", maxsplit=1)[0]


def _tagged(arn: str, world: World) -> Resource:
    resource = world.at(arn)
    if resource is None:
        # Observed of ListTags in boto/boto3#4606; assumed for AddTags and DeleteTags.
        raise ServiceError("ValidationException", "Resource does not exist")
    return resource


TAG_OPERATIONS = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
"""The operations on tags."""
