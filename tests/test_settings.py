"""Settings: a wrong or missing value stops the start with one line that names its variable."""

import base64
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from onboarding import settings
from onboarding.errors import SettingsProblem

pytestmark = pytest.mark.once

# Written as literals: a test's id contains its values, and every worker of pytest-xdist must find the same ids.
SECRET, KEY = "zq3VtY8pWc1LmR6xKd0SnB4hGj7Fa2UeIoTyCvXwZ9k=", "Hn5Rz2Lw8Qc4Xv7Tb0Ym3Kp9Js6Df1Ga-EoUiWq_Zx8="
SHORT_KEY = "Hn5Rz2Lw8Qc4Xv7Tb0Ym3A=="
LIVE = {"PUBLIC_URL": "https://connect.example.com", "SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eight"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("HOST", "a b"),
        ("HOST", "http://127.0.0.1"),
        ("HOST", "127.0.0.1:8000"),
        ("HOST", "connect..example.com"),
        ("HOST", "999.0.0.1"),
        ("PRODUCT_NAME", "North\nwind"),
        ("PRODUCT_NAME", "North\u2028wind"),
        ("PRODUCT_NAME", "North\u202ewind"),
        ("PRODUCT_NAME", "North\x1b[31mwind"),
        ("PUBLIC_URL", "connect.example.com"),
        ("PUBLIC_URL", "ftp://connect.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://connect.example.com/path"),
        ("PUBLIC_URL", "https://connect.example.com?query"),
        ("PUBLIC_URL", "https://ada@connect.example.com"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://connect.example.com:port"),
        ("PUBLIC_URL", "https://connect.example.com:0"),
        ("PUBLIC_URL", "https://conn ect.example.com"),
        ("PUBLIC_URL", "https://conn\tect.example.com"),
        ("PUBLIC_URL", "https://connect.example.com\u200b/"),
        ("PUBLIC_URL", "https://<your-host>"),
        ("PUBLIC_URL", "https://connect..example.com"),
        ("PUBLIC_URL", "https://.example.com"),
        ("PUBLIC_URL", "https://connect.example.com."),
        ("PUBLIC_URL", "https://-connect.example.com"),
        ("PUBLIC_URL", "https://connect_us.example.com"),
        ("PUBLIC_URL", f"https://{'a' * 64}.example.com"),
        ("PUBLIC_URL", "https://" + "a." * 127 + "com"),
        ("PUBLIC_URL", "https://999.0.0.1"),
        ("PUBLIC_URL", "https://@connect.example.com"),
        ("PUBLIC_URL", "http://connect.example.com"),
        ("PUBLIC_URL", "http://192.0.2.1:8000"),
        ("ALLOW_HTTP", "maybe"),
        ("API_RATE_LIMIT", "0"),
        ("API_RATE_LIMIT", "1.5"),
        ("RATE_LIMIT_STORAGE", "memcached://cache"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite://file.sqlite3"),
        ("DATABASE_URL", "sqlite:///?timeout=3"),
        ("DATABASE_URL", "sqlite:///file:x?mode=memory&uri=true"),
        ("DATABASE_URL", "postgresql://ada:pass@db:54a/x"),
        ("DATABASE_URL", "postgresql://ada:pass@[::1/x"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", ","),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "changeme-changeme-changeme-changeme-changeme"),
        ("SECRET_KEY", f"{SECRET},short"),
        ("ENCRYPTION_KEYS", "short"),
        ("ENCRYPTION_KEYS", ","),
        ("ENCRYPTION_KEYS", "A" * 43 + "="),
        ("ENCRYPTION_KEYS", SHORT_KEY),
        ("ENCRYPTION_KEYS", f"{KEY},{SHORT_KEY}"),
        ("ENCRYPTION_KEYS", "not base64 at all, no"),
        ("PROXY_HOPS", "-1"),
        ("PROXY_HOPS", "many"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("PRACTICE", "maybe"),
        ("PRACTICE", "on"),
        ("SLACK_URL", "slack.com"),
        ("SLACK_URL", "http://slack.example.com"),
        ("SLACK_URL", "https://sl ack.com"),
        ("SLACK_URL", "https://slack..com"),
        ("SLACK_API_URL", "slack.com/api"),
        ("SLACK_API_URL", "https://slack..com/api/"),
        ("SLACK_API_URL", "http://slack.example.com/api/"),
        ("WEBHOOK_PROXY", "proxy.example.com:3128"),
        ("WEBHOOK_PROXY", "https://proxy.example.com:3128"),
        ("WEBHOOK_PROXY", "http://proxy.example.com/path"),
    ],
)
def test_wrong_value_stops_the_start_and_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsProblem) as stopped:
        settings.from_environ({**LIVE, variable: value})
    sentence = stopped.value.sentence
    assert re.match(rf"{variable}(=| must )", sentence)
    assert sentence.count(variable) == 1
    assert "Input" not in sentence, "these are the words of Pydantic"
    assert "\n" not in sentence
    assert sentence.endswith(".")
    if variable in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        assert value.split(",")[-1] not in sentence or value == ","


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "abc", "PORT must be a number from 1 to 65535."),
        ("PROXY_HOPS", "11", "PROXY_HOPS must be a number from 0 to 10."),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be debug, info, warning or error."),
        ("ALLOW_HTTP", "yes", "ALLOW_HTTP must be on or off."),
        ("PRODUCT_NAME", "x" * 101, "PRODUCT_NAME must have at most 100 characters."),
    ],
)
def test_message_names_the_allowed_values(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsProblem) as stopped:
        settings.from_environ({**LIVE, variable: value})
    assert stopped.value.sentence == sentence


