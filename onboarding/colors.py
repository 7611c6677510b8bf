"""Contrast of colors, and the tones of an accent color for both themes (WCAG 2.2, section 1.4.3).

A color is written `#rrggbb`. The backgrounds are those of static/css/tokens.css.
"""

import re
from functools import lru_cache

_COLOR = re.compile(r"#[0-9a-f]{6}\Z")
#: The background that has the least contrast with an accent color, in each theme.
_LIGHT_CANVAS, _DARK_CANVAS = "#f5f6fa", "#1d202d"
_LIGHT_SURFACE, _DARK_SURFACE = "#ffffff", "#161822"
_WHITE, _BLACK = "#ffffff", "#000000"
#: Text on an accent color in the dark theme.
_INK = "#0d0f22"
MIN_CONTRAST = 4.5


def parse(text: str) -> str:
    """Return the color in lower case. Raises ValueError with the end of a sentence."""
    color = text.lower()
    if not _COLOR.match(color):
        raise ValueError("must be written like #3f4fd0")
    return color


def check_accent(color: str) -> None:
    """Check that a color is dark enough for text and buttons on a light page.

    Raises ValueError with the end of a sentence.
    """
    ratio = contrast(color, _LIGHT_CANVAS)
    if ratio < MIN_CONTRAST:
        darker = _with_contrast(color, _BLACK, _LIGHT_CANVAS)
        # Rounded down: 4.48 is not 4.5.
        shown = f"{int(ratio * 10) / 10:.1f}"
        raise ValueError(f"has a contrast of {shown}:1 with a light page; 4.5:1 is needed. {darker} is dark enough")


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=256)
def tones(accent: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables of the style sheets that an accent color sets: in the light theme, and in the dark one."""
    dark = _with_contrast(accent, _WHITE, _DARK_CANVAS)
    return (
        _theme(accent, _BLACK, _LIGHT_SURFACE, _WHITE),
        _theme(dark, _WHITE, _DARK_SURFACE, _INK),
    )


def _theme(accent: str, strong: str, surface: str, text: str) -> dict[str, str]:
    return {
        "accent": accent,
        "accent-hover": _mix(accent, strong, 0.15),
        "accent-pressed": _mix(accent, strong, 0.3),
        "on-accent": text,
        "accent-soft": _mix(surface, accent, 0.09),
        "accent-soft-pressed": _mix(surface, accent, 0.15),
        "link": _mix(accent, strong, 0.18),
    }


def _with_contrast(color: str, towards: str, background: str) -> str:
    """Return the tone nearest to the color, toward black or white, that has enough contrast with the background."""
    steps = (_mix(color, towards, step / 50) for step in range(51))
    return next(tone for tone in steps if contrast(tone, background) >= MIN_CONTRAST)


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(color: str) -> list[int]:
    return list(bytes.fromhex(color[1:]))


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
