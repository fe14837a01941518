"""Test the HTML page in a real browser: its content, filters and print view, and that it sends no request."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from pytest_smfake.contract.report import rule_coverage

PHONE = 375
DESKTOP = 1280
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str | None:
    """Return the reason why these tests cannot run, None if they can."""
    programs = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if programs:
        return f"{programs[0]} is not installed: apt-get install chromium chromium-driver"
    try:
        import axe_selenium_python  # noqa: F401
        import selenium  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed: tox run -e py313"
    return None


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Any]:
    """Yield a headless Chromium with an empty profile; skip without one, unless SMFAKE_BROWSER=required."""
    reason = missing()
    if reason:
        (pytest.fail if os.environ.get("SMFAKE_BROWSER") == "required" else pytest.skip)(reason)
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


class Page:
    """Control the page in the browser."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self, *parts: tuple[str, str]) -> None:
        """Open the page again, with a fragment in its address."""
        self.browser.get("about:blank")
        self.browser.get(self.address + (f"#{urlencode(parts)}" if parts else ""))

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script and return its result."""
        return self.browser.execute_script(script, *arguments)

    def all(self, selector: str) -> list[Any]:
        """Return all elements that match."""
        return self.browser.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        """Return the only element that matches; wait until it exists, since an opened check is filled later."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.browser, 10).until(lambda _: self.all(selector))
        (element,) = self.all(selector)
        return element

    def choose(self, name: str, value: str) -> None:
        """Select an option."""
        from selenium.webdriver.support.select import Select

        Select(self.one(f"select[name={name}]")).select_by_value(value)

    def shown(self) -> list[str]:
        """Return the ids of the visible checks."""
        return self.run("return [...document.querySelectorAll('.check:not([hidden]) .id code')].map((code) => code.textContent)")

    def status(self) -> str:
        """Return the text of the page with the number of visible checks."""
        return self.one("#shown").text

    def command(self, name: str, **parameters: Any) -> Any:
        """Send a command of the browser's DevTools protocol."""
        return self.browser.execute_cdp_cmd(name, parameters)

    def width(self, pixels: int) -> None:
        """Set the width of the window."""
        self.command("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=pixels == PHONE)

    def media(self, scheme: str = "light", medium: str = "") -> None:
        """Emulate a light, dark or print view, and wait until the page has received the change."""
        self.command("Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.browser.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))")


@pytest.fixture(scope="module")
def address(report, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("page") / "out.html"
    report.write(path)
    return path.as_uri()


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    """Yield the page on a desktop; afterwards check that it logged no error and requested nothing but itself."""
    page = Page(browser, address)
    page.width(DESKTOP)
    page.media()
    page.open()
    yield page
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    # Requests of the first page of the browser do not count.
    assert {url.partition("#")[0] for url in asked if not url.startswith(("chrome", "data:"))} <= {address, "about:blank"}
    assert browser.current_url.startswith(address)


def outcomes(report) -> dict[str, dict[str, str]]:
    """Return the outcome of each check on each target."""
    found = {check["id"]: dict.fromkeys(report.targets, "not run") for check in report.checks}
    for result in report.results:
        found[result.check][result.target] = result.outcome
    return found


def test_cards_agree_with_the_data(report, page):
    for target, card in zip(report.targets, page.all(".card"), strict=True):
        lines = [line.strip() for line in card.text.splitlines()]
        stand = rule_coverage(report, target)
        silent = sum(bool(rule["silent"]) for rule in report.rules)
        assert lines[0] == re.sub(r"\s+", " ", target)
        assert f"{stand['proved']} of {len(report.rules) - silent} observable rules proved" in lines
        told = dict(
            zip(
                [term.text for term in card.find_elements("css selector", "dt")],
                [data.text for data in card.find_elements("css selector", "dd")],
                strict=True,
            )
        )
        expected = {name: str(number) for name, number in stand.items() if number}
        assert told == expected | {"not observable": str(silent), "rules in the catalogue": str(len(report.rules))}
        picks = {pick.text[2:] for pick in card.find_elements("css selector", ".pick")}
        assert picks == {f"{number} {name}" for name, number in report.counts(target).items() if number}


def test_all_checks_are_shown_with_what_came_of_them(report, page):
    assert page.shown() == [check["id"] for check in report.checks]
    every = len(report.checks)
    assert page.status() == f"{every} of {every} checks"
    marks = page.run(
        "return [...document.querySelectorAll('.check')].map((check) => [...check.querySelectorAll('.mark > :last-child')].map((mark) => mark.textContent))"
    )
    assert marks == [list(came.values()) for came in outcomes(report).values()]
    assert [title.text.splitlines()[0] for title in page.all(".group > h2 > :first-child")] == [
        f"{group} {number} check{'s' if number > 1 else ''}"
        for group in dict.fromkeys(check["group"] for check in report.checks)
        if (number := sum(check["group"] == group for check in report.checks))
    ]


def test_filters(report, page):
    poor = report.targets[2]
    came = outcomes(report)

    def fits(wanted: set[str], targets: list[str]) -> list[str]:
        return [check for check, by_target in came.items() if wanted & {by_target[target] for target in targets}]

    page.one("input[value=failed]").click()
    assert page.shown() == fits({"failed"}, report.targets)
    page.one("input[value=outdated]").click()
    assert page.shown() == fits({"failed", "outdated"}, report.targets)
    page.choose("target", "lax")
    assert page.shown() == fits({"failed", "outdated"}, ["lax"])
    assert page.status() == f"2 of {len(came)} checks: lax, failed, outdated"
    chips = {chip.text.split()[1]: int(chip.text.split()[-1]) for chip in page.all(".chip") if "not run" not in chip.text}
    assert chips == {"passed": len(came) - 2, "failed": 2, "outdated": 0, "skipped": 0}
    page.one("button[type=reset]").click()
    assert len(page.shown()) == len(came)
    page.choose("group", "create")
    assert page.shown() == [check["id"] for check in report.checks if check["group"] == "create"]
    page.one("button[type=reset]").click()
    page.all(".pick.not-run")[-1].click()
    assert page.shown() == fits({"not run"}, [poor])


def test_search(report, page):
    box = page.one("input[type=search]")
    box.send_keys("first STAYS")
    assert page.shown() == ["create/same-name"]
    assert page.status() == f"1 of {len(report.checks)} checks: “first STAYS”"
    box.clear()
    box.send_keys("less than or equal to 63")  # text of an expected response
    assert page.shown() == ["CreateModel/ModelName:max-64"]
    box.clear()
    box.send_keys("nobody says this")
    assert page.shown() == []
    assert page.one(".none").is_displayed()
    page.one(".none button").click()
    assert len(page.shown()) == len(report.checks)


def test_the_address_keeps_what_is_shown(report, page):
    page.open(("outcome", "failed"), ("outcome", "skipped"), ("target", "lax"), ("text", "max-64"))
    assert page.shown() == ["CreateModel/ModelName:max-64"]
    page.one("input[value=skipped]").click()
    assert page.browser.current_url.endswith("#text=max-64&target=lax&outcome=failed")
    page.open(("check", "CreateModel/Tags:max-51"))
    assert [check.find_element("css selector", "code").text for check in page.all(".check[open]")] == ["CreateModel/Tags:max-51"]
    page.open(("target", "nobody"), ("group", "none"), ("check", "x"), ("outcome", "y"))
    assert len(page.shown()) == len(report.checks)


def test_a_difference(report, page):
    page.open(("check", "CreateModel/ModelName:max-64"))
    (failed,) = [result for result in report.failed if result.check == "CreateModel/ModelName:max-64"]
    body = page.one(".check[open] .body").text
    check = next(check for check in report.checks if check["id"] == failed.check)
    for text in (check["rule"], f"{check['evidence']}: ", check["source"], "63", failed.expected, failed.actual):
        assert text in body
    assert json.loads(page.one(".answer.failed .request pre").text) == json.loads(failed.request)
    assert page.one(".plain.passed").text.startswith("✓ passed on fake in ")
    page.open(("outcome", "outdated"))
    page.one(".check:not([hidden]) summary").click()
    assert page.one(".check[open] .answer.outdated").text.startswith("≈ outdated on poor=")
    told = [
        (term.text, data.text)
        for term, data in zip(page.all(".check[open] .body > dl > dt"), page.all(".check[open] .body > dl > dd"), strict=True)
    ]
    assert told[1:3] == [("Page", "5"), ("SDK", "15")]


def test_the_keyboard_is_enough(page):
    from selenium.webdriver import ActionChains, Keys

    def press(*keys: str) -> None:
        ActionChains(page.browser).send_keys(*keys).perform()

    press(Keys.TAB)
    assert page.browser.switch_to.active_element.text == "Skip to the checks"
    press("/")
    assert page.browser.switch_to.active_element.get_attribute("name") == "text"
    press("same-name", *[Keys.TAB] * 4, Keys.ENTER)
    assert page.browser.switch_to.active_element.text == "Reset"
    assert len(page.shown()) > 1
    press("/", "same-name", *[Keys.TAB] * 5, Keys.SPACE)
    assert page.run("return document.querySelector('input[value=passed]').checked") is True
    for _ in range(10):
        press(Keys.TAB)
        if page.browser.switch_to.active_element.tag_name == "summary":
            break
    press(Keys.ENTER)
    assert page.one(".check[open] .id code").text == "create/same-name"


@contextmanager
def printed(page: Page) -> Iterator[None]:
    page.media(medium="print")
    try:
        yield
    finally:
        page.media()


def test_print_shows_everything(report, page):
    page.open(("check", "create/same-name"))
    with printed(page):
        for check in report.checks:
            assert check["sentence"] in page.run("return document.getElementById('checks').innerText")
        assert page.run("return [...document.querySelectorAll('.check')].every((check) => check.querySelector('.body')?.checkVisibility())")
        text = page.run("return document.body.innerText")
        for result in report.failed:
            assert result.expected in text
            assert result.actual in text
        assert not page.one("input[type=search]").is_displayed()
    assert [check.find_element("css selector", "code").text for check in page.all(".check[open]")] == ["create/same-name"]


def test_what_is_filtered_is_what_is_printed(page):
    page.open(("text", "create/same-name"))
    assert len(page.command("Page.printToPDF", printBackground=True)["data"]) > 10_000
    assert page.all(".check[open]") == []  # closed again
    with printed(page):
        assert (
            page.run("return [...document.querySelectorAll('.check[open]')].map((check) => check.querySelector('.id code').textContent)")
            == page.shown()
        )
        assert page.status().startswith("1 of ")


@pytest.mark.parametrize("opened", [False, True])
def test_a_phone_does_not_scroll_sideways(opened, page):
    page.width(PHONE)
    if opened:
        page.one("#expand").click()
    assert page.run("return document.documentElement.scrollWidth") == PHONE
    assert (
        page.run(
            "return [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && one.checkVisibility()).length"
        )
        == 0
    )


def test_hostile_text_stays_text(report, page):
    page.one("#expand").click()
    assert (
        page.run("return document.images.length + document.scripts.length + document.querySelectorAll('iframe, object, [onerror]').length")
        == 2
    )
    poor = report.targets[2]
    assert page.run("return document.querySelectorAll('.card h2')[2].textContent") == poor
    assert page.run("return document.title.replaceAll(/\\s+/g, ' ')") == re.sub(
        r"\s+", " ", f"CreateModel contract: {', '.join(report.targets)}"
    )
    (reason,) = report.skipped(poor)
    assert page.run("return document.querySelector('.answer.skipped p').textContent").endswith(f": {reason}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_is_wrong_for_those_who_see_or_point_otherwise(scheme, width, page):
    """axe-core finds no violation of WCAG 2.1 AA: contrast, names, roles, order of headings."""
    from axe_selenium_python import Axe

    page.width(width)
    page.media(scheme)
    page.open(("check", "CreateModel/ModelName:max-64"))
    axe = Axe(page.browser)
    axe.inject()
    found = axe.run()
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found["violations"]] == []
    assert "color-contrast" in {one["id"] for one in found["passes"]}
