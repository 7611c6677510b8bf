"""A product's name, logo, accent color and links on its customers' pages, and what an operator may set."""

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import text

from onboarding import colors
from onboarding.callers import SHELL
from onboarding.errors import Refused
from tests import pictures
from tests.browser_client import BrowserClient, Page, Site
from tests.desk import Desk
from tests.programs import INTEGRATION

HELP, PRIVACY = "https://help.example/slack", "https://example.com/privacy"


@pytest.fixture
def branded(desk: Desk) -> Iterator[Site]:
    look = {"accent_color": "#B3261E", "support_url": HELP, "privacy_url": PRIVACY}
    desk.site.change_integration(INTEGRATION, logo=pictures.picture(), **look)
    yield desk.site
    desk.site.change_integration(INTEGRATION, remove_logo=True, **dict.fromkeys(look, ""))


def logo_of(page: Page) -> str | None:
    tile = next((one for one in page.main.iter("span") if one.get("class") == "tile tile-logo"), None)
    return None if tile is None else next(tile.iter("img")).get("src")


def footer_links(page: Page) -> dict[str, str]:
    footer = page.root.find(".//footer")
    assert footer is not None
    return {"".join(one.itertext()): one.get("href", "") for one in footer.iter("a") if _is_external(one)}


def _is_external(link: Element) -> bool:
    return (link.get("target"), link.get("rel")) == ("_blank", "noopener noreferrer")


