"""Read the settings from the environment once, check and freeze them. No other module reads `os.environ`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from onboarding import addresses, hosts
from onboarding.characters import has_controls, trim
from onboarding.errors import SettingsProblem
from onboarding.kept_keys import decode_key, kept_keys, read_secret

_SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "RATE_LIMIT_STORAGE")
_SQLITE_FILE = re.compile(r"sqlite:///(?!.*(:memory:|mode=memory))/*[^/?]")
_WELL_KNOWN = ("changeme", "secret", "password", "development", "0123456789", "abcdef")
DEFAULT_PORT = 8000
REDIRECT_PATH = "/slack/oauth_redirect"


class Settings(BaseSettings):
    """All settings, each read from the environment variable with its upper-case name (docs/configure.md)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    #: The address and port to listen on.
    host: str = "127.0.0.1"
    port: int = Field(DEFAULT_PORT, ge=1, le=65535)
    #: The name of the host's product, on pages that belong to no integration; empty means that of the only integration.
    product_name: str = Field("", max_length=100)
    #: The origin that browsers and Slack use. Redirect URIs are built from it, never from the Host header.
    public_url: str = ""
    #: Whether `public_url` may use http beyond this computer, as in a closed test network.
    allow_http: Literal["on", "off"] = "off"
    #: Any sqlite:// or postgresql:// URL; empty means a file in `instance/`.
    database_url: SecretStr = SecretStr("")
    #: Signs cookies and links; older keys may follow after a comma.
    secret_key: SecretStr = SecretStr("")
    #: Encrypts tokens and secrets; newest first, comma separated, 32 bytes each in URL-safe base64.
    encryption_keys: SecretStr = SecretStr("")
    #: How many proxies in front are trusted for the client's address.
    proxy_hops: int = Field(0, ge=0, le=10)
    #: How many requests a key may make to the API in a second.
    api_rate_limit: int = Field(150, ge=1, le=1_000_000)
    #: The storage of the counters: this process's memory, or a Redis that all web processes share.
    rate_limit_storage: SecretStr = SecretStr("memory")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "text", "json"] = "auto"
    #: The origin that browsers open: `{slack_url}/oauth/v2/authorize`.
    slack_url: str = "https://slack.com"
    #: The base URL of the Web API; empty means `{slack_url}/api/`.
    slack_api_url: str = ""
    #: The built-in practice Slack. `auto`: on while `public_url` is loopback and every integration is a practice one.
    practice: Literal["auto", "on", "off"] = "auto"
    #: How long the practice Slack's rotating tokens last; Slack's last for twelve hours.
    practice_token_seconds: int = Field(43200, ge=10, le=43200)
    #: Whether webhooks may go to private networks and to this computer.
    webhook_allow_private: Literal["on", "off"] = "off"
    #: An http proxy for webhooks; empty for none. HTTPS_PROXY and HTTP_PROXY have no effect on webhooks.
    webhook_proxy: str = ""
    #: The longest wait between two tries of a webhook in practice mode, in seconds; 0 leaves the waits as they are.
    practice_retry_seconds: int = Field(0, ge=0, le=86400)
    #: The folder of the SQLite file, the practice Slack's state and the generated keys.
    instance: Path = Path("instance")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the library passes it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library passes it by name
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library passes it by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the values that `from_environ` passes."""
        return (init_settings,)

    @field_validator("host")
    @classmethod
    def _host_name(cls, value: str) -> str:
        if not hosts.is_host(value):
            raise ValueError("must be an IP address or a host name, such as 127.0.0.1")
        return value

    @field_validator("product_name")
    @classmethod
    def _visible_name(cls, value: str) -> str:
        if has_controls(value):
            raise ValueError("must be one line without control characters")
        return value

    @field_validator("public_url", "slack_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        return addresses.origin(value) if value else value

    @field_validator("webhook_proxy")
    @classmethod
    def _http_proxy(cls, value: str) -> str:
        # The connection to the proxy is not encrypted. TLS begins at the host of the webhook.
        if value and not value.lower().startswith("http://"):
            raise ValueError("must be the address of an http proxy, such as http://proxy.example.com:3128")
        return addresses.origin(value) if value else value

    @field_validator("slack_api_url")
    @classmethod
    def _base_address(cls, value: str) -> str:
        return addresses.base(value) if value else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url.startswith(("postgresql://", "postgresql+psycopg://")):
            # A password may contain `/`, `?` or `#`, which otherwise end the host.
            addresses.check_port("//" + url.partition("://")[2].rpartition("@")[2])
        elif url and not url.startswith("sqlite://"):
            raise ValueError("must begin with sqlite:// or postgresql://")
        elif url and not _SQLITE_FILE.match(url):
            # Each thread would have its own in-memory database.
            raise ValueError("must name a file, such as sqlite:////var/lib/onboarding/connections.sqlite3")
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _known_storage(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url != "memory" and not url.startswith(("redis://", "rediss://")):
            raise ValueError("must be `memory`, or begin with redis:// or rediss://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _strong_secret(cls, value: SecretStr) -> SecretStr:
        for key in _keys_in(value):
            if len(key) < 32 or len(set(key)) < 8 or key.lower().startswith(_WELL_KNOWN):
                raise ValueError("must be at least 32 random characters, such as `onboarding keys generate` prints")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _strong_keys(cls, value: SecretStr) -> SecretStr:
        for text in _keys_in(value):
            key = decode_key(text)
            if len(key) != 32 or len(set(key)) < 8:
                raise ValueError("must be 32 random bytes in URL-safe base64, as `onboarding keys generate` prints")
        return value

    @model_validator(mode="after")
    def _addresses_are_encrypted(self) -> Self:
        """Require https, because Slack accepts no other redirect URLs.

        https://docs.slack.dev/authentication/installing-with-oauth
        """
        if addresses.is_plain_http_beyond_loopback(self.slack_url):
            raise ValueError("SLACK_URL must use https unless it is on this computer")
        if self.allow_http == "off" and addresses.is_plain_http_beyond_loopback(self.origin):
            raise ValueError(
                "PUBLIC_URL must use https, because Slack requires it; ALLOW_HTTP=on allows http in a closed test network"
            )
        return self

    @property
    def origin(self) -> str:
        return self.public_url or f"http://{hosts.in_url(self.host)}:{self.port}"

    @property
    def own_host(self) -> str:
        """Return the host at which this process reaches itself: loopback if it listens on all interfaces."""
        if self.host in ("", "0.0.0.0"):  # noqa: S104  # only compared, not bound
            return "127.0.0.1"
        return hosts.in_url(self.host)

    @property
    def redirect_uri(self) -> str:
        """Return the address to which Slack sends customers after its consent page."""
        return f"{self.origin}{REDIRECT_PATH}"

    @property
    def sign_in_redirect_uri(self) -> str:
        """Return the address to which Slack sends operators who sign in."""
        return f"{self.origin}/sign-in/slack/callback"

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        return hosts.is_loopback(urlsplit(self.origin).hostname or "")

    @property
    def practice_possible(self) -> bool:
        return self.practice == "on" or (self.practice == "auto" and self.is_loopback)

    def is_practice_on(self, any_real: bool) -> bool:
        """Return whether practice mode is on. `any_real`: whether an integration has real credentials."""
        return self.practice_possible and not (self.practice == "auto" and any_real)

    @property
    def slack_api(self) -> str:
        return self.slack_api_url or f"{self.slack_url}/api/"

    @property
    def database(self) -> str:
        given = self.database_url.get_secret_value()
        if given.startswith("postgresql://"):
            return given.replace("postgresql://", "postgresql+psycopg://", 1)
        return given or f"sqlite:///{(self.instance / 'onboarding.sqlite3').resolve()}"

    @property
    def rate_limits(self) -> str:
        given = self.rate_limit_storage.get_secret_value()
        return "memory://" if given == "memory" else given

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """Return the keys that sign cookies and links, newest first."""
        return tuple(_keys_in(self.secret_key))

    @property
    def vault_keys(self) -> tuple[bytes, ...]:
        """Return the encryption keys, newest first, 32 bytes each."""
        return tuple(map(decode_key, _keys_in(self.encryption_keys)))


def _keys_in(secret: SecretStr) -> list[str]:
    """Return the keys of a setting: separated by commas, each trimmed, because people write a space after a comma."""
    text = secret.get_secret_value()
    return [trim(key) for key in text.split(",")] if text else []


def from_environ(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings. Raises SettingsProblem, one line that names the variable."""
    given = _Environment(os.environ if environ is None else environ)()
    settings = _checked(given)
    if settings.practice == "on" and not settings.is_loopback:
        raise SettingsProblem("PRACTICE=on needs a PUBLIC_URL on this computer, such as http://127.0.0.1:8000.")
    if settings.practice_possible:
        missing = [name for name in ("secret_key", "encryption_keys") if not getattr(settings, name).get_secret_value()]
        return _checked({**given, **kept_keys(missing, settings.instance)})
    for name, value in (("SECRET_KEY", settings.secret_key), ("ENCRYPTION_KEYS", settings.encryption_keys)):
        if not value.get_secret_value():
            raise SettingsProblem(f"{name} is required outside practice mode; `onboarding keys generate` prints one.")
    return settings


