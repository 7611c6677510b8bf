"""The base class of all forms of pages, and the filter of their text fields."""

from flask_wtf import FlaskForm


class PageForm(FlaskForm):  # type: ignore[misc]  # it has no types
    """A form with a CSRF token."""


def trimmed(text: str | None) -> str:
    """Remove white space around the text of a field. A field that was not sent is empty."""
    return (text or "").strip()
