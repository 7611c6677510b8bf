"""Style sheets and templates agree: every class has a rule, every rule has a class, every value has a token."""

import re
from functools import cache
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, meta

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
STYLES = ROOT / "static/css"
TEMPLATES = ROOT / "templates"

_CLASSES = re.compile(
    r'\bclass(?:Name)?(?: = |=)"((?:{{.*?}}|{%.*?%}|[^"{])*)"|{% block \w+_class %}(.*?){% endblock %}'
)
_EXPRESSION = re.compile(r"{{.*?}}")
_QUOTED = re.compile(r"""["']([\w-]*)["']""")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

PAGES = sorted(
    str(path.relative_to(TEMPLATES))
    for path in TEMPLATES.rglob("[!_]*.html")
    if path.parent.name not in ("layout", "parts") and path.name != "base.html"
)
SHEETS = sorted(path.name for path in STYLES.iterdir())
#: The practice Slack looks like neither Slack nor the product, so it has its own values.
PRODUCT_SHEETS = [name for name in SHEETS if name != "practice.css"]


@cache
def _text(page: str) -> str:
    """Return the template with all that it extends, includes and imports, and the HTML that code adds to pages."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    found: dict[str, str] = {}
    stands_apart = page.startswith(("embed/", "practice/"))
    waiting = [page] if stands_apart else [page, "parts/_icons.html"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (TEMPLATES / name).read_text()
            waiting += filter(None, meta.find_referenced_templates(environment.parse(found[name])))
    from_code = [] if stands_apart else [*ROOT.glob("onboarding/pages/**/*.py"), *ROOT.glob("static/js/*.js")]
    return "\n".join([*found.values(), *(path.read_text() for path in from_code)])


@cache
def _classes(page: str) -> frozenset[str]:
    """Return the classes of a page's elements. `note-*` stands for a class with an end that the template computes."""
    found: set[str] = set()
    for attribute, block in _CLASSES.findall(_text(page)):
        written = _EXPRESSION.sub(lambda one: " ".join(_QUOTED.findall(one[0])) or "*", attribute or block)
        found.update(re.sub(r"{%.*?%}", " ", written).split())
    return frozenset(found)


@cache
def _links(page: str) -> frozenset[str]:
    return frozenset(re.findall(r"filename='css/([\w.-]+)'", _text(page)))


@cache
def _css(sheet: str) -> str:
    return _COMMENT.sub("", (STYLES / sheet).read_text())


@cache
def _rules(sheet: str) -> frozenset[str]:
    """Return the classes that a style sheet's selectors name."""
    selectors = (one for one in re.findall(r"([^{};]+){", _css(sheet)) if not one.strip().startswith("@"))
    return frozenset(name for one in selectors for name in re.findall(r"\.([a-z][\w-]*)", one))


def _has(page: str, name: str) -> bool:
    computed = (one.removesuffix("*") for one in _classes(page) if one.endswith("*"))
    ends = {name.removeprefix(start) for start in computed if name.startswith(start)}
    return name in _classes(page) or not ends.isdisjoint(_QUOTED.findall(_text(page)))


def _tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", css))


@pytest.mark.parametrize("page", PAGES)
def test_each_class_of_a_page_has_a_rule_in_a_sheet_that_it_links(page: str) -> None:
    ruled = {name for sheet in _links(page) for name in _rules(sheet)}
    plain = {one for one in _classes(page) if not one.endswith("*")}
    computed = {one for one in _classes(page) - plain if not any(name.startswith(one[:-1]) for name in ruled)}
    assert (plain - ruled) | computed == set()


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_rule_has_a_class_on_a_page_that_links_its_sheet(sheet: str) -> None:
    pages = [page for page in PAGES if sheet in _links(page)]
    assert {name for name in _rules(sheet) if not any(_has(page, name) for page in pages)} == set()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_links_the_sheets_of_both_customers_and_operators(page: str) -> None:
    assert len(_links(page) & {"card.css", "customer.css", "console.css", "practice.css"}) == 1


@pytest.mark.parametrize("sheet", PRODUCT_SHEETS)
def test_sizes_come_from_tokens(sheet: str) -> None:
    """Exceptions are hairlines and offsets of up to 3 px."""
    values = _css(sheet) if sheet != "tokens.css" else ""
    assert [one for one in re.findall(r"([\d.]+)px", values) if float(one) > 3] == []
    assert [
        one for one in re.findall(r"font-size: ([^;]+);", values) if not re.fullmatch(r"var\(.+\)|inherit|100%", one)
    ] == []


def test_each_token_is_defined_and_used() -> None:
    everything = "".join(map(_css, PRODUCT_SHEETS))
    used = dict(re.findall(r"var\((--[\w-]+)(,?)", everything))
    # One with a fallback is defined by the style sheet of an integration's accent color, if there is one.
    with_fallback = {name for name, comma in used.items() if comma}
    assert set(used) - with_fallback == set(_tokens(everything)) - with_fallback


def test_browser_chrome_has_the_color_of_the_canvas() -> None:
    light, dark = _css("tokens.css").split("@media")
    themes = dict(re.findall(r'theme-color" media="\(prefers-color-scheme: (\w+)\)" content="(.+?)"', _text(PAGES[0])))
    assert themes == {"light": _tokens(light)["--canvas"], "dark": _tokens(dark)["--canvas"]}
