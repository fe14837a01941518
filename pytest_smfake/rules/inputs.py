"""What users write, and files that others may have changed: whatever is wrong is told in one sentence; files are written whole."""

from __future__ import annotations

import difflib
import json
import math
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

LARGEST = 2**63 - 1
"""The largest whole number that is taken: that of the service's own 64 bits, which Python prints at any setting."""

MOST_SECONDS = 10**10
"""The most seconds that are taken, some three hundred years: a date so far away can still be written."""


def seconds_of(value: object, what: str, *, zero: bool = True) -> float:
    """Return a number of seconds.

    Args:
        value: what should be one.
        what: the beginning of the sentence about one that cannot be, such as `a clock advances by`.
        zero: whether none at all is one.

    Raises:
        ValueError: it is no number, below 0, or over 10,000,000,000.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= MOST_SECONDS and (value or zero)):  # type: ignore[operator]
        least = "at least 0 seconds" if zero else "more than 0 seconds"
        most = f" and at most {MOST_SECONDS}" if number and value > MOST_SECONDS else ""  # type: ignore[operator]
        raise ValueError(f"{what} {least}{most}, not {shown(value)}")
    return value  # type: ignore[return-value]


def check_account(account: str | None) -> None:
    """Check the id of an account; None passes.

    Raises:
        ValueError: it is not a string of 12 digits.
    """
    if account is not None and not (isinstance(account, str) and re.fullmatch(r"[0-9]{12}", account)):
        raise ValueError(f"{shown(account)} is not an account id, which is a string of 12 digits")


def near(word: object, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the known words that are nearest to a word, whatever the case of its letters."""
    by_lower = {name.lower(): name for name in known}
    return [by_lower[match] for match in difflib.get_close_matches(str(word)[:100].lower(), by_lower, n=count)]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word, empty where no known one is near.

    Example:
        >>> did_you_mean("Modelname", ["ModelName", "Tags"])
        "; did you mean 'ModelName'?"
    """
    return "".join(f"; did you mean {found!r}?" for found in near(word, known, count=1))


def shown(value: object, width: int = 80) -> str:
    """Return a value for a sentence: its repr, cut where it is long.

    Example:
        >>> shown(10**5000), shown("a" * 5000, 10)
        ('a number of about 5000 digits', "'aaaaaa... (5002 characters)")
    """
    if isinstance(value, int) and abs(value) > 10**width:  # Python refuses to print the longest ones
        return f"a number of about {round(value.bit_length() * 0.30103)} digits"
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # it is a user's, and what is wrong with it is told all the same
        text = f"<{type(value).__name__} that cannot be printed>"
    return text if len(text) <= width else f"{text[: width - 3]}... ({len(text)} characters)"


def counted(number: int, noun: str) -> str:
    """Return how many there are of something.

    Example:
        >>> counted(1, "call"), counted(3, "call")
        ('1 call', '3 calls')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def with_article(noun: str) -> str:
    """Return a noun with its article.

    Example:
        >>> with_article("integer"), with_article("list")
        ('an integer', 'a list')
    """
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def pair(line: str) -> tuple[str, Any]:
    """Read a line `NAME = VALUE`; the value is a whole number, `off` (None), `true` or `on`, or text.

    Raises:
        ValueError: it has another form.

    Example:
        >>> pair("models = 5"), pair("CreateModel/Containers:max=off")
        (('models', 5), ('CreateModel/Containers:max', None))
    """
    name, equals, text = (part.strip() for part in line.partition("="))
    if not (name and equals and text):
        raise ValueError(f"{shown(line)} is not of the form NAME = VALUE")
    if text.lower() in ("off", "true", "on"):
        return name, None if text.lower() == "off" else True
    # Longer numbers stay text, which who takes the value refuses: Python does not read them at any length.
    return name, int(text) if text.isdecimal() and len(text) <= len(str(LARGEST)) else text


LONGEST_NUMBER = 20
"""Digits of a whole number that is read: more than any that this package writes."""

Look = Callable[[str, Any], None]
"""Looks at a value at a place; raises ValueError with a sentence that names both."""


def document(
    path: Path | Traversable, noun: str, kind: tuple[str, int], members: Mapping[str, Look], beside: Collection[str] = ()
) -> dict[str, Any]:
    """Return the members of a file, each looked at.

    Args:
        path: the file.
        noun: what it should be, such as `report`.
        kind: its `format` and `version`.
        members: what it has to have, each with the look at it.
        beside: what else it may have, which is left out.

    Raises:
        ValueError: it cannot be read, is no JSON, of another kind or version, or was changed; the sentence says which and where.
    """
    try:
        return _document(path, noun, kind, members, beside)
    except ValueError as error:
        # Names that the file holds are in the sentence, which has to be printed whatever they are.
        raise ValueError(str(error).encode("utf-8", "backslashreplace").decode()) from None


def _document(
    path: Path | Traversable, noun: str, kind: tuple[str, int], members: Mapping[str, Look], beside: Collection[str]
) -> dict[str, Any]:
    data = _json(path, noun)
    name, version = kind
    if not isinstance(data, dict) or data.get("format") != name:
        raise ValueError(f"{path} is not a {noun} of a contract run: its member 'format' is not {name!r}")
    if data.get("version") != version:
        raise ValueError(f"{path} is a {noun} of version {_shown(data.get('version'))}; this package reads version {version}")
    try:
        look_at(f"the {noun}", data, members, ("format", "version", *beside))
    except ValueError as error:
        raise changed(path, noun, error) from None
    return {member: data[member] for member in members}


