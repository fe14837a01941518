"""`@FakeSageMaker()` on classes of pytest."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("alone")


class TestPytestClasses:
    def test_each_test_has_a_world_with_its_hooks_and_fixtures(self, run):
        run("""
            @pytest.fixture
            def asked_for():
                create("asked-for")
                yield
                assert len(names()) == 4

            @FakeSageMaker()
            @pytest.mark.parametrize("number", [1, 2])
            class TestIt:
                def setup_method(self, method):
                    self.method = method
                    assert names() == []
                    create("a-set-up")

                @pytest.fixture(autouse=True)
                def _fixture_of_the_class(self):
                    create("b-fixture")
                    yield
                    create("c-late")

                def teardown_method(self):
                    assert len(names()) == 5, names()

                def test_it(self, asked_for, number):
                    create("test")
                    assert self.method.__name__ == "test_it"
                    assert names() == ["a-set-up", "asked-for", "b-fixture", "test"]

                @staticmethod
                def test_static(number, asked_for):
                    create("static")
                    assert names() == ["a-set-up", "asked-for", "b-fixture", "static"]

                def testing_is_a_test_too(self, asked_for, number):
                    create(f"n{number}")

            def test_order_and_class():
                assert (TestIt.__name__, TestIt.__module__, TestIt.__mro__[1:]) == ("TestIt", "test_it", (object,))
                assert fakes == []
        """).assert_outcomes(passed=7)

    @pytest.mark.parametrize("hooks", ["setup_method", "teardown_method", "a fixture", "a fixture below a hook", "none"])
    def test_hooks_alone_and_fixtures_of_their_names(self, run, hooks):
        source = {
            "setup_method": "def setup_method(self): create('first')",
            "teardown_method": "def teardown_method(self, method): assert names() == ['last']",
            "a fixture": "@pytest.fixture(autouse=True)\n    def setup_method(self): create('first')",
            "a fixture below a hook": (
                "@pytest.fixture(autouse=True)\n    def setup_method(self): create('first')\n\n"
                "    def teardown_method(self): assert names() == ['first', 'last']"
            ),
            "none": "",
        }[hooks]
        run(f"""
@FakeSageMaker()
class TestIt:
    {source}

    def test_one(self):
        create("last")
        assert names()[-1:] == ["last"]

    def test_two(self):
        create("last")
""").assert_outcomes(passed=2)

    def test_a_hook_or_a_fixture_that_fails(self, run):
        run("""
            @FakeSageMaker(faults=[("ListTags", "500")])
            class TestSetUp:
                def setup_method(self):
                    create("churn")
                    raise KeyError("set-up")

                def test_it(self):
                    assert False, "it has not run"

            @FakeSageMaker()
            class Base:
                def setup_method(self):
                    create("churn")

            class TestSetUpOfASubclass(Base):
                def setup_method(self):
                    super().setup_method()
                    raise KeyError("set-up")

                def test_it(self):
                    assert False, "it has not run"

            @FakeSageMaker(faults=[("ListTags", "500")])
            class TestTearDown:
                def setup_method(self):
                    create("churn")

                def teardown_method(self):
                    assert names() == ["churn"]
                    raise KeyError("tear-down")

                def test_it(self):
                    pytest.skip("no fault is missed")

            @FakeSageMaker(faults=[("ListTags", "500")])
            class TestFixture:
                @pytest.fixture
                def broken(self):
                    raise KeyError("fixture")

                def test_it(self, broken):
                    assert False, "it has not run"
        """).assert_outcomes(errors=4, skipped=1)

    def test_inherited_tests_and_subclasses(self, run):
        run("""
            class Base:
                seen = []

                def setup_method(self):
                    self.base = len(fakes)

                def test_inherited(self, request):
                    self.seen.append((type(self).__name__, len(fakes), self.base))

            class TestPlain(Base):
                pass

            BEFORE = dict(vars(Base))

            @FakeSageMaker(account="111122223333")
            class TestDecorated(Base):
                def test_own(self):
                    create("churn")

            class Other:
                def setup_method(self):
                    create("other")  # it does not call those of other bases

            class TestChild(Other, TestDecorated):
                def setup_method(self):
                    super().setup_method()
                    self.base = len(fakes)

                def test_more(self):
                    create("churn")
                    assert names() == ["churn", "other"]

                def test_own(self):
                    super().test_own()
                    assert names() == ["churn", "other"]

            class TestGrandchild(TestChild):
                def teardown_method(self):
                    super().teardown_method()
                    assert "other" in names()

            @FakeSageMaker(account="222233334444")
            class TestDecoratedChild(TestChild):
                def test_more(self):
                    assert [fake.account for fake in fakes] == ["222233334444"]

            def test_the_base_is_as_it_was():
                assert dict(vars(Base)) == BEFORE
                assert Base.seen == [
                    ("TestPlain", 0, 0),
                    ("TestDecorated", 1, 1),
                    ("TestChild", 1, 1),
                    ("TestGrandchild", 1, 1),
                    ("TestDecoratedChild", 1, 1),
                ]
        """).assert_outcomes(passed=13)

    def test_a_sibling_that_overrides_a_test(self, run):
        run("""
            class Base:
                def test_it(self):
                    assert False, "it is overridden"

            @FakeSageMaker()
            class TestOne(Base):
                __test__ = False

            class Two(Base):
                def test_it(self):
                    create("churn")

            class TestBoth(TestOne, Two):
                __test__ = True
        """).assert_outcomes(passed=1)

    def test_nested_classes(self, run):
        run("""
            @FakeSageMaker()
            class TestOuter:
                class Data:
                    number = 1

                class TestInner:
                    @classmethod
                    def setup_class(cls):
                        create("class")

                    def setup_method(self):
                        create("first")

                    def test_it(self):
                        create("second")
                        assert len(fakes) == 1

                @FakeSageMaker(account="111122223333")
                class TestOfItsOwn:
                    def test_it(self):
                        assert [fake.account for fake in fakes] == ["111122223333"]

                class TestCases(unittest.TestCase):
                    def setUp(self):
                        create("first")

                    def test_it(self):
                        create("second")

            def test_others_stay():
                assert [name for name in vars(TestOuter.Data) if not name.startswith("__")] == ["number"]
        """).assert_outcomes(passed=4)

    @pytest.mark.parametrize("form", ["@classmethod\n    def {}(cls)", "def {}(cls)", "@staticmethod\n    def {}()"])
    def test_hooks_of_the_class_have_a_world_apart(self, run, form):
        run(f"""
