"""Test the end of a run: left models are printed, and reports are written, after any error."""

from __future__ import annotations

import errno
import io
import os

import pytest
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.cli import main
from pytest_smfake.contract import checks, read
from pytest_smfake.contract import run as suite
from pytest_smfake.contract.run import run_checks
from pytest_smfake.contract.session import Session
from pytest_smfake.contract.targets.aws import Rehearsal
from pytest_smfake.contract.targets.emulators import aws_target

ACCOUNT = "123456789012"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
LINE = ["contract", "--target=aws", *(f"--aws-{name}={value}" for name, value in (TOLD | USABLE).items())]


@pytest.fixture
def service():
    with mock_aws(), FakeSageMaker() as fake:
        yield fake


@pytest.mark.parametrize("option", ["record", "ledger"])
def test_a_file_that_cannot_be_written_is_found_before_anything_is_sent(service, tmp_path, capsys, option):
    (tmp_path / "file").touch()
    for path, why in ((tmp_path, "is a directory, not a file to write to"), (tmp_path / "file" / "it.json", "is not a directory")):
        assert main([*LINE, f"--{option}={path}"]) == 4
        text = capsys.readouterr().err
        assert text.startswith(f"smfake: {path}")
        assert why in text
    assert len(service.calls) == 0


@pytest.mark.parametrize("option", ["record", "ledger"])
def test_a_file_that_cannot_be_written_in_the_end_hides_nothing(service, tmp_path, capsys, monkeypatch, option):
    service.deny("sagemaker:DeleteModel")

    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(
        {"record": "pytest_smfake.contract.targets.recording", "ledger": "pytest_smfake.contract.session"}[option] + ".write_whole", full
    )
    path, report = tmp_path / "it.json", tmp_path / "report.json"
    assert main([*LINE, "--check=create/response", f"--{option}={path}", f"--report={report}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"{path} was not written: No space left on device" in lines
    assert any("Remove them: smfake cleanup --run=" in line for line in lines)
    assert read(report).counts("aws")["passed"] == 1
    assert not path.exists()


def test_a_report_that_cannot_be_written_in_the_end_is_a_line(service, tmp_path, capsys, monkeypatch):
    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pytest_smfake.contract.report.write_whole", full)
    assert main([*LINE, "--check=create/response", f"--report={tmp_path / 'it.json'}"]) == 1
    assert f"the report could not be written to {tmp_path / 'it.json'}: No space left on device" in capsys.readouterr().out


def test_a_recording_is_whole_or_as_it_was(service, tmp_path, monkeypatch):
    path = tmp_path / "it.json"
    path.write_text("before")
    session = Session("page", [aws_target(TOLD | USABLE)], record=path)
    session.begin([])
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    lines, clean = session.end([])
    assert (lines[-1], clean, path.read_text()) == (f"{path} was not written: Input/output error", False, "before")


def test_an_interrupt_while_a_recording_is_written_hides_nothing(service, tmp_path, monkeypatch):
    target = aws_target(TOLD | USABLE)
    session = Session("page", [target], record=tmp_path / "it.json")
    session.begin([])
    service.deny("sagemaker:DeleteModel")
    run_checks(checks(["create/response"]), [target], "page")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_smfake.contract.targets.recording.Recorder.write", interrupted)
    lines, _ = session.end([])
    assert session.interrupted
    assert any("Remove them: smfake cleanup" in line for line in lines)
    assert lines[-1] == f"{tmp_path / 'it.json'} was not written: the run was interrupted"


def test_what_is_left_is_told_where_nobody_reads_the_output(service, monkeypatch, capsys):
    class Closed(io.StringIO):
        def flush(self):
            if "calls were sent" in self.getvalue():
                self.truncate(0)
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    service.deny("sagemaker:DeleteModel")
    monkeypatch.setattr("sys.stdout", Closed())
    main([*LINE, "--check=create/response"])
    assert "Remove them: smfake cleanup --run=" in capsys.readouterr().err


def test_a_defect_of_a_check_is_told_and_the_report_written(service, tmp_path, monkeypatch, capsys):
    original = suite._run_check

    def broken(check, target):
        if isinstance(target, Rehearsal):
            return original(check, target)
        raise ZeroDivisionError

    monkeypatch.setattr("pytest_smfake.contract.run._run_check", broken)
    path = tmp_path / "it.json"
    with pytest.raises(ZeroDivisionError):
        main([*LINE, "--check=create/response", f"--report={path}"])
    assert read(path).counts("aws")["not run"] == 1
    assert "0 models of run" in capsys.readouterr().out


def test_a_run_without_anything_to_tell_begins_with_its_table(capsys):
    assert main(["contract", "--check=create/response"]) == 0
    assert capsys.readouterr().out.startswith(" ")


def test_an_arn_of_another_name_is_a_finding_and_used_for_nothing(service, tmp_path, capsys):
    other = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/CI-Production"
    service.add_model(ModelName="CI-Production")
    target = aws_target(TOLD | USABLE)

    def answer(parsed, **_):
        if "ModelArn" in parsed:
            parsed["ModelArn"] = other

    target.client().meta.events.register("after-call.sagemaker.CreateModel", answer)
    report = run_checks(checks(["tags/delete", "describe/defaults"]), [target], "page")
    (failed,) = report.failed
    assert failed.check == "tags/delete"
    assert failed.expected == "CreateModel returns an ARN with the name of the created model"
    assert f"it names '{other}', but names of the run start with 'ci-" in failed.actual
    assert report.counts("aws")["passed"] == 1
    assert {call.operation for call in service.calls} == {"CreateModel", "DescribeModel", "DeleteModel"}
    assert list(service.models) == ["CI-Production"]
