"""What users write: names, numbers and lines of settings, and the sentences about those that are wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

LARGEST = 2**63 - 1
"""The largest whole number that is taken: that of the service's own 64 bits, which Python prints at any setting."""

LONGEST = 10**10
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
    if not (number and 0 <= value <= LONGEST and (value or zero)):  # type: ignore[operator]
        least = "at least 0 seconds" if zero else "more than 0 seconds"
        most = f" and at most {LONGEST}" if number and value > LONGEST else ""  # type: ignore[operator]
        raise ValueError(f"{what} {least}{most}, not {shown(value)}")
    return value  # type: ignore[return-value]


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


def pair(line: str) -> tuple[str, Any]:
    """Read a line `NAME = VALUE`; the value is a whole number, `off` (None), `true`, or text.

    Raises:
        ValueError: it has another form.

    Example:
        >>> pair("models = 5"), pair("CreateModel/Containers:max=off")
        (('models', 5), ('CreateModel/Containers:max', None))
    """
    name, equals, text = (part.strip() for part in line.partition("="))
    if not (name and equals and text):
        raise ValueError(f"{shown(line)} is not of the form NAME = VALUE")
    if text in ("off", "true"):
        return name, None if text == "off" else True
    # Longer numbers stay text, which who takes the value refuses: Python does not read them at any length.
    return name, int(text) if text.isdecimal() and len(text) <= len(str(LARGEST)) else text
