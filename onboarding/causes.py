"""Why a connection does not work: sentences that contain a value.

They are stored in English, with the value. The customer's page finds the sentence again and translates it.
"""

import re

from onboarding.translatable import marked

#: A code of Slack's that this version does not know.
REFUSED = marked("Slack refused the token: %(code)s.")
OTHER_WORKSPACE = marked("The token belongs to another workspace: %(workspace)s.")
UNANSWERED = marked("Slack has not answered since %(time)s UTC. The token was not refused.")


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(sentence)))


_PATTERNS = {sentence: _pattern(sentence) for sentence in (REFUSED, OTHER_WORKSPACE, UNANSWERED)}


def split(cause: str) -> tuple[str, dict[str, str]]:
    """Return the sentence with the names of its values, and the values; none for a sentence without a value."""
    for sentence, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(cause):
            return sentence, found.groupdict()
    return cause, {}
