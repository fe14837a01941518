"""Fakes, mocks and patches of the environment, entered and left in every order that is right without a fake: nothing is lost, nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections import Counter
from contextlib import contextmanager, suppress
from itertools import permutations
from unittest import mock

import boto3
import botocore.session
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients import activation, credentials
from pytest_smfake.clients.botocore import patches
from pytest_smfake.protocol.active import active
from pytest_smfake.service.arns import access_key_of, account_of

pytestmark = pytest.mark.once

REAL = {"AWS_ACCESS_KEY_ID": "AKIAQXXXREALREALREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real-token"}
TEST = {"AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def one_by_one():
    """Set variables as pytest's monkeypatch does: each is remembered and undone by itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TEST.items():
            patch.setenv(name, value)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.setenv("AWS_ROLE_ARN", "test")
        yield


ACTORS = {
    "fake": FakeSageMaker,
    "other-account": lambda: FakeSageMaker(account="999988887777"),
    "keyless": lambda: FakeSageMaker(credentials=False),
    "moto": mock_aws,
    "monkeypatch": one_by_one,
    "patch.dict": lambda: mock.patch.dict(os.environ, TEST),
    "patch.dict-clear": lambda: mock.patch.dict(os.environ, {"HOME": os.environ.get("HOME", "/")}, clear=True),
    "patch-send": lambda: mock.patch.object(URLLib3Session, "send", side_effect=AssertionError("sent")),
    "patch-credentials": lambda: mock.patch.object(botocore.session.Session, "get_credentials", return_value=None),
}
FAKES = ("fake", "other-account", "keyless")
TRIPLES = [
    ("fake", "other-account", "moto"),
    ("fake", "keyless", "moto"),
    ("fake", "fake", "monkeypatch"),
    ("fake", "other-account", "patch.dict"),
    ("fake", "other-account", "patch.dict-clear"),
    ("fake", "other-account", "patch-send"),
    ("fake", "other-account", "patch-credentials"),
    ("fake", "moto", "monkeypatch"),
    ("fake", "moto", "patch.dict"),
    ("fake", "monkeypatch", "patch-send"),
    ("fake", "patch-send", "patch-credentials"),
]


def orders(actors):
    """Return all orders in which each of some actors is entered, and later left."""
    return sorted(set(permutations([*range(len(actors)), *range(len(actors))])))


def attributes():
    return {key: vars(site.owner).get(site.name) for key, site in patches._sites.items()}


def run(actors, order, after_each=lambda: None):
    """Enter and leave the actors; the error of one that cannot leave is the caller's."""
    entered = {}
    for index in order:
        if index in entered:
            entered.pop(index).__exit__(None, None, None)
        else:
            entered[index] = ACTORS[actors[index]]()
            entered[index].__enter__()
        after_each()


def right_without_a_fake(actors, others, before):
    """Whether the others alone leave the environment and the patches as they were."""
    state = attributes()
    with suppress(KeyError):
        run(actors, others)
        if dict(os.environ) == before and attributes() == state:
            return True
    restore(before)
    return False


