"""Lifetimes that more than one module uses. Those of links are in `services/links/records.py`."""

from datetime import timedelta

#: The session of a person who is signed in to the console, in one browser.
SESSION_LIFETIME = timedelta(hours=12)
#: After a secret of a Slack app is replaced, the one before is accepted for this long, as by Slack itself.
PREVIOUS_SECRET_LIFETIME = timedelta(hours=24)
#: If an attempt waits for Slack longer than this, its process has ended.
EXCHANGE_LIMIT = timedelta(seconds=60)
#: A request repeated with its idempotency key gets the stored response for this long.
RESPONSE_LIFETIME = timedelta(hours=24)
#: The holder of an open link may choose any customer, so no link that is open is valid for longer. An approval link can
#: be open, too.
OPEN_LINK_LIFETIME = timedelta(hours=24)
#: The holder of a session's token can read the result of an attempt for this long, even if the session expires.
RESULT_READABLE = timedelta(minutes=10)
