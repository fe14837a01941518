"""The ids of runs, and which names belong to a run."""

from __future__ import annotations

import re
import secrets

LETTERS = "0123456789bcdfghjkmnpqrstvwxz"
"""What ids are made of. Without vowels no word is one; and 29 letters are a prime number of them, which the check letter needs."""
LENGTH = 12


def new_run() -> str:
    """Return the id of a new run: 11 random letters and digits, both among them, and a check letter, such as `4k9zq0vw2bt3`."""
    while True:
        drawn = "".join(secrets.choice(LETTERS) for _ in range(LENGTH - 1))
        if is_run(run := drawn + _check_letter(drawn)):
            return run


def is_run(text: str) -> bool:
    """Whether a text has the form of an id that `new_run` makes. A text with one letter changed, or two neighbours swapped, has not.

    Example:
        >>> is_run("training"), is_run(new_run())
        (False, True)
    """
    formed = len(text) == LENGTH and set(text) <= set(LETTERS) and re.search("[0-9]", text) and re.search("[a-z]", text)
    return bool(formed) and text[-1] == _check_letter(text[:-1])


def _check_letter(drawn: str) -> str:
    return LETTERS[sum(place * LETTERS.index(letter) for place, letter in enumerate(drawn, 1)) % len(LETTERS)]


def belongs(name: str, start: str) -> bool:
    """Whether a name is the one that names of a run begin with, or continues it after a hyphen.

    Example:
        >>> belongs("ci-4k9zq0vw2bt3-a", "ci-4k9zq0vw2bt3"), belongs("ci-training-prod", "ci-train")
        (True, False)
    """
    return name == start or name.startswith(f"{start}-")