def restore(before):
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("keys", [REAL, {}], ids=["real", "none"])
@pytest.mark.parametrize("actors", TRIPLES, ids=" ".join)
def test_all_orders(actors, keys, monkeypatch):
    for name in credentials.COVERED:
        monkeypatch.delenv(name, raising=False)
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(credentials, "AT_START", keys)
    with FakeSageMaker():
        pass
    before, patched = dict(os.environ), attributes()
    client = boto3.client("sagemaker", region_name="us-east-1")
    session = botocore.session.Session()  # which keeps nothing that a fake gives it
    sent, seen = [], Counter()
    client.meta.events.register("before-send", lambda request, **_: sent.append(str(request.headers["Authorization"])))

    def look():
        """While a fake is active it answers, and its keys are those of nobody; a mock that a test laid over it stays in charge."""
        fake = active()
        if fake is None:
            return
        found = session.get_credentials()
        assert found is None or found.access_key not in keys.values()
        if not fake.credentials:
            with pytest.raises(NoCredentialsError):
                client.list_models()
        elif not isinstance(URLLib3Session.send, mock.Mock):
            calls = len(fake.calls)
            client.list_models()
            assert len(fake.calls) == calls + 1
            assert REAL["AWS_ACCESS_KEY_ID"] not in sent.pop()
        seen["looked"] += 1

    tried, right = 0, {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for order in orders(actors):
            others = tuple(index for index in order if actors[index] not in FAKES)
            if others not in right:
                right[others] = right_without_a_fake(actors, others, before)
            if not right[others]:
                continue
            tried += 1
            run(actors, order, look)
            activation.apply_active_fakes()  # what the plugin does at the end of a test
            assert dict(os.environ) == before, (actors, order)
            assert attributes() == patched, (actors, order)
            assert active() is None
    assert tried >= 30
    assert seen["looked"] > tried


def test_a_variable_of_one_test_does_not_expose_that_of_the_next():
    for key in ("AKIAQXXXREALREALREAL", "AKIAQYYYREALREALREAL"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", key)
            with FakeSageMaker():
                assert os.environ["AWS_ACCESS_KEY_ID"] != key
            assert os.environ["AWS_ACCESS_KEY_ID"] == key
        activation.apply_active_fakes()


def test_a_copy_of_the_environment_that_is_put_back_tests_later(monkeypatch):
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    copy = mock.patch.dict(os.environ, {"STAGE": "test"})
    with FakeSageMaker():
        copy.start()
    activation.apply_active_fakes()
    with FakeSageMaker():
        pass
    activation.apply_active_fakes()
    copy.stop()
    activation.apply_active_fakes()
    assert dict(os.environ) == before


def test_keys_that_one_fake_was_left_with_are_not_those_of_the_next(monkeypatch):
    for name in credentials.COVERED:
        monkeypatch.delenv(name, raising=False)
    with FakeSageMaker():
        for name, value in REAL.items():
            monkeypatch.setenv(name, value)  # such as code that loads a file of variables when it is first used
    with FakeSageMaker() as fake:
        boto3.client("sagemaker", region_name="us-east-1").list_models()
        assert botocore.session.Session().get_credentials().secret_key == "smfake"
    assert fake.calls[0].account == fake.account
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "real"


def test_keys_that_were_there_when_the_test_began_do_not_come_back(pytester, alone):
    pytester.makeconftest("import os\nos.environ.update(AWS_ACCESS_KEY_ID='AKIAQXXXREALREALREAL', AWS_SECRET_ACCESS_KEY='real')")
    pytester.makepyfile("""
        import boto3
        from moto import mock_aws
        from pytest_smfake import FakeSageMaker

        def test_the_mock_ends_first():
            moto, fake = mock_aws(), FakeSageMaker()
            moto.start()
            fake.start()
            moto.stop()
            assert boto3.Session().get_credentials().secret_key == "smfake"
            fake.stop()
            assert boto3.Session().get_credentials().secret_key == "real"
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_variants_mean_the_same():
    names = [credentials._variant("AWS_ACCESS_KEY_ID", access_key_of("111122223333"), number) for number in range(40)]
    assert len(set(names)) == 40
    assert {account_of(name) for name in names} == {"111122223333"}
    truths = [credentials._variant(credentials.METADATA, "True", number) for number in range(8)]
    assert {truth.lower() for truth in truths} == {"true"}


@pytest.mark.parametrize("outer", ["moto", "monkeypatch", "patch.dict", "patch.dict-clear"])
def test_what_ends_before_the_fake_brings_no_real_key_to_a_program_that_is_started(outer, monkeypatch):
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    credentials.variables.note()  # what is there belongs to nobody's test
    other = ACTORS[outer]()
    other.__enter__()
    with FakeSageMaker():
        other.__exit__(None, None, None)
        code = "import os; print([os.environ.get(name) for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')])"
        seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert not [value for value in REAL.values() if value in seen]
        assert not set(REAL.values()) & set(os.environ.values())
    assert {name: os.environ[name] for name in REAL} == REAL
