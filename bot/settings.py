"""Read every variable of the bot, once. Only a composition root builds this; everybody else is handed values.

Wrong or missing configuration stops the start with one line per mistake, all of them at once, and no line ever prints
a value: half of them are secrets.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict, SettingsError

from bot.misconfigured import Misconfigured
from bot.network import Proxy

T = TypeVar("T")
_OURS: Final = ("FLOWS_BOT_", "SLACK_", "VOIPBIN_")
_IN_FILES: Final = (
    "slack_bot_token",
    "slack_app_token",
    "slack_signing_secret",
    "voipbin_access_key",
    "voipbin_password",
    "flows_bot_database_url",
)
_ACCESS_KEY: Final = r"[A-Za-z0-9_.~=-]{1,256}"  # as bot.voipbin's credential has it, and a test holds both to it
_QUOTED: Final = (
    "has quotes around it that are part of the value here. Leave them out: not every env file takes them off."
)
_ALIKE: Final = 0.8
"""Of 1, how alike a variable has to be to one that is read, to be taken for a slip of the keyboard."""
ACCOUNT_NAME: Final = r"[a-z][a-z0-9_]{0,19}"
ACCOUNT: Final = "VOIPBIN_ACCOUNT__"
_FORGOTTEN: Final = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")


class AccountSettings(BaseModel):
    """What is said of one VoIPBIN account, where there are several; ``None``: as it is said for all of them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    access_key: SecretStr | None = None
    access_key_file: Path | None = None
    access_key_in_query: bool | None = None
    username: Annotated[str | None, Field(repr=False)] = None
    password: SecretStr | None = None
    password_file: Path | None = None
    api_url: str | None = None
    ca_file: Path | None = None
    requests_per_second: Annotated[float | None, Field(gt=0, le=100)] = None
    events: bool | None = None