def keys_are_given(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the operator set both keys, instead of using those generated in practice mode."""
    given = os.environ if environ is None else environ
    return all(given.get(name) or given.get(f"{name}_FILE") for name in ("SECRET_KEY", "ENCRYPTION_KEYS"))


def run_by_flask_command(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether `flask` runs this process: it imports app.py as a server does, and sets this variable."""
    return (os.environ if environ is None else environ).get("FLASK_RUN_FROM_CLI") == "true"


def forget_dotenv() -> None:
    """Remove our variables that were not in the environment when this process started.

    Flask's command line reads `.env` of this folder and every parent folder; a server and `onboarding` do not. With
    other settings than the server's, a command would seal secrets with other keys, in another database. Only on Linux
    can a process read the environment that it was started with (proc_pid_environ(5)).
    """
    try:
        first = {one.partition(b"=")[0] for one in Path("/proc/self/environ").read_bytes().split(b"\0")}
    except OSError:
        return
    ours = {name.upper() for name in Settings.model_fields}
    ours |= {f"{name}_FILE" for name in _SECRETS}
    for name in [name for name in os.environ if name.upper() in ours and os.fsencode(name) not in first]:
        del os.environ[name]


def become_server() -> None:
    """Mark this process and its children as servers, although a command started them."""
    os.environ["FLASK_RUN_FROM_CLI"] = "false"


class _Environment(EnvSettingsSource):
    """The environment variables. A secret may also be in the file that `<NAME>_FILE` names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._given = environ
        super().__init__(Settings, env_ignore_empty=True)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        named = {name: self._given.get(f"{name}_FILE") for name in _SECRETS}
        read = {name: read_secret(name, Path(path)) for name, path in named.items() if path}
        given = {name.lower(): value for name, value in {**self._given, **read}.items()}
        known = {name: trim(value) for name, value in given.items() if name in Settings.model_fields}
        return {name: value for name, value in known.items() if value}


def _checked(values: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] != "value_error":
            raise SettingsProblem(f"{_rule(str(first['loc'][0]))}.") from None
        name = f"{str(first['loc'][0]).upper()} " if first["loc"] else ""
        raise SettingsProblem(f"{name}{first['msg'].removeprefix('Value error, ')}.") from None


def _rule(name: str) -> str:
    """Return the sentence about a setting whose value has the wrong type, is out of range or is none of the choices."""
    kind = Settings.model_fields[name]
    choices = get_args(kind.annotation)
    if choices:
        return f"{name.upper()} must be {', '.join(choices[:-1])} or {choices[-1]}"
    limits = ("ge", "le", "max_length")
    bounds = {limit: getattr(one, limit) for one in kind.metadata for limit in limits if hasattr(one, limit)}
    if "max_length" in bounds:
        return f"{name.upper()} must have at most {bounds['max_length']} characters"
    return f"{name.upper()} must be a number from {bounds['ge']} to {bounds['le']}"
