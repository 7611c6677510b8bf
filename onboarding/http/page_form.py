"""The base class of all forms of pages."""

from flask_wtf import FlaskForm


class PageForm(FlaskForm):  # type: ignore[misc]  # it has no types
    """A form with a CSRF token."""
