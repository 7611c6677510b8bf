"""How long the product keeps what, as far as more than one module depends on it."""

from datetime import timedelta

#: An attempt that has been waiting for Slack longer than this has lost its process.
EXCHANGE_LIMIT = timedelta(seconds=60)
#: A request repeated with its idempotency key gets the stored response for this long.
RESPONSE_LIFETIME = timedelta(hours=24)
