"""Pages that share a parsed tree get the same tree as html5lib would return for each of them."""

from xml.etree.ElementTree import tostring

import html5lib
import pytest

from tests import html

pytestmark = pytest.mark.once

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page {0}</title></head><body>
<h1 id="row-{0}" data-v{0}>Acme &amp; {0}</h1><p>&#39;{0}&#39; at 1{0}:00, {0}<br>and <a href="/x?q={0}&amp;b2={0}#row-{0}">{0}</a></p>
<svg viewBox="0 0 {0} {0}"><path d="M{0} 3a9" x1="{0}"></path></svg><textarea>{0}</textarea></body></html>"""


@pytest.mark.parametrize("value", ["7", "eyJhbGciOiJub25l.x_-9", "é3", "12-3", "\ue0000\ue001"])
def test_page_has_its_own_values(value: str) -> None:
    text = PAGE.format(value)
    own = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert tostring(html.parse(text, strict=True)) == tostring(own)


@pytest.mark.parametrize(
    "fault", ["<p>1</div>", '<p id="a1" id="a1">', "<b><p>2</b></p>", "&nothing;", "<p 1=2 =>", "<h1>3</h2>"]
)
def test_invalid_page_is_refused_each_time(fault: str) -> None:
    text = PAGE.format("7").replace("<svg", f"{fault}<svg")
    for _ in range(2):
        with pytest.raises(html5lib.html5parser.ParseError):
            html.parse(text, strict=True)
    html.parse(text, strict=False)
