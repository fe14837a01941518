"""Sweeps: which runs they make, what they find wrong, and how they say so."""

from __future__ import annotations

import inspect
from contextlib import suppress

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker, Run, sweep
from pytest_smfake.protocol.active import active
from pytest_smfake.rules.failures import documented


def deploy(fake):
    """Create a model and tag it; the model stays behind when the tags fail."""
    client = fake.client()
    arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])


def deploy_and_undo(fake):
    client = fake.client()
    arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
    try:
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])
    except Exception:
        client.delete_model(ModelName="churn")
        raise


def deploy_and_look_away(fake):
    client = fake.client()
    arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
    with suppress(ClientError):
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])


def deploy_again(fake):
    """Send once more whatever fails."""
    client = fake.client()
    for _ in range(2):
        try:
            client.create_model(**fake.request(ModelName="churn"))
        except ClientError:
            continue
        return


def wrong(runs) -> dict[str, list[str]]:
    """Return what is wrong with the runs, by their ids."""
    found = {}
    for run in runs:
        run.checked = True
        if run.problems:
            found[run.id] = run.problems
    return found


class TestWhichRuns:
    def test_every_documented_failure_at_every_call(self):
        runs = list(sweep(deploy, keeps=["model/churn"]))
        expected = [f"{number}:{failure.code}" for number, name in enumerate(["CreateModel", "AddTags"], 1) for failure in documented(name)]
        assert [run.id for run in runs] == expected
        assert {(run.call, run.operation) for run in runs} == {(1, "CreateModel"), (2, "AddTags")}
        assert all(isinstance(run, Run) and isinstance(run.raised, ClientError) for run in runs)

    def test_some_failures(self):
        runs = list(sweep(deploy, errors=["ResourceLimitExceeded", "connection-reset", "503"], keeps=["model/churn"]))
        # AddTags has no limit error in the model.
        limited = [failure.code for failure in documented("AddTags")].count("ResourceLimitExceeded")
        assert [run.id for run in runs if run.call == 1] == ["1:ResourceLimitExceeded", "1:connection-reset", "1:503"]
        assert len(runs) == 5 + limited

    def test_after_the_effect(self):
        found = wrong(sweep(deploy_and_undo, errors=["connection-reset", "connection-reset:after"]))
        assert found == {"1:connection-reset:after": ["model/churn was left behind"]}

    def test_one_alone(self):
        (run,) = sweep(deploy_and_undo, only="2:ThrottlingException")
        assert (run.id, run.call, run.operation, run.failure) == ("2:ThrottlingException", 2, "AddTags", "ThrottlingException")
        assert run.reproduce == "sweep(deploy_and_undo, only='2:ThrottlingException')"
        assert (run.left, run.problems, run.swallowed, run.recovered) == ([], [], False, False)

    def test_in_the_world_of_the_test(self):
        def one_too_many(fake):
            assert fake.account == "111122223333"
            deploy_and_undo(fake)

        assert wrong(sweep(one_too_many, errors=["503"], factory=lambda: FakeSageMaker(account="111122223333"))) == {}

    def test_six_calls_are_over_a_hundred_runs(self):
        def six(fake):
            client = fake.client()
            try:
                arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
                client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])
                client.describe_model(ModelName="churn")
                client.list_models()
                client.list_tags(ResourceArn=arn)
            finally:
                if "churn" in fake.models:
                    client.delete_model(ModelName="churn")

        runs = list(sweep(six, keeps=["DeleteModel:model/churn"]))
        assert len({run.call for run in runs}) == 6
        assert len(runs) > 100