@FakeSageMaker(faults=[("CreateModel", "500")])
class TestIt:
    {form.format("setup_class")}:
        create("class")

    {form.format("teardown_class")}:
        assert names() == ["class"]

    def test_one(self):
        assert names() == []
        with pytest.raises(Exception, match="500"):
            create("churn")

    def test_two(self):
        self.test_one()
        create("churn")

class TestChild(TestIt):
    pass
""").assert_outcomes(passed=4)

    def test_unused_faults(self, run):
        result = run("""
            @FakeSageMaker(faults=[("CreateModel", "500")])
            class TestIt:
                def teardown_method(self, method):
                    if method.__name__ == "test_torn_down":
                        with pytest.raises(Exception, match="500"):
                            create("churn")

                def test_torn_down(self):
                    pass

                def test_struck(self):
                    with pytest.raises(Exception, match="500"):
                        create("churn")

                def test_nested(self):
                    self.test_unused()
                    self.test_struck()

                def test_unused(self):
                    pass

                def test_failed(self):
                    assert False

                def test_skipped(self):
                    pytest.skip()
        """)
        result.assert_outcomes(passed=4, failed=1, skipped=1, errors=1)
        result.stdout.fnmatch_lines(["*UnusedFaultError*", "ERROR test_it.py::TestIt::test_unused*"])

    def test_other_decorators_of_the_class(self, run):
        run("""
            seen = []

            @mock.patch("helpers.Config")
            @FakeSageMaker()
            class TestBelow:
                def test_it(self, config):
                    create("churn")

            @FakeSageMaker()
            @mock.patch("helpers.Config")
            class TestAbove:
                def test_it(self, config):
                    create("churn")

                @FakeSageMaker(account="111122223333")
                def test_nearest(self, config):
                    assert [fake.account for fake in fakes] == ["123456789012", "111122223333"]

            @FakeSageMaker(account="111122223333")
            class TestWithTheFixture:
                def test_it(self, smfake):
                    create("churn")
                    assert list(smfake.models) == ["churn"]
                    assert fakes[0].account == "111122223333"
        """).assert_outcomes(passed=4)

    def test_a_test_that_is_called_by_hand(self, run):
        run("""
            @FakeSageMaker()
            class TestIt:
                def test_it(self):
                    create("churn")

            def test_by_hand():
                instance = TestIt()
                instance.test_it()
                instance.test_it()
                assert fakes == []
        """).assert_outcomes(passed=2)

    def test_other_names_for_tests(self, run):
        run(
            """
            @FakeSageMaker()
            class Checks:
                def setup_method(self):
                    create("first")

                def check_it(self):
                    create("second")
            """,
            *("-o", "python_classes=Checks", "-o", "python_functions=check_*"),
        ).assert_outcomes(passed=1)