class Settings(BaseSettings):
    """The environment, and a ``.env`` file beside the process."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, env_nested_delimiter="__", hide_input_in_errors=True
    )

    slack_bot_token: SecretStr = SecretStr("")
    slack_bot_token_file: Path | None = None
    """A file with the secret in it, as orchestrators mount them; so below."""
    slack_app_token: SecretStr | None = None
    """Present: Socket Mode."""
    slack_app_token_file: Path | None = None
    slack_signing_secret: SecretStr | None = None
    """Present, and no app token: HTTP mode."""
    slack_signing_secret_file: Path | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_ca_file: Path | None = None
    """A CA bundle, where a proxy opens what is said to Slack."""

    voipbin_api_url: str = "https://api.voipbin.net/v1.0"
    voipbin_access_key: SecretStr | None = None
    voipbin_access_key_file: Path | None = None
    voipbin_access_key_in_query: bool = False
    """Puts the key into URLs, where logs of others see it. Only for a proxy in between that drops cookies."""
    voipbin_username: Annotated[str | None, Field(repr=False)] = None
    voipbin_password: SecretStr | None = None
    voipbin_password_file: Path | None = None
    voipbin_ca_file: Path | None = None
    """A CA bundle for a VoIPBIN of one's own."""
    voipbin_requests_per_second: Annotated[float, Field(gt=0, le=100)] = 8.0
    """The bot's share of the 17 a second that all clients of one customer have together."""
    voipbin_events: bool = True
    """Follow what runs over VoIPBIN's event stream; without, its list is read whenever somebody asks."""
    voipbin_account: dict[str, AccountSettings] = {}
    """Several accounts, by name: ``VOIPBIN_ACCOUNT__STAGING__ACCESS_KEY``. None: the one that is said above."""

    https_proxy: Annotated[str, Field(repr=False)] = ""
    """For Slack and VoIPBIN alike; it may hold a password."""
    no_proxy: str = ""

    otel_exporter_otlp_endpoint: Annotated[str, Field(repr=False)] = ""
    """Where traces go (OTLP over HTTP), with ``flows-bot[otel]``; empty: nowhere."""

    flows_bot_policy: Path | None = None
    flows_bot_database_url: SecretStr = SecretStr("sqlite:///flows-bot.db")
    flows_bot_database_url_file: Path | None = None
    flows_bot_audit_days: Annotated[int | None, Field(ge=3, le=36500)] = None
    """So long records of the audit are kept; absent: for good."""
    flows_bot_command: str = "/flows"
    flows_bot_region: str = ""
    """Where numbers without their country are written; unset: they are matched by their ending."""
    flows_bot_host: str = "127.0.0.1"
    flows_bot_port: Annotated[int, Field(ge=0, le=65535)] = 3000
    flows_bot_drain_seconds: Annotated[float, Field(ge=0, le=300)] = 0.0
    """So long the port stays open after SIGTERM, with ``/readyz`` red, until a balancer has seen it."""
    flows_bot_log_format: Literal["console", "json"] = "console"
    flows_bot_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="wrap")
    @classmethod
    def _all_mistakes_at_once(cls, given: Any, build: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        given, mistakes = _with_files(given)
        given["voipbin_account"], of_accounts = _accounts(given)
        mistakes += of_accounts
        words = {name: _plain(value) for name, value in given.items() if name != "voipbin_account"}
        quoted = [name for name, value in words.items() if re.fullmatch(r"(?s)([\"']).*\1", value) and len(value) > 1]
        mistakes += [f"{name.upper()}: {_QUOTED}" for name in quoted]
        unclear = {*quoted, *(name for name in _IN_FILES if given.get(f"{name}_file"))}
        mistakes += [line for line in _mistakes(words, given["voipbin_account"]) if not _about(line, unclear)]
        try:
            settings = build(given)
        except ValidationError as wrong:
            types = [f"{_name(e['loc'])}: {e['msg']}." for e in wrong.errors(include_input=False)]
            more = (line for line in types if not _about(line, unclear) and line not in mistakes)
            raise Misconfigured(*mistakes, *more) from None
        if mistakes:
            raise Misconfigured(*mistakes)
        return settings

    @property
    def proxy(self) -> Proxy:
        return Proxy(self.https_proxy, self.no_proxy)

    @property
    def accounts(self) -> dict[str, AccountSettings]:
        """Every VoIPBIN account with all that is said of it, by its name; the only one has none."""
        everywhere = {name: getattr(self, f"voipbin_{name}") for name in AccountSettings.model_fields}
        if not self.voipbin_account:
            return {"": AccountSettings(**everywhere)}
        said = {name: account.model_dump(exclude_none=True) for name, account in self.voipbin_account.items()}
        return {name: AccountSettings(**{**everywhere, **own}) for name, own in sorted(said.items())}

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None


class SomeSettings(BaseSettings):
    """Those that a command reads which runs no bot, by the same names and from the same places."""

    model_config = Settings.model_config

    @model_validator(mode="before")
    @classmethod
    def _secrets_in_files(cls, given: Any) -> Any:
        known, mistakes = _with_files({name: value for name, value in given.items() if name in cls.model_fields})
        if mistakes:
            raise Misconfigured(*mistakes)
        return known


def _with_files(given: Mapping[str, Any]) -> tuple[dict[str, Any], "list[str]"]:
    """Return the values with the secrets that stand in files, and what is wrong with those."""
    known, mistakes = dict(given), []
    for name in _IN_FILES:
        field = f"{name}_file"
        if not known.get(field):
            continue
        if _plain(known.get(name)):
            mistakes.append(f"{name.upper()} and {field.upper()} are both set: use one.")
            continue
        try:
            known[name] = Path(str(known[field])).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as trouble:
            mistakes.append(f"{field.upper()}: cannot be read ({type(trouble).__name__}).")
    return known, mistakes


def _about(line: str, names: Iterable[str]) -> bool:
    """Tell whether it is about a variable of which something else was said already."""
    return any(re.match(rf"{name.upper()}\b", line) for name in names)


def _name(where: tuple[int | str, ...]) -> str:
    return "__".join(map(str, where)).upper() if where else "The environment"


def _plain(value: object) -> str:
    secret = value.get_secret_value() if isinstance(value, SecretStr) else value
    return "" if secret is None else str(secret)


def _accounts(given: Mapping[str, Any]) -> tuple[dict[str, Any], "list[str]"]:
    """Return the accounts with the secrets that stand in files, and what is wrong with them, as of the only one."""
    accounts, mistakes = dict[str, Any](), list[str]()
    for account, said in (given.get("voipbin_account") or {}).items():
        prefix = f"{ACCOUNT}{account.upper()}__"
        if not re.fullmatch(ACCOUNT_NAME, account) or not isinstance(said, Mapping):
            mistakes.append(
                f"{prefix.rstrip('_')}: a name has 1 to 20 small letters, digits and _, and begins with a letter."
            )
            continue
        known = {name: value for name, value in said.items() if name in AccountSettings.model_fields}
        for name in sorted(said.keys() - known.keys()):
            meant = get_close_matches(name, AccountSettings.model_fields, n=1, cutoff=_ALIKE)
            also = f" Did you mean {prefix}{meant[0].upper()}?" if meant else ""
            mistakes.append(f"{prefix}{name.upper()}: nobody reads it.{also}")
        alike, found = _with_files({f"voipbin_{name}": value for name, value in known.items()})
        words = {name: _plain(value) for name, value in alike.items()}
        found += [*_voipbin(words), *_network(words), *wrong_addresses(words, "voipbin_api_url")]
        unclear = [name for name in _IN_FILES if alike.get(f"{name}_file") and not alike.get(name)]
        found = [line for line in found if not _about(line, unclear)]
        mistakes += [line.replace("VOIPBIN_", prefix) for line in found]
        accounts[account] = {name.removeprefix("voipbin_"): value for name, value in alike.items()}
    return accounts, mistakes


def _mistakes(given: dict[str, str], accounts: Mapping[str, Any]) -> "list[str]":
    """Return everything that does not go together, in the order of ``.env.example``."""
    found = [*_slack(given), *(_beside_accounts(given) if accounts else _voipbin(given)), *_network(given)]
    database = given.get("flows_bot_database_url", "")
    if database and not re.match(r"(sqlite:///|postgresql(\+psycopg)?://)", database):
        found.append("FLOWS_BOT_DATABASE_URL: begins with sqlite:/// or postgresql://.")
    elif re.match(r"sqlite:///(:memory:|file:|\?|$)", database):
        found.append("FLOWS_BOT_DATABASE_URL: needs a file of its own, or the audit is forgotten at each restart.")
    policy = given.get("flows_bot_policy", "")
    if policy and not os.path.isfile(policy):  # noqa: PTH113 # Path.is_file raises for what can be no path, and prints it
        found.append("FLOWS_BOT_POLICY: there is no file at that path.")
    region = given.get("flows_bot_region", "")
    if region and not _is_region(region):
        found.append("FLOWS_BOT_REGION: two capital letters, such as GB (ISO 3166).")
    if not re.fullmatch(r"/[^\sA-Z]{1,31}", given.get("flows_bot_command", "/flows")):
        found.append("FLOWS_BOT_COMMAND: begins with / and has 2 to 32 characters, lower case, no blanks.")
    return found


def _is_region(region: str) -> bool:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 # a tenth of a second for those who set one

    return region in SUPPORTED_REGIONS


def _slack(given: dict[str, str]) -> "list[str]":
    found = []
    token, app, secret = (given.get(f"slack_{name}", "") for name in ("bot_token", "app_token", "signing_secret"))
    if not token:
        found.append("SLACK_BOT_TOKEN is missing: the Bot User OAuth Token of the installed app (xoxb-…).")
    elif not token.startswith("xoxb-"):
        found.append("SLACK_BOT_TOKEN: a bot token begins with xoxb-.")
    if not app and not secret:
        found.append("SLACK_APP_TOKEN (Socket Mode, xapp-…) or SLACK_SIGNING_SECRET (HTTP mode) is missing.")
    if app and not app.startswith("xapp-"):
        found.append("SLACK_APP_TOKEN: an app-level token begins with xapp-.")
    for name, value in (("SLACK_BOT_TOKEN", token), ("SLACK_APP_TOKEN", app), ("SLACK_SIGNING_SECRET", secret)):
        if value and not re.fullmatch(r"[\x21-\x7e]+", value):
            found.append(f"{name}: has characters that it cannot have (blanks, line ends).")
    return found + wrong_addresses(given, "slack_api_url", "voipbin_api_url")


def _voipbin(given: dict[str, str]) -> "list[str]":
    key, user, password = (given.get(f"voipbin_{name}", "") for name in ("access_key", "username", "password"))
    found = []
    if key and (user or password):
        found.append("VOIPBIN_ACCESS_KEY and VOIPBIN_USERNAME/VOIPBIN_PASSWORD are both set: use one credential.")
    elif not key and not (user and password):
        found.append("VOIPBIN_ACCESS_KEY, or both VOIPBIN_USERNAME and VOIPBIN_PASSWORD, are missing.")
    if key and not re.fullmatch(_ACCESS_KEY, key):
        found.append("VOIPBIN_ACCESS_KEY: has characters that no access key has (blanks, semicolons), or is too long.")
    return found


def _beside_accounts(given: dict[str, str]) -> "list[str]":
    names = ("voipbin_access_key", "voipbin_username", "voipbin_password")
    there = [name.upper() for name in names if given.get(name)]
    return [f"{name}: {ACCOUNT}… is set, too: each account has its own credential there." for name in there]


def _network(given: dict[str, str]) -> "list[str]":
    found = [
        f"{name.upper()}: there is no file at that path."
        for name in ("slack_ca_file", "voipbin_ca_file")
        if given.get(name) and not os.path.isfile(given[name])  # noqa: PTH113 # as above
    ]
    proxy = given.get("https_proxy", "")
    parts = _parts(proxy)
    if proxy and not (parts and parts.scheme == "http" and parts.hostname and parts.path in {"", "/"}):
        found.append("HTTPS_PROXY: an address like http://proxy.example.com:3128.")
    return found


def wrong_addresses(given: Mapping[str, str], *names: str) -> "list[str]":
    """Return what is wrong with the addresses of these names: a secret is sent to them."""
    found = []
    for name in names:
        url = given.get(name, "")
        parts = _parts(url)
        local = parts is not None and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if url and not (parts and parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local))):
            found.append(f"{name.upper()}: an https:// address (http:// only on this machine).")
        elif parts and (parts.username or parts.password or parts.query):
            found.append(f"{name.upper()}: no credential and no query belong into it.")
    return found


