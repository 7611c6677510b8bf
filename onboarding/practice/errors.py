"""Slack's "no": `{"ok": false, "error": …}`."""


class Refused(Exception):
    """Ends a Web API method with one of Slack's error codes. `more` joins the body, as `needed` and `provided` do."""

    def __init__(self, error: str, **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
