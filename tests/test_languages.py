"""Customers' pages speak the browser's language, or the one that the person chose, and no text is left untranslated."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from babel.messages.catalog import Catalog
from jinja2 import Environment, nodes

from tests.browser_client import BrowserClient, Page, Site
from tests.desk import Desk
from tests.programs import INTEGRATION
from tools import catalogs

GERMAN = {"Accept-Language": "de-AT, de;q=0.9, en;q=0.5"}
TEMPLATES = Path(__file__).parents[1] / "templates"
#: The pages and embeds of customers. The first page of a new server is for its operator.
TRANSLATED = [
    *(TEMPLATES / "layout" / name for name in ("base.html", "customer.html", "result.html")),
    *(TEMPLATES / "problems" / name for name in ("problem.html", "cookies_needed.html")),
    *(
        TEMPLATES / "parts" / name
        for name in ("_copy.html", "_facts.html", "_popup.html", "_status.html", "_words.html")
    ),
    TEMPLATES / "embed" / "card.html",
    *sorted(set((TEMPLATES / "customer").rglob("*.html")) - {TEMPLATES / "customer/home/first_run.html"}),
]
#: Texts that are the same in each language, or that only operators read, in English.
SAME = {
    "Slack",
    "Subscriber",
    "Context",
    "Shared",
    "More contexts",
    "For subscriber mode only.",
}
#: Names of blocks and field types.
_CODE = {"customer", "result", "approval", "RadioField"}
_OPERATORS = {
    "You see this as an operator.",
    "Try an install",
    "One customer or user of yours. Messages for this subscriber go to this workspace.",
    "Everyone in a context, such as a whole team or company. A shared connection has no subscriber.",
    "The tenant, team or project that the connection is for:",
}
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
_TAG = re.compile(r"</?\w+>")


# Translations are in files; tests of the same pages in English use both databases.
pytestmark = pytest.mark.once


@pytest.fixture
def german(desk: Desk) -> Iterator[BrowserClient]:
    with BrowserClient(desk.site, headers=GERMAN) as browser:
        yield browser


def language_of(page: Page) -> str | None:
    return page.root.get("lang")


def _link(site: Site) -> str:
    """Create a link for a customer that no other test connects."""
    return site.link(INTEGRATION, subscriber_id=f"bea-{secrets.token_hex(4)}", mode="subscriber")


def test_browser_decides_the_language(desk: Desk, german: BrowserClient, customer: BrowserClient) -> None:
    link = _link(desk.site)
    english, page = customer.opens(link), german.opens(link)
    assert (language_of(english), english.heading) == ("en", "Connect Slack to Northwind")
    assert (language_of(page), page.heading) == ("de", "Slack mit Northwind verbinden")
    assert "Dort Nachrichten posten, wo die App hinzugefügt wurde" in page.text
    assert "Uhr UTC</time>" in page.text


def test_whole_walk_is_in_the_language_of_the_browser(desk: Desk, german: BrowserClient) -> None:
    link = desk.site.link(INTEGRATION, subscriber_id="walk", mode="subscriber")
    connected = german.connects(link)
    assert (language_of(connected), connected.heading) == ("de", "Acme HQ ist verbunden")
    managed = german.opens(f"{link}/manage")
    assert "Die Verbindung funktioniert." in managed.text
    disconnected = german.presses(german.opens(f"{link}/disconnect"), "confirm-disconnect")
    assert (language_of(disconnected), disconnected.heading) == ("de", "Acme HQ ist getrennt")


def test_person_chooses_another_language_and_keeps_it(desk: Desk, german: BrowserClient) -> None:
    link = f"{_link(desk.site)}?opener=https%3A%2F%2Fapp.example"
    page = german.opens(link)
    choice = next(one for one in page.root.iter("a") if one.get("hreflang"))
    assert (choice.get("lang"), choice.get("href")) == ("en", "?opener=https%3A%2F%2Fapp.example&lang=en")
    english = german.opens(f"{link.partition('?')[0]}{choice.get('href')}")
    assert (language_of(english), english.heading) == ("en", "Connect Slack to Northwind")
    cookie = english.headers["Set-Cookie"]
    assert [part in cookie for part in ("language=en; ", "HttpOnly", "SameSite=Lax")] == [True] * 3
    assert language_of(german.opens(link)) == "en"


def test_embed_suggests_a_language_and_the_person_decides(desk: Desk, customer: BrowserClient) -> None:
    link = _link(desk.site)
    assert language_of(customer.opens(f"{link}?ui_locales=de-AT")) == "de"
    # The pages that follow have the same language.
    assert language_of(customer.connects(link)) == "de"
    assert language_of(customer.opens(f"{link}?ui_locales=xx")) == "de"
    assert language_of(customer.opens(f"{link}?lang=en")) == "en"
    assert language_of(customer.opens(f"{link}?ui_locales=de")) == "en"


@pytest.mark.parametrize("tag", ["", "xx", "../de", "%00", "*", "de,en;q=0.5"])
def test_suggested_language_that_does_not_exist_changes_nothing(tag: str, desk: Desk, customer: BrowserClient) -> None:
    assert language_of(customer.opens(f"{_link(desk.site)}?ui_locales={tag}")) == "en"
    assert customer.asks("GET", f"/v1/nowhere?ui_locales={tag}").status_code == 404


@pytest.mark.parametrize(
    ("cause", "in_english", "in_german"),
    [
        (
            "Access was revoked, or the app was removed from the workspace.",
            "Access was revoked, or the app was removed from the workspace.",
            "Der Zugriff wurde entzogen, oder die App wurde aus dem Workspace entfernt.",
        ),
        (
            "The token belongs to another workspace: T0OTHER.",
            "The access to this workspace has ended.",
            "Der Zugriff auf diesen Workspace ist beendet.",
        ),
        (
            "Words of an earlier version.",
            "The access to this workspace has ended.",
            "Der Zugriff auf diesen Workspace ist beendet.",
        ),
    ],
)
def test_customer_reads_a_cause_that_names_no_token(
    cause: str, in_english: str, in_german: str, desk: Desk, german: BrowserClient
) -> None:
    customer = f"broken-{len(cause)}"
    link = desk.site.link(INTEGRATION, subscriber_id=customer, mode="subscriber")
    german.connects(link)
    with desk.site.runtime.database.transaction() as session:
        change = "UPDATE channel_connections SET status = 'needs_reconnect', status_reason = :cause"
        session.execute(
            sqlalchemy.text(f"{change} WHERE subscriber_id = :customer"), {"cause": cause, "customer": customer}
        )
    assert in_german in german.opens(f"{link}/manage").words
    words = german.opens(f"{link}/manage?lang=en").words
    assert in_english in words
    assert "token" not in words.lower()


@pytest.mark.parametrize("language", ["xx", "de-DE", "", "../de"])
def test_language_that_does_not_exist_changes_nothing(language: str, desk: Desk, customer: BrowserClient) -> None:
    page = customer.opens(f"{_link(desk.site)}?lang={language}")
    assert (language_of(page), "Set-Cookie" in page.headers and "language" in page.headers["Set-Cookie"]) == (
        "en",
        False,
    )


def test_pages_for_operators_are_in_english(german: BrowserClient) -> None:
    assert language_of(german.opens("/nowhere")) == "de"
    for address in ("/", "/sign-in"):
        page = german.opens(address)
        assert (language_of(page), 'hreflang="' in page.text) == ("en", False), address
    german.signs_in("ada@northwind.test")
    for address in ("/connections", "/nowhere", "/integrations", f"/slack/install?integration={INTEGRATION}"):
        page = german.opens(address)
        assert (language_of(page), 'hreflang="' in page.text) == ("en", False), address
    assert " Uhr" not in german.opens("/connections").text
    consent = german.presses(german.opens(f"/slack/install?integration={INTEGRATION}"), "connect")
    assert language_of(german.allows(consent)) == "en"


def test_refused_input_is_explained_in_german(desk: Desk, german: BrowserClient) -> None:
    form = german.connects(desk.site.link(INTEGRATION, is_open=True))
    page = german.presses(form, "save", connection_mode="subscriber", subscriber_id="")
    assert "Kunde: Geben Sie eine ID ein." in page.text
    page = german.presses(form, "save", connection_mode="subscriber", subscriber_id="a/b")
    assert "Verwenden Sie 1 bis 255 Zeichen, ohne / % ? # \\ und Steuerzeichen." in page.text


def test_card_reads_the_language_of_its_address_and_no_cookie(desk: Desk, german: BrowserClient) -> None:
    address = f"/embed/card?session={desk.creates()['id']}"
    german.opens(f"{_link(desk.site)}?lang=en")
    assert "Schalten Sie JavaScript ein" in german.asks("GET", address).text
    answer = german.asks("GET", f"{address}&lang=en")
    assert ("Turn on JavaScript" in answer.text, "Set-Cookie" in answer.headers) == (True, False)


@pytest.mark.parametrize("file", catalogs.files(), ids=lambda file: file.parts[-3])
def test_catalog_has_each_text_with_its_placeholders(file: Path) -> None:
    """`make translations` adds what is missing."""
    catalog, wanted = catalogs.read(file), {str(one.id) for one in catalogs.collect() if one.id}
    assert {str(one.id) for one in catalog if one.id} == wanted
    for message in catalog:
        text, translation = str(message.id), str(message.string)
        if text:
            assert translation.strip(), text
            assert not message.fuzzy, text
            for part in (_PLACEHOLDER, _TAG):
                assert sorted(set(part.findall(text))) == sorted(set(part.findall(translation))), text
            assert text[-1] not in ".?:!" or translation[-1] in ".?:!“", text


@pytest.mark.parametrize("template", TRANSLATED, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_template_has_no_text_that_is_not_marked(template: Path) -> None:
    """Texts between tags, in attributes that people read, and in the arguments of macros."""
    source = template.read_text(encoding="utf-8")
    parsed = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    found = {*_written(parsed), *_given(parsed)}
    assert found - SAME - _CODE - _OPERATORS == set()


def _written(parsed: nodes.Template) -> Iterator[str]:
    html = "\0".join(part.data for part in parsed.find_all(nodes.TemplateData))
    for attribute in re.findall(r'\b(?:alt|aria-label|placeholder|title)="([^"\0]*)', html):
        if re.search(r"[A-Za-z]{2}", attribute):
            yield attribute
    # The parts between two pieces of Jinja are text, except inside of a tag.
    text = re.sub(r"<style.*?</style>|<script.*?</script>|<code[^>]*>.*?</code>", "", html, flags=re.DOTALL)
    for words in re.split(r"<[^>]*>|\0", re.sub(r"<[^>]*\0[^>]*>", "", text)):
        if re.search(r"[A-Za-z]{2}", words) and not re.search(r'[="/<>]', words):
            yield words.strip()


def _given(parsed: nodes.Template) -> Iterator[str]:
    marked = {
        id(one) for call in parsed.find_all(nodes.Call) if _name_of(call) == "_" for one in call.find_all(nodes.Const)
    }
    for constant in parsed.find_all(nodes.Const):
        value = constant.value
        if isinstance(value, str) and id(constant) not in marked and re.match(r"[A-Z][a-z]+|.*[a-z] [a-z]", value):
            yield value.strip()


def _name_of(call: nodes.Call) -> str:
    return call.node.name if isinstance(call.node, nodes.Name) else ""


def test_catalog_that_lacks_a_text_is_noticed() -> None:
    catalog = Catalog()
    catalog.add("Slack did not answer")
    assert {str(one.id) for one in catalog if one.id} < {str(one.id) for one in catalogs.collect()}


def test_embeds_have_each_text_in_both_languages() -> None:
    root = TEMPLATES.parent
    element = (root / "embed" / "connect.js").read_text(encoding="utf-8")
    for row in re.findall(r"^ {2}\w+: \[(.*)\],$", element, re.MULTILINE):
        assert len(re.findall(r'"[^"]+"', row)) in (2, 4), row
    card = (root / "static" / "js" / "card.js").read_text(encoding="utf-8")
    states = [
        re.findall(r"^ {4}(\w+):", card.split(f"  {name}: {{")[1].split("\n  }")[0], re.MULTILINE)
        for name in ("en", "de")
    ]
    assert states[0] == states[1] != []
