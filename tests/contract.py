"""Rules that hold for every page of ours that a test fetches."""

import re
from xml.etree.ElementTree import Element

import httpx

from tests import html

# With its dash: a random CSRF token may contain the letters alone.
_NEVER = re.compile(r"xox[abeprs][.-]|[?&;]code=|[?&;]state=")


def parse(text: str) -> Element:
    """Parse a page as a browser does, with all of its faults."""
    return html.parse(text, strict=False)


def check(answer: httpx.Response) -> Element:
    """Return the parsed page. Raises AssertionError with the violated rule and the page's address."""
    where = str(answer.url)
    root = html.parse(answer.text, strict=True)
    assert root.get("lang"), where
    headings = list(root.iter("h1"))
    assert len(headings) == 1, where
    title = " ".join("".join(next(root.iter("title")).itertext()).split())
    assert title.startswith(" ".join("".join(headings[0].itertext()).split())), (where, title)
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids)), where
    labeled = {one.get("for") for one in root.iter("label")}
    for field in root.iter("input"):
        if field.get("type") not in ("hidden", "submit"):
            assert field.get("id") in labeled or field.get("aria-label"), (where, field.attrib)
    for form in root.iter("form"):
        if form.get("method", "get").lower() == "post":
            assert any(one.get("name") == "csrf_token" for one in form.iter("input")), where
    for script in root.iter("script"):
        assert (script.get("src") or "").startswith("/static/"), where
    assert not list(root.iter("style")), where
    assert not any(one.get("style") for one in root.iter()), where
    assert not _NEVER.search(answer.text), where
    assert answer.headers["Cache-Control"] == "no-store", where
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), where
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy, where
    assert "unsafe" not in policy, where
    return root
