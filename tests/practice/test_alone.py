"""`python -m onboarding.practice`: the practice Slack without the product."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.practice.conftest import ROOT
from tests.practice.walk import error_of

COMMAND = [sys.executable, "-m", "onboarding.practice", "--client-id", "1.2", "--client-secret", "secret"]


@contextmanager
def started(*more: str) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "--redirect-url", "http://127.0.0.1:9/back", *more]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_runs_alone_and_ends_cleanly_on_ctrl_c() -> None:
    with started("--port", "0") as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[2]
        with pytest.raises(SlackApiError) as problem:
            WebClient(base_url=f"{address}api/", token="xoxb-1").auth_test()
        assert error_of(problem.value) == "invalid_auth"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


def test_port_in_use_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started("--port", str(port)) as process:
            assert process.wait(10) == 1
            assert process.stderr is not None
            assert process.stderr.read() == f"Port {port} cannot be used: Address already in use.\n"


def test_state_file_of_another_program_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with started("--port", "0", "--state-file", str(tmp_path / "other.json")) as process:
        assert process.wait(10) == 1
        assert process.stderr is not None
        said = process.stderr.read()
    assert (said.count("\n"), said.endswith("Delete it to start again.\n")) == (1, True)