def _parts(url: str) -> SplitResult | None:
    """Return its parts; ``None`` when it can be no address: the error for that would print it."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if port != 0 else None


def without_surprises() -> None:
    """Forget variables that would change Bolt behind our back: with these two it drops the bot token for OAuth.

    https://docs.slack.dev/tools/bolt-python/concepts/authenticating-oauth
    """
    for name in _FORGOTTEN:
        os.environ.pop(name, None)


def from_environment(build: Callable[[], T]) -> T:
    """Return the settings that this builds, as the environment and ``.env`` have them. Raises ``Misconfigured``."""
    try:
        return build()
    except Misconfigured as wrong:
        raise Misconfigured(*wrong.mistakes, *(line for line in unread(Settings) if "mean" in line)) from None
    except UnicodeDecodeError:
        raise Misconfigured(".env: is not UTF-8 text.") from None
    except SettingsError:
        raise Misconfigured(
            "VOIPBIN_ACCOUNT: nobody reads it. An account is VOIPBIN_ACCOUNT__<name>__ACCESS_KEY."
        ) from None
    except OSError as trouble:
        raise Misconfigured(f".env: cannot be read ({type(trouble).__name__}).") from None


def unread(settings: type[BaseSettings]) -> Iterator[str]:
    """Yield a line for each variable that looks like one of ours and that nobody reads, with what may be meant."""
    known = [name.upper() for name in settings.model_fields]
    given = {name.upper() for name in (*os.environ, *DotEnvSettingsSource(settings).env_vars)}
    for name in sorted(given.difference(known, _FORGOTTEN)):
        if name.startswith(ACCOUNT) and name.count("__") > 1:
            continue  # what is wrong there ends the start
        if name.startswith(_OURS):
            meant = get_close_matches(name, known, n=1, cutoff=_ALIKE)
            yield f"{name}: nobody reads it.{f' Did you mean {meant[0]}?' if meant else ''}"