class TestWhatIsWrong:
    def test_a_leak(self):
        found = wrong(sweep(deploy, errors=["ThrottlingException", "503"]))
        assert found == {"2:ThrottlingException": ["model/churn was left behind"], "2:503": ["model/churn was left behind"]}

    @pytest.mark.parametrize("keeps", [["model/churn"], ["model/*"], ["AddTags:model/churn"], ["other", "*"]], ids=str)
    def test_what_may_be_kept(self, keeps):
        assert wrong(sweep(deploy, errors=["503"], keeps=keeps)) == {}

    @pytest.mark.parametrize("keeps", [[], ["model"], ["CreateModel:model/churn"], ["endpoint/*"]], ids=str)
    def test_what_may_not(self, keeps):
        assert list(wrong(sweep(deploy, errors=["503"], keeps=keeps))) == ["2:503"]

    def test_what_was_there_before_is_no_leak_and_its_tags_are(self):
        def tag_twice(fake):
            fake.add_model(ModelName="old", Tags=[{"Key": "a", "Value": "1"}])
            arn, client = fake.models["old"].arn, fake.client()
            client.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "1"}])
            client.add_tags(ResourceArn=arn, Tags=[{"Key": "c", "Value": "1"}])

        assert wrong(sweep(tag_twice, errors=["503"])) == {"2:503": ["tags of model/old was left behind"]}

    def test_elsewhere(self):
        def deploy_elsewhere(fake):
            fake.client(region_name="eu-west-1").create_model(**fake.at(region="eu-west-1").request(ModelName="churn"))
            fake.client().list_models()

        found = wrong(sweep(deploy_elsewhere, errors=["503"]))
        assert found == {"2:503": ["model/churn in eu-west-1 of 123456789012 was left behind"]}

    def test_jobs_that_are_over_and_endpoints_that_go_are_not_left(self):
        def serve(fake):
            fake.add_endpoint("churn")
            fake.endpoints.take(seconds=600)
            fake.client().delete_endpoint(EndpointName="churn")
            fake.client().list_models()

        assert wrong(sweep(serve, errors=["503"])) == {}

    def test_a_failure_that_is_swallowed(self):
        runs = list(sweep(deploy_and_look_away, errors=["503"], swallows=["*"]))
        assert [(run.id, run.swallowed) for run in runs] == [("1:503", False), ("2:503", True)]
        assert wrong(sweep(deploy_and_look_away, errors=["503"])) == {"2:503": ["the failure was swallowed"]}

    @pytest.mark.parametrize("swallows", ["AddTags", "AddTags:503", "AddTags:*", "2:503", "*"])
    def test_what_may_be_swallowed(self, swallows):
        assert wrong(sweep(deploy_and_look_away, errors=["503"], swallows=[swallows])) == {}

    @pytest.mark.parametrize("swallows", ["CreateModel", "AddTags:500", "1:503"])
    def test_what_may_not_be(self, swallows):
        assert list(wrong(sweep(deploy_and_look_away, errors=["503"], swallows=[swallows]))) == ["2:503"]

    def test_a_call_that_is_sent_again_is_not_swallowed(self):
        (run,) = sweep(deploy_again, errors=["ThrottlingException"])
        assert (run.raised, run.recovered, run.swallowed, run.problems) == (None, True, False, [])

    def test_an_invariant(self):
        def owned(fake):
            assert all(model.tags for model in fake.models.values()), "a model without an owner"

        found = wrong(sweep(deploy, errors=["503"], keeps=["*"], invariant=owned))
        (problem,) = found["2:503"]
        assert problem.startswith("the invariant is broken: AssertionError('a model without an owner")
        assert found.keys() == {"2:503"}

    def test_an_invariant_that_returns_false(self):
        def at_most_one(fake):
            return len(fake.calls) < 3

        found = wrong(sweep(deploy_and_undo, errors=["503"], invariant=at_most_one))
        assert found == {"2:503": ["the invariant is broken: it returned False"]}

    def test_a_scenario_that_takes_another_way_each_time(self):
        ways = iter(["create_model", "list_models"])

        def wander(fake):
            client = fake.client()
            client.create_model(**fake.request()) if next(ways) == "create_model" else client.list_models()

        (problems,) = wrong(sweep(wander, errors=["503"])).values()
        assert problems == ["the failure was never triggered: call 1 was another operation this time; calls: ListModels"]


