"""The test message: post one message to a channel, and explain Slack's refusal."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind, record
from onboarding.clock import Clock
from onboarding.errors import ReconnectNeeded, Refused, SlackBusy, SlackDown, SlackRefused
from onboarding.services.tokens.record_verdict import VerdictRecorder, has_token_of
from onboarding.services.tokens.source import TokenSource, UsableToken
from onboarding.services.tokens.verdict import Verdict
from onboarding.slack import faults, message_faults
from onboarding.slack.gateway import Gateway
from onboarding.slack.message_faults import MessageFault
from onboarding.store.database import Database

#: C: a channel; G: an old private channel; D: a direct message.
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,99}\Z")
_TEXT = "This is a test message{sender}: the connection works. Nobody has to do anything."


@dataclass(frozen=True)
class MessageResult:
    """How a test message ended."""

    channel_id: str
    at: datetime
    #: None for a message that was posted.
    fault: MessageFault | None = None
    #: Slack's error code.
    code: str | None = None


class MessageSender:
    def __init__(self, database: Database, source: TokenSource, gateway: Gateway, now: Clock) -> None:
        self._database, self._source, self._gateway, self._now = database, source, gateway, now
        self._verdicts = VerdictRecorder(database, now)

    def send_test(self, environment_id: str, identifier: str, channel: str, sender: str, actor: Actor) -> MessageResult:
        """Post a test message to a channel, which is named by its id or its link. `sender`: the product's name.

        Raises Refused for text that names no channel, NotFound, and VaultProblem if a refresh needs a client secret
        that cannot be decrypted. Slack is asked once: a repeated call could post twice.
        """
        channel_id = read_channel(channel)
        text = _TEXT.format(sender=f" from {sender}" if sender else "")
        try:
            token = self._source.usable(environment_id, identifier)
            self._gateway.post_message(token.app, token.access_token, channel_id, text)
        except SlackRefused as refusal:
            self._note(token, refusal.code)
            return self._failed(channel_id, message_faults.explain(refusal.code), refusal.code)
        except SlackBusy as busy:
            wait = f"Wait {busy.retry_after} seconds and send it again."
            return self._failed(channel_id, MessageFault("Slack asks us to slow down.", wait), busy.code)
        except SlackDown:
            fault = MessageFault("Slack did not answer.", "The message may have been posted. Check the channel first.")
            return self._failed(channel_id, fault)
        except ReconnectNeeded as problem:
            fix = "Connect the workspace again. The connection keeps its identifier."
            return self._failed(channel_id, MessageFault(problem.sentence, fix, needs_reconnect=True))
        self._record(environment_id, identifier, actor, channel_id)
        return MessageResult(channel_id, self._now())

    def _failed(self, channel_id: str, fault: MessageFault, code: str | None = None) -> MessageResult:
        return MessageResult(channel_id, self._now(), fault, code)

    def _note(self, token: UsableToken, code: str) -> None:
        """If Slack rejects the token, record this on the connections that use it."""
        if message_faults.is_about_access(code):
            self._verdicts.record(token.installation, has_token_of(token.installation), Verdict(faults.reason(code)))

    def _record(self, environment_id: str, identifier: str, actor: Actor, channel_id: str) -> None:
        kind = ChangeKind.CONNECTION_TESTED
        with self._database.transaction() as session:
            record(session, Change(kind, actor, self._now(), environment_id, identifier, detail=channel_id))


def read_channel(text: str) -> str:
    """Return the channel's id from an id, or from a link as Slack copies it.

    Links look like `https://acme.slack.com/archives/C0123/p1700000000` and `https://app.slack.com/client/T0123/C0123`.
    Raises Refused.
    """
    typed = text.strip()
    for part in (typed, *reversed(_path_of(typed).split("/"))):
        if _CHANNEL_ID.match(part):
            return part
    raise Refused("Enter the channel’s id or its link, not its name.", "channel", "channel_unreadable")


def _path_of(text: str) -> str:
    try:
        return urlsplit(text).path if text.startswith("https://") else ""
    except ValueError:
        return ""
