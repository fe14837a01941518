"""The contract bites: every rule and every behaviour is weakened in turn, and a check has to notice."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cache

import pytest

from pytest_smfake.cases import unobservable_rules
from pytest_smfake.contract import FakeTarget, checks, run_contract
from pytest_smfake.contract.behaviours import BEHAVIOURS
from pytest_smfake.contract.boundaries import CHECKED_OPERATIONS
from pytest_smfake.contract.run import run_check
from pytest_smfake.protocol import wire
from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.tags import tags_in_all
from pytest_smfake.service import limits, models, records, resources
from pytest_smfake.service import service as core  # its tests call a service `service`
from pytest_smfake.service.errors import ServiceError


@cache
def rules_with_checks(edition):
    """Return the checks that reject, by the rule that they are about."""
    found = {}
    for check in checks(edition=edition):
        rejecting = check.sentence.startswith(f"{check.group} rejects ") or check.id == "tags/fifty-in-all"
        if check.rule is not None and rejecting and ":limit-" not in check.rule:
            found.setdefault(check.rule, []).append(check)
    return found


@pytest.mark.parametrize("edition", ["page", "sdk"])
def test_every_rule_weakened_alone_is_noticed(edition):
    noticed = {rule_id: is_noticed(rule_id, found, edition) for rule_id, found in rules_with_checks(edition).items()}
    assert [rule_id for rule_id, seen in noticed.items() if not seen] == []
    assert len(noticed) > 300


def is_noticed(rule_id, about, edition):
    """Whether a check of a rule notices that the fake lacks it, or the fake breaks down on what it was never meant to see."""
    target = FakeTarget(edition=edition, rules={rule_id: None})
    try:
        return any(run_check(check, target).outcome == "failed" for check in about)
    except (KeyError, TypeError, AttributeError):
        return True


@pytest.mark.parametrize("edition", ["page", "sdk"])
def test_rules_without_such_a_check_say_why(edition):
    for operation in CHECKED_OPERATIONS:
        known = {one.rule.id for one in unobservable_rules(operation, edition=edition)}
        without = {rule.id for rule in Catalogue(edition).rules(operation)} - rules_with_checks(edition).keys()
        assert without == known


def keeps_all(service, request):
    """A stand-in for a step that is left out."""


def answering(change):
    """Return a mutant of an operation whose answer is changed."""

    def mutate(operation):
        def mutant(request, context):
            return change(operation(request, context))

        return mutant

    return mutate


def without(*names):
    return answering(lambda answer: {name: value for name, value in answer.items() if name not in names})


def container_without(*names):
    def change(answer):
        return (
            answer | {"PrimaryContainer": {k: v for k, v in answer["PrimaryContainer"].items() if k not in names}}
            if "PrimaryContainer" in answer
            else answer
        )

    return answering(change)


def swallowing(answer):
    """Return a mutant of an operation that answers where it should refuse."""

    def mutate(operation):
        def mutant(request, context):
            try:
                return operation(request, context)
            except ServiceError:
                return answer

        return mutant

    return mutate


def forgetting(**changes):
    """Return a mutant of an operation that does not see some members of the request, or sees others."""

    def mutate(operation):
        def mutant(request, context):
            seen = {name: value for name, value in request.items() if changes.get(name, value) is not None}
            return operation(seen | {name: value for name, value in changes.items() if value is not None}, context)

        return mutant

    return mutate


def leaving(operation):
    """Delete nothing."""

    def mutant(request, context):
        context.world[models.MODEL].find(request["ModelName"])

    return mutant


def replacing_tags(operation):
    def mutant(request, context):
        context.world[models.MODEL].by_name[request["ResourceArn"].rpartition("/")[2]].set_tags({})
        return operation(request, context)

    return mutant


def keeping_tags(operation):
    """Let the tags of a deleted model come back with the next of its name."""
    gone = {}

    def mutant(request, context):
        kept = context.world[models.MODEL]
        gone[request["ModelName"]] = kept.find(request["ModelName"]).tags
        original = kept.add

        def haunted(model):
            model.set_tags(gone.get(model.name, {}))
            return original(model)

        kept.add = haunted  # of this world alone
        return operation(request, context)

    return mutant


OPERATION_MUTANTS = {
    # The check that has to notice, the operation, and what is wrong with it.
    "create/response": ("CreateModel", answering(lambda answer: answer | {"ModelName": "a"})),
    "create/same-name": ("CreateModel", swallowing({"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/x"})),
    "create/case-of-names": ("CreateModel", lambda operation: lambda r, c: operation(r | {"ModelName": r["ModelName"].lower()}, c)),
    "describe/echo": ("DescribeModel", without("ExecutionRoleArn")),
    "describe/absent": ("DescribeModel", answering(lambda answer: {"VpcConfig": {}} | answer)),
    "describe/defaults": ("DescribeModel", container_without("Mode")),
    "describe/pipeline": ("DescribeModel", without("InferenceExecutionConfig")),
    "describe/missing": ("DescribeModel", swallowing({})),
    "delete/answer": ("DeleteModel", answering(lambda _: {})),
    "delete/missing": ("DeleteModel", swallowing(None)),
    "tags/go-with-the-model": ("DeleteModel", keeping_tags),
    "tags/of-creation": ("CreateModel", forgetting(Tags=None)),
    "tags/merge": ("AddTags", replacing_tags),
    "tags/delete": ("DeleteTags", lambda _: lambda *_: {}),
    "tags/all-fifty": ("ListTags", answering(lambda answer: answer | {"Tags": answer["Tags"][:10]})),
    "tags/missing": ("ListTags", swallowing({"Tags": []})),
    "list/newest-first": ("ListModels", lambda operation: lambda r, c: operation({"SortOrder": "Ascending"} | r, c)),
    "list/by-name": ("ListModels", forgetting(SortBy=None)),
    "list/summaries": ("ListModels", answering(lambda a: a | {"Models": [m | {"ExecutionRoleArn": "x"} for m in a["Models"]]})),
    "list/name-contains": (
        "ListModels",
        lambda operation: lambda r, c: operation({k: v.rpartition("-")[0] if k == "NameContains" else v for k, v in r.items()}, c),
    ),
    "list/by-time": ("ListModels", forgetting(CreationTimeAfter=None)),
    "list/pages": ("ListModels", without("NextToken")),
    "list/bad-token": (
        "ListModels",
        lambda operation: lambda r, c: operation({k: v for k, v in r.items() if k != "NextToken" or v != "nobody"}, c),
    ),
}


def filtering_first(monkeypatch):
    original = records.list_page

    def list_page(operation, collection, request):
        found, _ = original(operation, collection, request | {"MaxResults": 100})
        return found[: request.get("MaxResults", 10)], {}

    monkeypatch.setattr(records, "list_page", list_page)


def leaving_what_was_rejected(monkeypatch):
    original = core.Service.check

    def check(service, operation, request):
        try:
            original(service, operation, request)
        except ServiceError:
            if operation == "CreateModel" and isinstance(request.get("ModelName"), str):
                world = service.store.world(resources.Scope("123456789012", "us-east-1"))
                world[models.MODEL].add(models.Model(request["ModelName"], request, world[models.MODEL].arn(request["ModelName"]), 0))
            raise

    monkeypatch.setattr(core.Service, "check", check)


def refusing_unknown_members(monkeypatch):
    original = core.Service.check

    def check(service, operation, request):
        if "NoSuchMember" in request:
            raise ServiceError("ValidationException", "no such member")
        original(service, operation, request)

    monkeypatch.setattr(core.Service, "check", check)


def changing_violations(change):
    def mutate(monkeypatch):
        original = Catalogue.find

        def find(catalogue, operation, request):
            found = original(catalogue, operation, request)
            found.violations = change(found.violations)
            return found

        monkeypatch.setattr(Catalogue, "find", find)

    return mutate


def changing_responses(change):
    def mutate(monkeypatch):
        original = wire._encode

        def encode(call, headers):
            response = original(call, headers)
            return change(response) if call.error is None or call.error.code == "ValidationException" else response

        monkeypatch.setattr(wire, "_encode", encode)

    return mutate


def unnamed(response):
    body = json.loads(response.body)
    body.pop("__type", None)
    return wire.Response(response.status, response.headers, json.dumps(body).encode())


def lenient(monkeypatch):
    original = wire.decode

    def decode(body):
        try:
            return original(body)
        except ServiceError:
            return {}

    monkeypatch.setattr(wire, "decode", decode)


def recoding(monkeypatch):
    from pytest_smfake.service import errors

    original = errors.violation_error

    def violation_error(violations):
        error = original(violations)
        error.code = "ValidationException"
        return error

    monkeypatch.setattr(core, "violation_error", violation_error)


def one_region(monkeypatch):
    original = resources.Store.world
    monkeypatch.setattr(resources.Store, "world", lambda self, scope: original(self, resources.Scope(scope.account, "us-east-1")))


def off_by_one(monkeypatch):
    original = limits.Limits.check
    monkeypatch.setattr(limits.Limits, "check", lambda self, key, world, delta=1: original(self, key, world, delta - 1))


def more_tags(monkeypatch):
    monkeypatch.setattr(tags_in_all, "check", lambda *_: iter(()))


def faults_of_one_attempt(monkeypatch):
    from pytest_smfake.service.faults import Injection

    original = Injection.at
    monkeypatch.setattr(Injection, "at", lambda self, stage: original(self, stage) if self._attempts == 1 else None)


def nameless_limits(monkeypatch):
    from pytest_smfake.rules import failures

    original = failures.failure

    def failure(operation, code, **keywords):
        return original(operation, "ThrottlingException" if code == "ResourceLimitExceeded" else code, **keywords)

    from pytest_smfake import fake as controls

    monkeypatch.setattr(controls, "failure", failure)


def never_after(monkeypatch):
    from pytest_smfake.service.faults import Fault

    monkeypatch.setattr(Fault, "stage", property(lambda _: "arrival"))


MUTANTS = {
    "create/headers": changing_responses(
        lambda response: wire.Response(response.status, response.headers | {"Content-Type": "text/plain"}, response.body)
    ),
    "create/leaves-nothing": leaving_what_was_rejected,
    "create/unknown-members": refusing_unknown_members,
    "errors/all-at-once": changing_violations(lambda found: found[:1]),
    "errors/length-before-pattern": changing_violations(lambda found: found[::-1]),
    "errors/form": changing_responses(lambda response: unnamed(response) if response.status == 400 else response),
    "errors/no-json": lenient,
    "errors/wrong-type": recoding,
    "regions/apart": one_region,
    "list/filtered-after": filtering_first,
    "limits/reached": off_by_one,
    "tags/fifty-in-all": more_tags,
    "faults/throttled": faults_of_one_attempt,
    "faults/not-retried": nameless_limits,
    "faults/lost-answer": never_after,
}


@contextmanager
def weakened(name, monkeypatch):
    """Weaken what a check is about."""
    with monkeypatch.context() as patch:
        if name in MUTANTS:
            MUTANTS[name](patch)
        else:
            operation, mutate = OPERATION_MUTANTS[name]
            patch.setitem(core.OPERATIONS, operation, mutate(core.OPERATIONS[operation]))
        yield


def test_every_behaviour_has_a_mutant():
    behaviours, mutants = {check.id for check in BEHAVIOURS}, {*MUTANTS, *OPERATION_MUTANTS}
    assert behaviours - mutants == set(), "each needs a mutant of the fake, above, that its check notices"
    assert mutants - behaviours == set()


@pytest.mark.parametrize("name", [*MUTANTS, *OPERATION_MUTANTS])
def test_every_behaviour_weakened_is_noticed_by_its_check(name, monkeypatch):
    with weakened(name, monkeypatch):
        report = run_contract(FakeTarget(), select=[name])
    assert [result.check for result in report.failed] == [name]
