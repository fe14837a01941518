"""`@FakeSageMaker()` on classes of unittest, run by pytest and by unittest."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.active import active

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(params=["pytest", "unittest"])
def run_both(request, run, suite, pytester):
    """Run a suite of unittest, as pytest or as unittest does; return the outcomes and what was told."""

    def by_pytest(source: str):
        result = run(source, *(["--pdb"] if request.param == "pytest --pdb" else []))
        found = {name.rstrip("s"): number for name, number in result.parseoutcomes().items() if not name.startswith("subtest")}
        errors = found.pop("error", 0)  # what fails after a test has passed is counted beside it
        return found | ({"passed": found["passed"] - errors, "failed": errors} if errors else {}), result.stdout.str()

    def by_unittest(source: str):
        suite(source)
        command = [sys.executable, "-W", "error", "-m", "unittest", "--verbose", "test_it"]
        done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, timeout=60, check=False)
        last = done.stderr.splitlines()[-1]
        names = {"failures": "failed", "errors": "failed", "skipped": "skipped", "expected failures": "xfailed"}
        found = {names[name]: int(number) for name, number in re.findall(r"(\w[a-z ]+)=(\d+)", last)}
        # `Ran 11 tests` counts those that were skipped, but not in Python 3.12.1.
        passed = len(re.findall(r"\.\.\. ok$", done.stderr, re.MULTILINE))
        return found | ({"passed": passed} if passed else {}), done.stderr

    return by_unittest if request.param == "unittest" else by_pytest


class TestUnittest:
    # Where a debugger may be asked for, pytest tears down when the test has ended.
    @pytest.mark.parametrize("run_both", ["pytest", "pytest --pdb", "unittest"], indirect=True)
    def test_each_test_has_a_world_with_its_hooks(self, run_both, pytester):
        pytester.makepyfile(
            base="""
            import unittest
            from helpers import *

            class Base(unittest.TestCase):
                seen = []

                def setUp(self):
                    assert names() == []
                    create("base")
                    self.addCleanup(self.tidy)

                def tearDown(self):
                    create("down")

                def tidy(self):
                    self.seen.append(names())

                def test_inherited(self):
                    assert names() == ["base", "set-up"], names()

            BEFORE = dict(vars(Base))
            """
        )
        outcomes, text = run_both("""
            import base

            @FakeSageMaker()
            class TestIt(base.Base):
                def setUp(self):
                    super().setUp()
                    create("set-up")

                def test_own(self):
                    create("own")

                def test_subtests(self):
                    for number in range(2):
                        with self.subTest(number=number):
                            create(f"own{number}")

                @mock.patch("helpers.Config")
                def test_patched(self, config):
                    create("own")

                @unittest.skip("never")
                def test_skipped(self):
                    assert False

                @unittest.expectedFailure
                def test_expected(self):
                    assert False

            class TestChild(TestIt):
                def setUp(self):
                    create("base")  # it does not call that of the decorated class
                    create("set-up")

                def test_inherited(self):
                    super().test_inherited()
                    self.assertEqual(names(), ["base", "set-up"])

            class TestLast(unittest.TestCase):
                def test_what_was(self):
                    self.assertEqual(fakes, [])
                    self.assertEqual(dict(vars(base.Base)), base.BEFORE)
                    after = [[name for name in seen if not name.startswith("own")] for seen in base.Base.seen]
                    # With --pdb the cleanups run before that.
                    self.assertIn(after, ([["base", "down", "set-up"]] * 5, [["base", "set-up"]] * 5))
        """)
        assert outcomes == {"passed": 9, "skipped": 2, "xfailed": 2}, text

    def test_asyncio(self, run_both):
        outcomes, text = run_both("""
            import asyncio

            @FakeSageMaker()
            class TestIt(unittest.IsolatedAsyncioTestCase):
                seen = []

                def setUp(self):
                    assert names() == []
                    create("a-set-up")

                async def asyncSetUp(self):
                    await asyncio.sleep(0)
                    create("b-async-set-up")
                    self.addAsyncCleanup(self.tidy)
                    await self.enterAsyncContext(FakeSageMaker(account="111122223333"))
                    create("inner")

                async def test_it(self):
                    await asyncio.gather(asyncio.sleep(0), asyncio.to_thread(create, "c-test"))
                    self.assertEqual(names(), ["c-test", "inner"])

                def test_sync(self):
                    create("c-test")

                async def asyncTearDown(self):
                    await asyncio.sleep(0)
                    self.assertEqual(names(), ["c-test", "inner"])

                async def tidy(self):
                    await asyncio.sleep(0)
                    self.seen.append(names())

            class TestLast(unittest.TestCase):
                def test_what_was(self):
                    self.assertEqual(fakes, [])
                    self.assertEqual(TestIt.seen, [["a-set-up", "b-async-set-up"]] * 2)
        """)
        assert outcomes == {"passed": 3}, text

    def test_an_async_test_that_fails_fails(self, run_both):
        outcomes, text = run_both("""
            @FakeSageMaker()
            class TestIt(unittest.IsolatedAsyncioTestCase):
                async def test_it(self):
                    self.assertEqual(names(), ["churn"])
        """)
        assert outcomes == {"failed": 1}, text

    def test_hooks_of_the_class_have_a_world_apart(self, run_both):
        outcomes, text = run_both("""
            class TestBase(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    cls.told = [names()]
                    create(cls.__name__)
                    cls.addClassCleanup(cls.tidy)

                @classmethod
                def tearDownClass(cls):
                    cls.told.append(names())
                    create("down")

                @classmethod
                def tidy(cls):
                    cls.told.append(names())

            @FakeSageMaker()
            class TestIt(TestBase):
                def test_it(self):
                    self.assertEqual(names(), [])
                    self.assertEqual(self.told, [[]])

            class TestItsChild(TestIt):
                @classmethod
                def setUpClass(cls):
                    super().setUpClass()
                    assert names() == ["TestItsChild"]

                @classmethod
                def tearDownClass(cls):
                    super().tearDownClass()
                    assert names() == ["TestItsChild", "down"], names()

            class TestLast(unittest.TestCase):
                def test_what_was(self):
                    self.assertEqual(fakes, [])
                    self.assertEqual(TestIt.told, [[], ["TestIt"], ["TestIt", "down"]])
                    self.assertEqual(TestItsChild.told, [[], ["TestItsChild"], ["TestItsChild", "down"]])
        """)
        assert outcomes == {"passed": 3}, text

    @pytest.mark.parametrize("where", ["setUp", "tearDown", "test_it", "tidy"])
    def test_an_error_leaves_nothing(self, run_both, where):
        outcomes, text = run_both(f"""
            @FakeSageMaker()
            class TestA(unittest.TestCase):
                def told(self, name):
                    create(name.lower().replace("_", "-"))
                    if name == {where!r}:
                        raise KeyError(name)

                def setUp(self):
                    self.addCleanup(self.tidy)
                    self.told("setUp")

                def tearDown(self):
                    self.told("tearDown")

                def test_it(self):
                    self.told("test_it")

                def tidy(self):
                    self.told("tidy")

            class TestLast(unittest.TestCase):
                def test_nothing_is_left(self):
                    self.assertEqual(fakes, [])
        """)
        assert outcomes == {"passed": 1, "failed": 1}, text

    def test_unused_faults(self, run_both):
        outcomes, text = run_both("""
            @FakeSageMaker(faults=[("CreateModel", "500")])
            class TestIt(unittest.TestCase):
                def tearDown(self):
                    if self.id().endswith("torn_down"):
                        with self.assertRaisesRegex(Exception, "500"):
                            create("churn")

                def test_struck(self):
                    with self.assertRaisesRegex(Exception, "500"):
                        create("churn")

                def test_torn_down(self):
                    pass

                def test_skipped(self):
                    self.skipTest("why not")

                def test_unused(self):
                    pass

                @unittest.expectedFailure
                def test_expected(self):
                    assert False
        """)
        assert outcomes == {"passed": 2, "failed": 1, "skipped": 1, "xfailed": 1}, text
        assert text.count("UnusedFaultError: ") >= 1

    def test_debug(self):
        seen = []

        def wrong(self):
            seen.append(active())
            raise KeyError

        case = FakeSageMaker()(type("TestIt", (unittest.TestCase,), {"test_it": wrong}))("test_it")
        with pytest.raises(KeyError):
            case.debug()
        assert None not in seen
        assert active() is None
        case.doCleanups()
        right = FakeSageMaker()(type("TestIt", (unittest.TestCase,), {"runTest": lambda _: seen.append(active())}))
        right().debug()
        assert len(set(seen)) == 2
        assert active() is None

    def test_pytest_gives_fixtures_the_world(self, run):
        run("""
            @FakeSageMaker()
            class TestIt(unittest.TestCase):
                @pytest.fixture(autouse=True)
                def _fixture(self):
                    create("b-fixture")

                def setup_method(self, method):
                    create("a-set-up-method")

                def setUp(self):
                    create("c-set-up")

                def test_it(self):
                    self.assertEqual(names(), ["a-set-up-method", "b-fixture", "c-set-up"])

                order = []

                @classmethod
                def setUpClass(cls):
                    cls.order.append("setUpClass")
                    create("class")

                @classmethod
                def setup_class(cls):
                    assert names() == (["class"] if cls.order else [])  # which of the two comes first depends on the version of pytest
        """).assert_outcomes(passed=1)
