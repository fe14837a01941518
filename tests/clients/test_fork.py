"""A forked child gets a copy of the fake, and no lock that another thread held."""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import threading

import pytest

from pytest_smfake import FakeSageMaker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
if sys.version_info >= (3, 12):
    pytestmark = [pytestmark, pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")]

SECONDS = 300
"""Until a child is taken to hang: machines that others share can stand still for minutes."""


def in_child(work):
    """Run something in a forked child; return its exit code, or where it stood when its time was over."""
    with tempfile.TemporaryFile() as stood:
        child = os.fork()
        if child == 0:
            faulthandler.dump_traceback_later(SECONDS, file=stood, exit=True)
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        stood.seek(0)
        return stood.read().decode() or os.waitstatus_to_exitcode(status)


def test_a_child_has_a_copy(smfake):
    smfake.add_model(ModelName="before")

    def work():
        assert list(smfake.models) == ["before"]
        smfake.client().create_model(**smfake.request(ModelName="in-the-child"))
        assert list(smfake.models) == ["before", "in-the-child"]

    assert in_child(work) == 0
    assert list(smfake.models) == ["before"]


def test_children_of_a_process_whose_threads_are_at_work():
    """The threads hold a lock of the fake most of the time, and sleep meanwhile: where all compute, some systems let the one that forks starve."""
    with FakeSageMaker() as fake:
        client = fake.client()
        ending = threading.Event()

        def busy(number):
            while not ending.is_set():
                client.create_model(**fake.request(ModelName=f"model-{number}"))
                client.delete_model(ModelName=f"model-{number}")
                with fake.service._lock:
                    ending.wait(0.005)

        threads = [threading.Thread(target=busy, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            codes = [in_child(lambda: fake.client().list_models()) for _ in range(30)]
        finally:
            ending.set()
            for thread in threads:
                thread.join()
    assert [code for code in codes if code != 0] == []


def test_a_lock_that_is_held_for_long_is_free_in_the_child(smfake):
    with smfake.service._lock:
        assert in_child(lambda: smfake.client().list_models()) == 0
    smfake.client().list_models()


def test_an_asgi_app_begins_anew_in_the_child(smfake):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

    smfake.stand_in("churn", app)
    smfake.add_endpoint("churn")
    runtime = smfake.client("sagemaker-runtime")

    def ask():
        return int(runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read())

    assert ask() == os.getpid()
    parent = os.getpid()

    def work():
        assert ask() == os.getpid() != parent
        smfake.service.stand_ins.close()

    assert in_child(work) == 0
    assert ask() == parent


def test_a_fake_ends_in_the_child(smfake):
    def work():
        smfake.__exit__()
        with FakeSageMaker() as fake:
            fake.client().list_models()

    assert in_child(work) == 0


def test_a_thread_forks(smfake):
    """As a pool of processes does that starts its workers anew: the thread that entered the fake is not there in the child."""

    def work():
        with FakeSageMaker() as fake:
            fake.client().list_models()

    codes = []
    thread = threading.Thread(target=lambda: codes.append(in_child(work)))
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_fake_of_a_thread_that_has_ended_is_in_nobodys_way():
    started = FakeSageMaker()
    thread = threading.Thread(target=started.start)
    thread.start()
    thread.join()
    with FakeSageMaker() as fake:
        fake.client().list_models()
    started.stop()
