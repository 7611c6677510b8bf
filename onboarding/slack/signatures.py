"""Check and create the signatures of Slack's requests: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

import re
from datetime import datetime

from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier

TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"
#: slack_sdk refuses a timestamp that differs more from this server's clock.
MAX_AGE_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}\Z")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}\Z")


def headers(secret: str, body: str, now: datetime) -> dict[str, str]:
    """Sign a body as Slack does."""
    timestamp = str(int(now.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature or ""}


class _FixedClock(VerifierClock):
    def __init__(self, now: datetime) -> None:
        self._seconds = now.timestamp()

    def now(self) -> float:
        return self._seconds


def is_signed(secret: str, body: bytes, timestamp: str, signature: str, now: datetime) -> bool:
    """Return whether `secret` signed the request within the last five minutes. False for anything malformed.

    `body`: the bytes that were received. slack_sdk raises an error for malformed headers and for a body that is not
    UTF-8.
    """
    if not _TIMESTAMP.match(timestamp) or not _SIGNATURE.match(signature):
        return False
    try:
        return SignatureVerifier(secret, _FixedClock(now)).is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False