@pytest.mark.parametrize("around", [" ", "\n", "\t", "\u00a0", "\u200b", "\ufeff", "\u2060 \r\n"])
def test_values_are_trimmed(around: str) -> None:
    given = {name: f"{around}{value}{around}" for name, value in {**LIVE, "PORT": "9000", "LOG_LEVEL": "debug"}.items()}
    assert settings.from_environ(given) == settings.from_environ({**LIVE, "PORT": "9000", "LOG_LEVEL": "debug"})
    assert settings.from_environ({**LIVE, "PORT": around}) == settings.from_environ(LIVE)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://connect.example.com/", "https://connect.example.com"),
        ("HTTPS://Connect.Example.com:8443", "https://connect.example.com:8443"),
        ("https://connect.example.com:443", "https://connect.example.com"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://xn--caf-dma.example", "https://xn--caf-dma.example"),
        (f"https://{'a' * 63}.example", f"https://{'a' * 63}.example"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://connect", "https://connect"),
    ],
)
def test_address_of_a_host_is_accepted(address: str, origin: str) -> None:
    assert settings.from_environ({**LIVE, "PUBLIC_URL": address}).origin == origin


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "app-1.internal"])
def test_host_may_be_any_interface(host: str) -> None:
    assert settings.from_environ({**LIVE, "HOST": host}).host == host


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_plain_http_is_accepted_on_this_computer(address: str) -> None:
    assert settings.from_environ({**LIVE, "PUBLIC_URL": address}).origin == address


def test_plain_http_on_another_computer_needs_a_setting() -> None:
    for given in ({"PUBLIC_URL": "http://connect.test"}, {"PUBLIC_URL": "", "HOST": "0.0.0.0"}):
        with pytest.raises(SettingsProblem, match=r"^PUBLIC_URL must use https.*ALLOW_HTTP=on"):
            settings.from_environ({**LIVE, **given})
        assert not settings.from_environ({**LIVE, **given, "ALLOW_HTTP": "on"}).is_https


