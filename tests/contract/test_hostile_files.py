"""Test changed reports, recordings and ledgers: a file is read, or one error text says what is wrong. No other error is raised."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from random import Random

import pytest

from pytest_smfake.cli import main
from pytest_smfake.contract import FakeTarget, run_contract
from pytest_smfake.contract.targets.recording import Recorder
from pytest_smfake.rules import ledger
from pytest_smfake.rules.catalogue import catalogue

STRANGE = [
    None,
    True,
    -1,
    0,
    10**18,
    1.5,
    "",
    "\ud800",
    "\x00",
    "a" * 1000,
    "9999-99-99",
    "{time+99999999999}",
    "{name}",
    [],
    {},
    [[]],
    {"": ""},
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Return the data of each kind of file, and the command that reads it."""
    place = tmp_path_factory.mktemp("sources")
    report = run_contract(FakeTarget(), select=["create/*", "CreateModel/ModelName*"])
    report.write(place / "report.json")
    target = FakeTarget()
    recorder = Recorder(target, "page")
    run_contract(target, select=["create/*"])
    recorder.write(place / "recording.json")
    seen = {"date": "2026-11-24", "region": "us-east-1", "botocore": "1.44.0"}
    entry = {"rule": "CreateModel/ModelName:max", **seen, "edition": "page", "account": "0123456789abcdef"}
    rules = {"CreateModel/ModelName:max": {"bound": 63, **seen}}
    kept = {
        "format": ledger.LEDGER_FORMAT,
        "version": ledger.LEDGER_VERSION,
        "entries": {"CreateModel/ModelName:max-63": entry},
        "rules": rules,
    }
    (place / "ledger.json").write_text(json.dumps(kept))
    return {
        "report": (json.loads((place / "report.json").read_bytes()), ["diff", "{file}", "{file}"]),
        "recording": (json.loads((place / "recording.json").read_bytes()), ["contract", "--target=recording={file}", "--check=create/*"]),
        "ledger": (kept, []),
    }


def holders(value):
    if isinstance(value, dict | list):
        if value:
            yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from holders(inner)


def damaged(data, random):
    """Return the text of a file with a value changed, missing or duplicated, or with its end cut off."""
    data = deepcopy(data)
    for _ in range(random.choice((1, 1, 2))):
        holder = random.choice(list(holders(data)))
        place = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        match random.randrange(4):
            case 0:
                del holder[place]
            case 1 if isinstance(holder, dict):
                holder[random.choice(["", "a", "\ud800", "a" * 300])] = deepcopy(random.choice(STRANGE))
            case 2 if isinstance(holder, list):
                holder.append(deepcopy(holder[place]))
            case _:
                holder[place] = deepcopy(random.choice(STRANGE))
        if not data:
            break
    text = json.dumps(data)
    if random.random() < 0.1:
        text = text[: random.randrange(len(text))]
    return text.replace('"seconds": 0', '"seconds": 1e999') if random.random() < 0.05 else text


def read_ledger(path):
    """Read a ledger as a run does, and grade rules with it; return the exit code of such a run."""
    try:
        found = ledger.read(path)
    except ValueError as error:
        sys.stderr.write(f"smfake: {error}\n")
        return 4
    found.verify({rule.id: rule for rule in catalogue("page").rules("CreateModel")})
    for check in found.entries:
        found.is_stale(check, 30)
    return 0


@pytest.mark.parametrize("kind", ["report", "recording", "ledger"])
def test_whatever_a_file_holds(kind, sources, tmp_path, capsys):
    data, command = sources[kind]
    random, path, refused = Random(kind), tmp_path / "file.json", 0
    for number in range(100):
        path.write_text(damaged(data, random))
        code = main([part.format(file=path) for part in command]) if command else read_ledger(path)
        said = capsys.readouterr()
        assert code in (0, 1, 2, 4), number
        if code in (2, 4):
            refused += 1
            assert said.err.startswith("smfake: ")
            assert said.err.count("\n") == 1
            assert str(path) in said.err
    assert refused > 30
