"""`@FakeSageMaker()` on functions that pytest, Hypothesis and plugins for asyncio call."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("alone")


class TestFunctions:
    def test_fixtures_marks_and_mocks(self, run):
        run("""
            @pytest.fixture
            def name():
                return "churn"

            @pytest.mark.parametrize("number", [1, 2])
            @mock.patch("helpers.Config")
            @FakeSageMaker()
            def test_above(meta, name, number):
                create(name)
                assert names() == ["churn"]

            @FakeSageMaker()
            @pytest.mark.parametrize("number", [1, 2])
            @mock.patch("helpers.Config")
            def test_below(meta, name, number):
                create(name)
                assert names() == ["churn"]

            @FakeSageMaker()
            @pytest.mark.skip
            def test_skipped():
                assert False

            @FakeSageMaker()
            @pytest.mark.xfail(strict=True)
            def test_expected():
                assert False
        """).assert_outcomes(passed=4, skipped=1, xfailed=1)

    def test_a_fixture_that_yields(self, run):
        run("""
            @pytest.fixture
            @FakeSageMaker()
            def world():
                create("first")
                yield fakes[-1]
                assert names() == ["first", "second"]

            @pytest.mark.parametrize("time", [1, 2])
            def test_it(world, time):
                create("second")
                assert list(world.models) == ["first", "second"]
                assert fakes == [world]
        """).assert_outcomes(passed=2)

    def test_hypothesis(self, run):
        run(
            """
            from hypothesis import given, settings, strategies as st

            @settings(max_examples=3)
            @given(st.integers())
            @FakeSageMaker()
            def test_each_example_has_a_world(number):
                create("churn")

            @pytest.mark.parametrize("time", [1, 2])
            @FakeSageMaker()
            @settings(max_examples=3)
            @given(number=st.integers())
            def test_all_examples_have_one_world(number, time):
                create(f"m{len(names())}")

            @FakeSageMaker()
            class TestIt:
                @settings(max_examples=3)
                @given(st.integers())
                def test_all_examples_have_one_world(self, number):
                    create(f"m{len(names())}")
            """,
            "-p",
            "_hypothesis_pytestplugin",
        ).assert_outcomes(passed=4)


ASYNC = """
    import asyncio
    seen = []

    {fixture}
    @FakeSageMaker()
    async def world():
        await asyncio.sleep(0)
        create("first")
        yield
        await asyncio.sleep(0)
        seen.append(names())

    {mark}
    @FakeSageMaker()
    async def test_function():
        await asyncio.sleep(0)
        create("churn")
        assert names() == ["churn"]

    {mark}
    async def test_fixture(world):
        await asyncio.sleep(0)
        create("second")

    @FakeSageMaker()
    class TestIt:
        def teardown_method(self):
            assert names() == ["churn", "set-up"]

        def setup_method(self):
            create("set-up")

        {mark}
        @pytest.mark.parametrize("time", [1, 2])
        async def test_method(self, time):
            await asyncio.sleep(0)
            create("churn")
            assert names() == ["churn", "set-up"]

        {mark}
        async def test_bad(self):
            create("churn")
            await asyncio.sleep(0)
            assert False

    def test_what_the_fixture_saw():
        assert seen == [["first", "second"]]
"""


class TestAsyncio:
    @pytest.mark.parametrize(
        ("fixture", "mark", "arguments"),
        [
            ("@pytest_asyncio.fixture", "@pytest.mark.asyncio", ["-p", "pytest_asyncio.plugin"]),
            ("@pytest.fixture", "", ["-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"]),
            ("@pytest.fixture", "@pytest.mark.anyio", ["-p", "anyio.pytest_plugin"]),
        ],
        ids=["pytest-asyncio-strict", "pytest-asyncio-auto", "anyio"],
    )
    def test_it_is_run_as_before(self, run, fixture, mark, arguments):
        backend = "\n    @pytest.fixture\n    def anyio_backend():\n        return 'asyncio'\n" if "anyio" in mark else ""
        source = ("    import pytest_asyncio\n" if "asyncio" in fixture else "") + backend + ASYNC.format(fixture=fixture, mark=mark)
        run(source, "-o", "asyncio_default_fixture_loop_scope=function", *arguments).assert_outcomes(passed=5, failed=1)

    def test_without_a_plugin_it_fails(self, run):
        result = run("""
            @FakeSageMaker()
            class TestIt:
                async def test_it(self):
                    pass
        """)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])

    def test_hypothesis_around_coroutine_functions(self, run):
        run(
            """
            from hypothesis import given, settings, strategies as st

            @pytest.mark.asyncio
            @settings(max_examples=3)
            @given(st.integers())
            @FakeSageMaker()
            async def test_each_example_has_a_world(number):
                create("churn")

            @pytest.mark.asyncio
            @FakeSageMaker()
            @settings(max_examples=3)
            @given(st.integers())
            async def test_all_examples_have_one_world(number):
                create(f"m{len(names())}")
            """,
            *("-o", "asyncio_default_fixture_loop_scope=function"),
            *("-p", "_hypothesis_pytestplugin", "-p", "pytest_asyncio.plugin"),
        ).assert_outcomes(passed=2)