class TestHowItFails:
    def test_together_at_the_end(self):
        with pytest.raises(AssertionError) as caught:
            list(sweep(deploy, errors=["ThrottlingException", "503"]))
        line = next(
            number for number, text in enumerate(inspect.getsourcelines(deploy)[0], deploy.__code__.co_firstlineno) if "add_tags" in text
        )
        expected = f"""\
2 of 4 runs are wrong
call           runs  raised  sent again  swallowed  wrong
1 CreateModel     2       2           -          -      -
2 AddTags         2       2           -          -      2
call 2 AddTags fails (2 failures: ThrottlingException, 503): model/churn was left behind
    sent from tests/test_sweeps.py:{line}; one of them alone: sweep(deploy, only='2:ThrottlingException')"""
        assert str(caught.value) == expected

    def test_problems_beyond_twenty_are_counted(self):
        def deploy_many(fake):
            for number in range(23):
                fake.client().create_model(**fake.request(ModelName=f"m{number}"))

        with pytest.raises(AssertionError) as caught:
            list(sweep(deploy_many, errors=["503"]))
        lines = str(caught.value).splitlines()
        assert len([line for line in lines if line.startswith("call ") and "fails" in line]) == 20
        # The second call leaves one model, the third two, and so on.
        assert lines[25].startswith("call 2 CreateModel fails (1 failure: 503): model/m0 was left behind")
        assert "): model/m0, model/m1 were left behind" in lines[27]
        assert lines[-1] == "2 more problems are not shown"

    def test_an_entry_that_names_nothing(self):
        with pytest.raises(AssertionError) as caught:
            list(sweep(deploy, errors=["503"], keeps=["models/churn"], swallows=["DeleteModel"]))
        assert str(caught.value).splitlines()[-2:] == [
            "keeps=['models/churn'] named nothing; left behind: model/churn",
            "swallows=['DeleteModel'] named nothing",
        ]

    def test_one_that_is_made_alone_tells_no_more_than_that(self, capsys):
        with pytest.raises(AssertionError) as caught:
            list(sweep(deploy, only="2:503"))
        assert str(caught.value).startswith("run 2:503, in which AddTags failed: model/churn was left behind. It raised ClientError(")
        assert "only=" not in str(caught.value)
        assert capsys.readouterr().out == ""

    def test_one_by_one(self):
        failed = []
        for run in sweep(deploy, errors=["503"]):
            try:
                run.check()
            except AssertionError as error:
                failed.append((run.id, error.__cause__))
        assert [(name, type(cause)) for name, cause in failed] == [("2:503", ClientError)]

    def test_the_table(self, capsys):
        runs = sweep(deploy_and_look_away, errors=["ResourceLimitExceeded", "503"], keeps=[], swallows=["2:503"])
        assert all(not run.problems for run in runs)
        expected = """\
call           runs  raised  sent again  swallowed  wrong
1 CreateModel     2       2           -          -      -
2 AddTags         1       -           -          1      -
"""
        assert capsys.readouterr().out == expected
        assert str(runs) == expected.rstrip()

    def test_wrong_runs_in_the_table(self):
        runs = sweep(deploy, errors=["503"])
        assert wrong(runs)
        assert str(runs).splitlines()[-1].split() == ["2", "AddTags", "1", "1", "-", "-", "1"]

    def test_each_run_is_a_subtest(self, pytester):
        pytester.makepyfile("""
            from pytest_smfake import sweep

            def deploy(fake):
                client = fake.client()
                arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
                client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])

            def test_it(smfake_factory, subtests):
                for run in sweep(deploy, errors=["503", "ThrottlingException"], factory=smfake_factory):
                    with subtests.test(run.id):
                        run.check()
        """)
        result = pytester.runpytest()
        own = pytest.version_tuple >= (9,)  # else they are those of pytest-subtests
        result.stdout.fnmatch_lines(
            [
                "*run 2:503, in which AddTags failed: model/churn was left behind. It raised*",
                *(["1 CreateModel *", "2 AddTags *"] if own else []),
                "SUBFAILED[[]2:503[]]*" if own else "[[]2:503[]] SUBFAIL*",
                "SUBFAILED[[]2:ThrottlingException[]]*" if own else "[[]2:ThrottlingException[]] SUBFAIL*",
            ]
        )
        # Two runs, and, of pytest's own subtests, the test that holds them: its output is the table.
        result.assert_outcomes(failed=3 if own else 2, passed=0 if own else 1)


LOUD = """
    import logging
    from pytest_smfake import sweep

    def deploy(fake):
        client = fake.client()
        arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
        logging.warning("logged by a run")
        print("printed by a run")
        try:
            client.describe_model(ModelName="churn")
        except Exception:
            logging.exception("logged by a run")
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])

    def test_it():
        list(sweep(deploy, OPTION))
"""


