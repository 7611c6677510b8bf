"""How long the product keeps what, as far as more than one module depends on it."""

from datetime import timedelta

#: A request repeated with its idempotency key gets the stored response for this long.
RESPONSE_LIFETIME = timedelta(hours=24)
