"""Slack's error response: `{"ok": false, "error": …}`."""


class Refused(Exception):
    """End a Web API method with one of Slack's error codes. `more` goes into the body, such as `needed`."""

    def __init__(self, error: str, **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