class TestWhatATestPrints:
    @pytest.mark.parametrize("style", ["auto", "short"])
    def test_two_defects_fit_a_screen(self, alone, pytester, style):
        pytester.makepyfile(LOUD.replace("OPTION", ""))
        result = pytester.runpytest(f"--tb={style}")
        result.assert_outcomes(failed=1)
        assert len(result.outlines) <= 40
        assert "by a run" not in result.stdout.str()
        assert not [line for line in result.outlines if "pytest_smfake/" in line]
        result.stdout.fnmatch_lines(
            [
                "E *call             runs  raised  sent again  swallowed  wrong",
                "E *call 2 DescribeModel fails (* failures: AccessDeniedException, *, ...): the failure was swallowed",
                "E *call 3 AddTags fails (* failures: AccessDeniedException, *, ...): model/churn was left behind",
                "E *one of them alone: sweep(deploy, only='3:AccessDeniedException')",
            ]
        )

    @pytest.mark.parametrize("option", ["output=True", "only='3:503'"])
    def test_output_on_request(self, alone, pytester, option):
        pytester.makepyfile(LOUD.replace("OPTION", option))
        result = pytester.runpytest()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["printed by a run", "*logged by a run", "*- smfake -*", "fail('AddTags', '*', when=call 3) was triggered by call 3, *"]
        )


class TestRefused:
    def test_a_scenario_that_takes_more_than_the_fake(self):
        def release(name: str, image: str):
            raise NotImplementedError

        with pytest.raises(
            ValueError,
            match=r"must take the active fake as its only argument: release\(fake\); this is release\(name: '?str'?, image: '?str'?\)",
        ):
            list(sweep(release))

    @pytest.mark.parametrize("name", ["errors", "keeps", "swallows"])
    def test_a_string_for_a_list(self, name):
        with pytest.raises(ValueError, match=rf"{name}='model/\*' is not a list; did you mean \['model/\*'\]"):
            sweep(deploy, **{name: "model/*"})

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ({"scenario": 5}, "scenario=5 is not a function"),
            ({"factory": 5}, "factory=5 is not a function"),
            ({"invariant": 5}, "invariant=5 is not a function"),
            ({"only": 5}, "only=5 is not the id of a run, such as '2:ThrottlingException'"),
            ({"errors": 5}, "errors=5 is not a list of texts"),
            ({"keeps": [5]}, r"keeps=\[5\] is not a list of texts"),
            ({"keeps": None}, "keeps=None is not a list of texts"),
        ],
    )
    def test_arguments_of_other_types(self, arguments, sentence):
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            sweep(**{"scenario": deploy} | arguments)

    def test_a_coroutine_function(self):
        async def deploy_later(fake): ...

        with pytest.raises(
            ValueError, match=r"scenario=deploy_later is a coroutine function; sweep a function that runs it by asyncio.run\(\)"
        ):
            sweep(deploy_later)

    @pytest.mark.parametrize("only", ["3:503", "0:503", "503", "CreateModel:503", ""])
    def test_the_id_of_no_run(self, only):
        sentence = rf"only='{only}' is not the id of a run, such as '1:ThrottlingException'; the calls are: 1 CreateModel, 2 AddTags"
        with pytest.raises(ValueError, match=sentence):
            list(sweep(deploy, only=only))

    @pytest.mark.parametrize("arguments", [{"only": "1:Throttling"}, {"errors": ["503", "Throttling"]}], ids=str)
    def test_a_failure_that_no_call_can_have(self, arguments):
        with pytest.raises(
            ValueError,
            match="'Throttling' is not a failure of CreateModel; near it: ThrottlingException; there are: ResourceLimitExceeded, ",
        ):
            list(sweep(deploy, **arguments))

    def test_a_scenario_without_calls(self):
        with pytest.raises(ValueError, match="<lambda> made no SageMaker call that could fail"):
            list(sweep(lambda _: None))

    def test_a_scenario_that_fails_by_itself(self):
        with pytest.raises(ClientError, match="modelName"):
            list(sweep(lambda fake: fake.client().create_model(**fake.request(ModelName="-"))))

    def test_an_invariant_that_never_holds(self):
        with pytest.raises(AssertionError, match="the invariant does not hold without any failure: it returned False"):
            list(sweep(deploy, invariant=lambda _: False))


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_nothing_is_left_in_the_process(end, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "before")
    before = botocore.endpoint.time

    def interrupted(fake):
        try:
            fake.client().list_models()
        except ClientError:
            raise end from None

    with pytest.raises(end):
        list(sweep(interrupted, errors=["503"]))
    assert active() is None
    assert botocore.endpoint.time is before
    with FakeSageMaker() as fake:
        assert fake.client().list_models()["Models"] == []
