"""What can come of a check, and of a rule, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from pytest_smfake.rules.rule import Evidence

Outcome = Literal["passed", "failed", "outdated", "skipped"]
Standing = Literal["proved", "in part", "failed", "outdated", "skipped", "not run"]

OUTCOMES: Mapping[Outcome, str] = {
    "passed": "the target does what the sentence says",
    "failed": "the target does something else",
    "outdated": "the target does something else, and is right: the documented page is behind the service",
    "skipped": "the target lacks what the check needs",
}
"""What can come of a check on a target. A check that a target has no result of was not run there."""

MARKS: Mapping[str, str] = {"passed": "\u2713", "failed": "\u2717", "outdated": "\u2248", "skipped": "\u2013", "not run": "\u00b7"}
"""The sign of each outcome in tables."""

STANDINGS: Mapping[Standing, str] = {
    "proved": "every check of the rule passed",
    "in part": "those of its checks that could be run passed, the others were skipped or not run",
    "failed": "a check of the rule failed",
    "outdated": "the documented page is behind the service",
    "skipped": "the target lacks what all its checks need",
    "not run": "none of its checks was run",
}
"""Where an observable rule stands on a target."""

EVIDENCE: Mapping[Evidence, str] = {
    "documented": "the API's documented page says so",
    "modelled": "the SDK's service model says so",
    "observed": "a real answer was seen that shows it",
    "reported": "others tell so",
    "verified": "a run of this contract against the service proved it",
    "contested": "sources disagree",
    "assumed": "nothing is known, and it fits what is known best",
}
"""What each grade of evidence means."""


REDACTED: Mapping[bool, str] = {
    True: "redacted: tokens such as {account} stand for what tells whose account it is",
    False: "not redacted: answers are shown as they came",
}
"""Whether a report is redacted, in words."""


class CheckFacts(TypedDict):
    """What a report says of a check: see `Check`."""

    id: str
    sentence: str
    group: str
    rule: str | None
    evidence: Evidence
    source: str
    needs: list[str]


class RuleFacts(TypedDict):
    """What a report says of a rule.

    `page` and `sdk` are its bounds in the two editions, None where an edition lacks it; `silent` says why no request can show
    that the rule is kept, and is empty for an observable rule.
    """

    id: str
    page: str | None
    sdk: str | None
    evidence: Evidence
    source: str
    silent: str
