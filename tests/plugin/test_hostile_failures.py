"""Whatever a failing test replaced or raised: its report is there, and the tests after it run."""

from __future__ import annotations

import pytest

REPLACED = """
    import builtins
    import os
    import pathlib
    import sys
    from unittest.mock import MagicMock

    import pytest

    def refuse(*_, **__):
        raise PermissionError("the code under test touches no file")

    def fail(*_, **__):
        pytest.fail("nobody may call this")

    @pytest.mark.parametrize(
        ("owner", "name", "value"),
        [
            (builtins, "open", refuse),
            (os.path, "exists", refuse),
            (pathlib.Path, "is_relative_to", refuse),
            (pathlib.Path, "is_relative_to", fail),
            (sys, "path", []),
        ],
    )
    def test_replaced(smfake, monkeypatch, owner, name, value):
        with pytest.raises(Exception, match="Could not find model"):
            smfake.client().describe_model(ModelName="churn")
        monkeypatch.setattr(owner, name, value)
        assert False

    @pytest.mark.parametrize(("name", "module"), [(5, sys), ("pytest_smfake.sweeps", MagicMock()), ("boto3.strange", MagicMock())])
    def test_modules(smfake, monkeypatch, name, module):
        monkeypatch.setitem(sys.modules, name, module)
        assert False

    def test_after():
        pass
"""
RAISED = """
    import pytest

    class Equal(Exception):
        def __eq__(self, other):
            raise ValueError("truth value is ambiguous")
        __hash__ = Exception.__hash__

    class Lazy(Exception):
        @property
        def response(self):
            raise RuntimeError("no response")

    class Unhashable(Exception):
        response = {"ResponseMetadata": {"RequestId": []}}

    class Instance(Exception):
        def __init__(self):
            self.response = {"ResponseMetadata": {"RequestId": []}}

    class Unprintable(Exception):
        def __repr__(self):
            raise RuntimeError("repr")

    def test_without_a_fake():
        try:
            raise Equal("a")
        except Equal as error:
            raise Equal("b") from error

    @pytest.mark.parametrize("error", [Equal("a"), Lazy(), Unhashable(), Instance()])
    def test_with_a_fake(smfake, error):
        try:
            raise ValueError("first")
        except ValueError as first:
            raise error from first

    def test_of_a_stand_in(smfake):
        smfake.add_endpoint("churn")

        def predict(*_):
            raise Unprintable("x")

        smfake.stand_in("churn", predict)
        smfake.client("sagemaker-runtime").invoke_endpoint(EndpointName="churn", Body=b"x")

    def test_after():
        pass
"""


@pytest.mark.parametrize(("source", "failed"), [(REPLACED, 8), (RAISED, 6)], ids=["replaced", "raised"])
def test_the_report_is_there_and_the_run_goes_on(pytester, source, failed):
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(failed=failed, passed=1)
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_what_could_not_be_told_is_told(pytester):
    pytester.makepyfile(REPLACED)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "is_relative_to")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*The section about the fakes could not be made: PermissionError*"])
    result.stdout.fnmatch_lines(["*The section about the fakes could not be made: Failed*"])


def test_an_exception_that_cannot_be_printed_is_named(pytester):
    pytester.makepyfile(RAISED)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "stand_in")
    result.stdout.fnmatch_lines(["The stand-in for 'churn' raised <Unprintable that cannot be printed>, at *test_an_exception*.py:*"])
