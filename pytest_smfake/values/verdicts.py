"""What the service says of a request, without its words."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_smfake.spec.rules import Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted, or rejected with a code and the rules that are broken.

    Attributes:
        code: the error's, such as `ValidationException`; None where the request is accepted.
        rules: the ids of the rules, each once, sorted.

    Example:
        >>> Verdict().accepted, Verdict("ValidationException", ("CreateModel/ModelName:max",)).accepted
        (True, False)
    """

    code: str | None = None
    rules: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the request is accepted."""
        return self.code is None


CODES = {
    "type": "SerializationException",
    "limit": "ResourceLimitExceeded",
    "CreateTransformJob/TransformJobName:not-taken": "ResourceInUse",
}
"""Codes other than ValidationException: by keyword, kind or id of the rule."""


def rejection(rule: Rule) -> Verdict:
    """Return the verdict on a request that breaks one rule."""
    code = CODES.get(rule.id) or CODES.get(rule.keyword) or CODES.get(rule.kind) or "ValidationException"
    return Verdict(code, (rule.id,))