def stored(site: Site, upload: bytes) -> Image.Image:
    """Set a logo and return it as a browser gets it."""
    site.change_integration(INTEGRATION, logo=upload)
    with BrowserClient(site) as browser:
        answer = browser.asks("GET", logo_of(browser.opens(site.link(INTEGRATION, subscriber_id="bea"))) or "")
    site.change_integration(INTEGRATION, remove_logo=True)
    assert answer.headers["Content-Type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


def test_each_page_of_a_customer_shows_the_product(branded: Site, customer: BrowserClient) -> None:
    link = branded.link(INTEGRATION, subscriber_id="branded", mode="subscriber")
    start = customer.opens(link)
    connected = customer.connects(link)
    revoked = branded.link(INTEGRATION, subscriber_id="branded")
    branded.revoke_link(revoked)
    pages = [start, connected, customer.opens(f"{link}/manage"), customer.opens(revoked)]
    assert [page.outcome for page in pages] == [None, "connected", None, "link_revoked"]
    for page in pages:
        assert logo_of(page) == logo_of(start) is not None
        assert footer_links(page) == {"Help": HELP, "Privacy": PRIVACY}
        assert "/branding/colors/b3261e.css" in page.text


def test_product_without_a_look_shows_its_initials(desk: Desk, customer: BrowserClient) -> None:
    page = customer.opens(desk.site.link(INTEGRATION, subscriber_id="plain"))
    assert (logo_of(page), footer_links(page), "branding/" in page.text) == (None, {}, False)


def test_logo_and_colors_are_files_that_run_nothing(branded: Site, customer: BrowserClient) -> None:
    page = customer.opens(branded.link(INTEGRATION, subscriber_id="files"))
    for address, kind in ((logo_of(page), "image/png"), ("/branding/colors/b3261e.css", "text/css; charset=utf-8")):
        headers = customer.asks("GET", address or "").headers
        assert headers["Content-Type"] == kind
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in headers
    style = customer.asks("GET", "/branding/colors/b3261e.css").text
    assert "--accent: #b3261e" in style
    for unknown in ("logos/0.png", "colors/red.css", "colors/b3261.css", "colors/B3261e0.css"):
        assert customer.asks("GET", f"/branding/{unknown}").status_code == 404


@pytest.mark.usefixtures("branded")
def test_card_shows_the_product(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="card")
    card = customer.asks("GET", f"/embed/card?session={made['id']}").text
    assert "/branding/colors/b3261e.css" in card
    assert f'href="{HELP}"' in card
    assert f'href="{PRIVACY}"' in card
    assert 'alt="Northwind"' in card


def test_other_integration_keeps_its_own_look(branded: Site, customer: BrowserClient) -> None:
    page = customer.opens(branded.link("slack-other", subscriber_id="bea"))
    assert (logo_of(page), footer_links(page)) == (None, {})


@pytest.mark.parametrize(
    ("upload", "size"),
    [
        (pictures.picture(), (64, 64)),
        (pictures.picture(size=(1600, 200)), (576, 72)),
        (pictures.picture(size=(300, 2000)), (29, 192)),
        (pictures.picture(mode="P"), (64, 64)),
        (pictures.picture(mode="LA"), (64, 64)),
        (pictures.picture("JPEG", mode="CMYK"), (64, 64)),
        (pictures.picture("JPEG", progressive=True), (64, 64)),
        (pictures.turned(), (40, 20)),
        (pictures.with_text(), (64, 64)),
    ],
    ids=["png", "wide", "high", "palette", "gray", "cmyk", "progressive", "turned", "text"],
)
def test_logo_is_written_again_without_anything_but_its_pixels(
    upload: bytes, size: tuple[int, int], desk: Desk
) -> None:
    found = stored(desk.site, upload)
    assert (found.format, found.size, found.mode) == ("PNG", size, "RGBA")
    assert (found.info, dict(found.getexif())) == ({}, {})


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        (pictures.SVG, "The logo must be a PNG or JPEG picture."),
        (b"javascript:alert(1)", "The logo must be a PNG or JPEG picture."),
        (pictures.picture("GIF"), "The logo must be a PNG or JPEG picture."),
        (pictures.picture("WEBP"), "The logo must be a PNG or JPEG picture."),
        (pictures.picture()[:60], "The logo must be a PNG or JPEG picture."),
        (pictures.picture("JPEG")[:300], "The logo must be a PNG or JPEG picture."),
        (pictures.text_bomb(), "The logo must be a PNG or JPEG picture."),
        (pictures.bomb(5000), "The logo must have at most 2000 x 2000 pixels."),
        (pictures.bomb(60_000), "The logo must be a PNG or JPEG picture."),
        (pictures.scan_bomb(), "The logo must be a simpler JPEG picture: this one has too many scans."),
        (pictures.picture() + bytes(100_000), "The logo must have at most 100 kB."),
    ],
    ids=["svg", "script", "gif", "webp", "half", "half jpeg", "text", "large", "huge", "scans", "100 kB"],
)
def test_upload_that_is_no_picture_or_too_large_is_refused(upload: bytes, sentence: str, desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.site.change_integration(INTEGRATION, logo=upload)
    assert (refused.value.sentence, refused.value.field) == (sentence, "logo")


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        ({"accent_color": "red"}, "The accent color must be written like #3f4fd0."),
        ({"accent_color": "#3f4fd0;}"}, "The accent color must be written like #3f4fd0."),
        ({"accent_color": "#777777"}, "has a contrast of 4.1:1 with a light page; 4.5:1 is needed. #707070 is dark"),
        ({"support_url": "http://help.example/"}, "The support link must use https"),
        ({"support_url": "http://localhost/"}, "The support link must begin with https://."),
        ({"privacy_url": "javascript:alert(1)"}, "The privacy link must begin with https://"),
        ({"privacy_url": "https://a@evil.example"}, "The privacy link must not contain a user name"),
        ({"privacy_url": "//evil.example"}, "The privacy link must begin with https://"),
    ],
)
def test_color_or_link_that_is_unusable_is_refused(look: dict[str, str], sentence: str, desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.site.change_integration(INTEGRATION, **look)
    assert sentence in refused.value.sentence


@pytest.mark.once
@given(st.integers(0, 0xFFFFFF))
def test_every_accepted_color_is_readable_in_both_themes(number: int) -> None:
    color = f"#{number:06x}"
    try:
        colors.check_accent(color)
    except ValueError as fault:
        color = str(fault).split(" is dark enough")[0][-7:]
        colors.check_accent(color)
    light, dark = colors.tones(color)
    for tones, surface in ((light, "#ffffff"), (dark, "#161822")):
        pairs = [(tones["link"], surface), (tones["link"], tones["accent-soft-pressed"])]
        pairs += [(tones["on-accent"], tones[name]) for name in ("accent", "accent-hover", "accent-pressed")]
        for one, other in pairs:
            assert colors.contrast(one, other) >= colors.MIN_CONTRAST, (one, other)


def test_removed_integration_takes_its_logo_along(desk: Desk) -> None:
    desk.site.add_practice_app("gone", "Gone")
    desk.site.change_integration("gone", logo=pictures.picture(size=(3, 3)))
    environment_id = desk.site.runtime.environments.first().id
    desk.site.runtime.integrations.remove(environment_id, "gone", SHELL)
    with desk.site.runtime.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM logos")).scalar_one() == 0


def test_change_of_the_look_is_in_the_audit_log_without_the_picture(branded: Site) -> None:
    query = text("SELECT detail FROM audit_entries WHERE action = 'integration.changed' ORDER BY at DESC LIMIT 1")
    with branded.runtime.database.reading() as session:
        detail = session.execute(query).scalar_one()
    assert detail == "accent_color, support_url, privacy_url, logo"
