"""The look of customers' pages: the product's name and logo, its accent color, and its links."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Branding:
    """The product whose Slack app a page is about. The defaults name none."""

    name: str = ""
    #: A color as `#rrggbb`, for the light theme. The dark theme shows a lighter tone of it.
    accent_color: str | None = None
    support_url: str | None = None
    privacy_url: str | None = None
    #: The SHA-256 digest of the logo.
    logo_digest: str | None = None


NO_BRANDING = Branding()