@pytest.mark.parametrize("variable", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_missing_key_stops_the_start_outside_practice(variable: str) -> None:
    with pytest.raises(SettingsProblem, match=rf"^{variable} is required .*keys generate"):
        settings.from_environ({name: value for name, value in LIVE.items() if name != variable})


@pytest.mark.parametrize("variable", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_secret_may_come_from_a_file(variable: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{LIVE[variable]}\n")
    given = {name: value for name, value in LIVE.items() if name != variable}
    assert settings.from_environ({**given, f"{variable}_FILE": str(file)}) == settings.from_environ(LIVE)


@pytest.mark.parametrize("password", ["pa#ss", "pa/ss", "p?ss", "p[ss", "p@ss", "p:ss"])
def test_password_of_the_database_may_contain_any_character(password: str) -> None:
    url = f"postgresql://ada:{password}@db:5432/x"
    assert settings.from_environ({**LIVE, "DATABASE_URL": url}).database.endswith(f"{password}@db:5432/x")


@pytest.mark.parametrize("url", ["sqlite:///here.sqlite3", "sqlite:////var/lib/there.sqlite3", "sqlite:///a?timeout=3"])
def test_database_may_be_any_file(url: str) -> None:
    assert settings.from_environ({**LIVE, "DATABASE_URL": url}).database == url


def test_database_address_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database"
    file.write_text("postgresql://ada:pass@db/x")
    assert settings.from_environ({**LIVE, "DATABASE_URL_FILE": str(file)}).database.endswith("ada:pass@db/x")


def test_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"^SECRET_KEY_FILE must "):
        settings.from_environ({**LIVE, "SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_weak_key_from_a_file_is_refused_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("password")
    with pytest.raises(SettingsProblem, match=r"^SECRET_KEY must "):
        settings.from_environ({**LIVE, "SECRET_KEY_FILE": str(file)})


def test_practice_mode_creates_keys_once_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    first = settings.from_environ({"INSTANCE": str(tmp_path)})
    assert first == settings.from_environ({"INSTANCE": str(tmp_path)})
    assert first.practice_possible
    for name in ("secret_key", "encryption_keys"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_concurrent_starts_get_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _index: settings.from_environ({"INSTANCE": str(tmp_path)}), range(64)))
    assert len({one.signing_keys for one in found}) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["encryption_keys", "secret_key"]


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys"])
@pytest.mark.parametrize("kept", ["", "short"])
def test_invalid_stored_key_stops_the_start(name: str, kept: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(kept)
    with pytest.raises(SettingsProblem, match=rf"^{name.upper()} (must|is) .*\.$"):
        settings.from_environ({"INSTANCE": str(tmp_path)})


def test_stored_key_that_cannot_be_read_is_reported_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(b"\xff")
    with pytest.raises(SettingsProblem, match=r"^SECRET_KEY must be readable as text in .*/secret_key\. "):
        settings.from_environ({"INSTANCE": str(tmp_path)})


def test_folder_that_cannot_store_a_key_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SettingsProblem, match=r"^INSTANCE must be a folder"):
        settings.from_environ({"INSTANCE": str(tmp_path / "taken")})


def test_practice_mode_is_impossible_at_a_public_address() -> None:
    assert not settings.from_environ(LIVE).practice_possible


def test_key_ring_is_newest_first() -> None:
    found = settings.from_environ({**LIVE, "SECRET_KEY": f"{SECRET},{KEY}", "ENCRYPTION_KEYS": f"{KEY},{SECRET}"})
    assert found.signing_keys == (SECRET, KEY)
    assert [base64.urlsafe_b64encode(key).decode() for key in found.vault_keys] == [KEY, SECRET]


@pytest.mark.parametrize("around", [" ", "\n", "\u00a0", "\u200b"])
def test_each_key_of_a_list_is_trimmed(around: str) -> None:
    given = {name: f"{LIVE[name]}{around},{around}{SECRET}" for name in ("SECRET_KEY", "ENCRYPTION_KEYS")}
    plain = {name: f"{LIVE[name]},{SECRET}" for name in given}
    found, expected = settings.from_environ({**LIVE, **given}), settings.from_environ({**LIVE, **plain})
    assert (found.signing_keys, found.vault_keys) == (expected.signing_keys, expected.vault_keys)


def test_stored_key_is_the_same_as_its_file(tmp_path: Path) -> None:
    """Editors add a byte order mark or a line break."""
    for name in ("secret_key", "encryption_keys"):
        (tmp_path / name).write_text(f"\ufeff{LIVE[name.upper()]}\r\n", encoding="utf-8")
    found = settings.from_environ({"INSTANCE": str(tmp_path)})
    assert found.signing_keys == settings.from_environ(LIVE).signing_keys
    assert found.vault_keys == settings.from_environ(LIVE).vault_keys


def test_redirect_address_is_derived_from_the_public_url() -> None:
    assert settings.from_environ(LIVE).redirect_uri == "https://connect.example.com/slack/oauth_redirect"


def test_settings_cannot_be_changed_and_their_repr_shows_no_secret() -> None:
    found = settings.from_environ({**LIVE, "DATABASE_URL": "postgresql://ada:hidden-pass@db/x"})
    with pytest.raises(ValidationError):
        found.port = 1
    shown = repr(found)
    assert not any(secret in shown for secret in (SECRET, KEY, "hidden-pass"))