def changed(path: Path | Traversable, noun: str, error: ValueError) -> ValueError:
    """Return the error of a file whose parts are not as they were written."""
    return ValueError(f"{path} is a {noun} that was changed or cut short: {error}")


def _json(path: Path | Traversable, noun: str) -> Any:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a {noun}: byte {error.start} is not UTF-8") from None
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=_constant)
    except json.JSONDecodeError as error:
        # The end of a file may be in the middle of `null`, of an escape, or of a text, whose error is at its beginning.
        at_end = len(text) - error.pos < 6 or error.msg.startswith("Unterminated string")
        if text.startswith("{") and at_end:
            raise ValueError(f"{path} is not a {noun}: its JSON is cut short in line {text.count(chr(10)) + 1}") from None
        raise ValueError(f"{path} is not a {noun}: it is not JSON from line {error.lineno}, column {error.colno} on") from None
    except RecursionError:
        raise ValueError(f"{path} is not a {noun}: its JSON is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path} is not a {noun}: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it has a member {next(name for name in names if names.count(name) > 1)!r} twice in one place")
    return found


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"it has a number of {len(digits)} digits")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it has a number that is too large: {text[:40]}")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"it has {name} in the place of a number")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 80 else text[:77] + "..."


def wrong(place: str, what: str, value: Any) -> ValueError:
    """Return the error of a value at a place that is not what it should be."""
    return ValueError(f"{place} is {_shown(value)}, not {what}")


def text(place: str, value: Any) -> None:
    """Look for a text."""
    if not isinstance(value, str):
        raise wrong(place, "a text", value)


def name(place: str, value: Any) -> None:
    """Look for a text that is not empty."""
    text(place, value)
    if not value:
        raise wrong(place, "a text that is not empty", value)


def text_or_null(place: str, value: Any) -> None:
    """Look for a text or null."""
    if value is not None and not isinstance(value, str):
        raise wrong(place, "a text or null", value)


def boolean(place: str, value: Any) -> None:
    """Look for true or false."""
    if not isinstance(value, bool):
        raise wrong(place, "true or false", value)


def seconds(place: str, value: Any) -> None:
    """Look for a number of seconds, of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise wrong(place, "a number of seconds", value)


def moment(place: str, value: Any) -> None:
    """Look for a date and time."""
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        aware = False
    if not aware:
        raise wrong(place, "a date and time of ISO 8601 with its offset from UTC", value)


def day(place: str, value: Any) -> None:
    """Look for a date."""
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(place, "a date of ISO 8601", value) from None


def whole(least: int, most: int) -> Look:
    """Return the look for a whole number within bounds."""

    def look(place: str, value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise wrong(place, f"a whole number from {least} to {most}", value)

    return look


def printable(place: str, value: Any) -> None:
    """Look for a value of any kind without half of a surrogate pair, which is no character."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise wrong(place, "text that can be printed", value) from None


def one_of(choices: Collection[str]) -> Look:
    """Return the look for one of several texts."""

    def look(place: str, value: Any) -> None:
        if not isinstance(value, str) or value not in choices:
            raise wrong(place, f"one of: {', '.join(choices)}", value)

    return look


def list_of(item: Look, *, least: int = 0) -> Look:
    """Return the look for a list."""

    def look(place: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise wrong(place, "a list" + (f" of at least {least}" if least else ""), value)
        for number, one in enumerate(value):
            item(f"{place}[{number}]", one)

    return look


def object_of(members: Mapping[str, Look]) -> Look:
    """Return the look for an object with these members and no others."""

    def look(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise wrong(place, "an object", value)
        look_at(place, value, members)

    return look


def map_of(item: Look) -> Look:
    """Return the look for an object whose members are all alike."""

    def look(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise wrong(place, "an object", value)
        for member, one in value.items():
            printable(f"a name in {place}", member)
            item(f"{place}.{member}", one)

    return look


def look_at(place: str, value: dict[str, Any], members: Mapping[str, Look], beside: Iterable[str] = ()) -> None:
    """Look at the members of an object, which may have others only if they are named.

    Raises:
        ValueError: one is missing, unknown or wrong.
    """
    missing = [member for member in members if member not in value]
    if missing:
        raise ValueError(f"{place} has no {missing[0]!r}")
    unknown = [member for member in value if member not in members and member not in beside]
    if unknown:
        raise ValueError(f"{place} has a member {unknown[0]!r}, which none has")
    for member, look in members.items():
        look(member if place.startswith("the ") else f"{place}.{member}", value[member])


def check_place(path: Path) -> None:
    """See that a file can be written at a path.

    Raises:
        ValueError: it cannot; the sentence says why.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a directory, not a file to write to")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no regular file, such as can be replaced by another")
    parent = next(parent for parent in path.resolve().parents if parent.exists())
    if not parent.is_dir():
        raise ValueError(f"{path} cannot be written: {parent} is not a directory")
    try:
        with tempfile.NamedTemporaryFile(dir=parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {parent}: {error.strerror}") from None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that there is, in any event, either what was there before or all of the text.

    Raises:
        OSError: the file cannot be written; what was there before is still there.
    """
    path = path.resolve()  # what a link leads to is written, and the link stays
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    # A lone surrogate, which a request may hold, becomes the escape that JSON has for it.
    part.write_bytes(text.encode("utf-8", "backslashreplace"))
    part.replace(path)
