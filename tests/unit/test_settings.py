"""The environment, read once: every mistake in one line, all of them at once, and never a value."""

import os
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.misconfigured import Misconfigured
from bot.settings import Settings, from_environment, unread, without_surprises
from bot.voipbin import AccessKey

ENOUGH = {
    "SLACK_BOT_TOKEN": "xoxb-1-made-up",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "VOIPBIN_ACCESS_KEY": "vb_made_up_key",
}
TWO_MODES = "SLACK_APP_TOKEN (Socket Mode, xapp-…) or SLACK_SIGNING_SECRET (HTTP mode) is missing."


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and none of our variables."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_")):
            monkeypatch.delenv(name)


def start(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    for name, value in {**ENOUGH, **changes}.items():
        monkeypatch.setenv(name, value)
    return from_environment(Settings)


def mistakes(monkeypatch: pytest.MonkeyPatch, **changes: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as wrong:
        start(monkeypatch, **changes)
    told = printed(wrong.value)
    for value in changes.values():
        assert len(value) < 4 or value not in told
    return wrong.value.mistakes


def printed(trouble: Exception) -> str:
    """What it and all it came from say in a log, without the lines of code: these name the folder the tests lie in."""
    told = traceback.TracebackException.from_exception(trouble)
    link: traceback.TracebackException | None = told
    while link:
        link.stack.clear()
        link = link.__cause__ or link.__context__
    return "".join(told.format())


def test_three_variables_are_enough_and_mean_http_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = start(monkeypatch)
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1-made-up"
    assert not settings.socket_mode
    assert settings.flows_bot_database_url.get_secret_value() == "sqlite:///flows-bot.db"
    assert (settings.flows_bot_command, settings.flows_bot_host, settings.flows_bot_port) == (
        "/flows",
        "127.0.0.1",
        3000,
    )
    assert settings.flows_bot_policy is None


def test_an_app_token_means_socket_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, SLACK_APP_TOKEN="xapp-1-made-up", SLACK_SIGNING_SECRET="").socket_mode


def test_an_empty_environment_is_told_everything_that_is_missing_at_once() -> None:
    with pytest.raises(Misconfigured) as wrong:
        from_environment(Settings)
    assert wrong.value.mistakes == (
        "SLACK_BOT_TOKEN is missing: the Bot User OAuth Token of the installed app (xoxb-…).",
        TWO_MODES,
        "VOIPBIN_ACCESS_KEY, or both VOIPBIN_USERNAME and VOIPBIN_PASSWORD, are missing.",
    )


HTTPS_ONLY = "an https:// address (http:// only on this machine)."
NO_FILE = "there is no file at that path."
UNFIT = "has characters that it cannot have (blanks, line ends)."
FORGETFUL = "needs a file of its own, or the audit is forgotten at each restart."


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-not-a-bot", "a bot token begins with xoxb-."),
        ("SLACK_BOT_TOKEN", "xoxb-with-a-line-end\n", UNFIT),
        ("SLACK_SIGNING_SECRET", "8f742231b10e 8888", UNFIT),
        ("SLACK_APP_TOKEN", "xoxb-the-wrong-one", "an app-level token begins with xapp-."),
        ("SLACK_API_URL", "http://slack.example.com/api/", HTTPS_ONLY),
        ("SLACK_API_URL", "ftp://127.0.0.1/api/", HTTPS_ONLY),
        ("SLACK_API_URL", "https://127.0.0.1:0/api/", HTTPS_ONLY),
        ("VOIPBIN_API_URL", "https://[fe80::secret/v1.0", HTTPS_ONLY),
        ("VOIPBIN_API_URL", "https://api.voipbin.net:443443/v1.0", HTTPS_ONLY),
        ("VOIPBIN_API_URL", "api.voipbin.net", HTTPS_ONLY),
        ("VOIPBIN_API_URL", "https://me:word@api.voipbin.net/v1.0", "no credential and no query belong into it."),
        ("VOIPBIN_API_URL", "https://api.voipbin.net/?accesskey=k", "no credential and no query belong into it."),
        (
            "VOIPBIN_ACCESS_KEY",
            "vb_one;two",
            "has characters that no access key has (blanks, semicolons), or is too long.",
        ),
        ("VOIPBIN_CA_FILE", "/nowhere/ca.pem", NO_FILE),
        ("VOIPBIN_REQUESTS_PER_SECOND", "0.000", "Input should be greater than 0."),
        ("FLOWS_BOT_POLICY", "/nowhere/policy.toml", NO_FILE),
        ("FLOWS_BOT_POLICY", "[[grant]] " * 600, NO_FILE),
        ("FLOWS_BOT_DATABASE_URL", "mysql://me:word@db/flows", "begins with sqlite:/// or postgresql://."),
        ("FLOWS_BOT_DATABASE_URL", "sqlite:///:memory:", FORGETFUL),
        ("FLOWS_BOT_DATABASE_URL", "sqlite:///", FORGETFUL),
        ("FLOWS_BOT_COMMAND", "flows", "begins with / and has 2 to 32 characters, lower case, no blanks."),
        ("FLOWS_BOT_COMMAND", "/Flows", "begins with / and has 2 to 32 characters, lower case, no blanks."),
        ("FLOWS_BOT_PORT", "70000", "Input should be less than or equal to 65535."),
        (
            "FLOWS_BOT_PORT",
            "the usual one",
            "Input should be a valid integer, unable to parse string as an integer.",
        ),
        ("FLOWS_BOT_LOG_FORMAT", "xml-rpc", "Input should be 'console' or 'json'."),
        ("FLOWS_BOT_LOG_LEVEL", "CHATTY", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
    ],
)
def test_each_mistake_is_one_line_with_the_variables_name_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    assert mistakes(monkeypatch, **{name: value}) == (f"{name}: {line}",)


def test_one_credential_is_enough_and_two_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"VOIPBIN_USERNAME": "bot@example.com", "VOIPBIN_PASSWORD": "made up"}
    both = "VOIPBIN_ACCESS_KEY and VOIPBIN_USERNAME/VOIPBIN_PASSWORD are both set: use one credential."
    assert mistakes(monkeypatch, **login) == (both,)
    assert start(monkeypatch, VOIPBIN_ACCESS_KEY="", **login).voipbin_password is not None
    neither = "VOIPBIN_ACCESS_KEY, or both VOIPBIN_USERNAME and VOIPBIN_PASSWORD, are missing."
    assert mistakes(monkeypatch, VOIPBIN_ACCESS_KEY="", VOIPBIN_PASSWORD="", VOIPBIN_USERNAME="bot@example.com") == (
        neither,
    )


def test_mistakes_of_every_kind_are_said_together(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "nonsense",
        "SLACK_SIGNING_SECRET": "",
        "VOIPBIN_API_URL": "gopher://",
        "FLOWS_BOT_PORT": "several",
    }
    names = [line.split(":")[0].split(" ")[0] for line in mistakes(monkeypatch, **wrong)]
    assert names == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "VOIPBIN_API_URL", "FLOWS_BOT_PORT"]


def test_http_on_this_machine_is_for_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = start(monkeypatch, SLACK_API_URL="http://127.0.0.1:9/api/", VOIPBIN_API_URL="http://localhost:9/v1.0")
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert start(monkeypatch, SLACK_API_URL="http://[::1]:9/api/").slack_api_url == "http://[::1]:9/api/"


def test_a_file_beside_the_process_is_read_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("FLOWS_BOT_COMMAND=/ivr\nFLOWS_BOT_PORT=1\nSOMETHING_ELSE=1\n", encoding="utf-8")
    settings = start(monkeypatch, FLOWS_BOT_PORT="2")
    assert (settings.flows_bot_command, settings.flows_bot_port) == ("/ivr", 2)


def test_a_file_beside_the_process_that_is_no_text_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(b"VOIPBIN_PASSWORD=\xff\xfe")
    assert mistakes(monkeypatch) == (".env: is not UTF-8 text.",)


def test_a_mistake_in_the_file_is_named_like_one_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SLACK_API_URL=http://intranet-secret.example/\n", encoding="utf-8")
    (line,) = mistakes(monkeypatch)
    assert line == f"SLACK_API_URL: {HTTPS_ONLY}"


def test_no_secret_and_no_user_name_is_in_the_words_of_settings_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"VOIPBIN_ACCESS_KEY": "", "VOIPBIN_USERNAME": "bot@example.com", "VOIPBIN_PASSWORD": "open sesame"}
    database = "postgresql://me:word@db/flows"
    settings = start(monkeypatch, SLACK_APP_TOKEN="xapp-1-made-up", FLOWS_BOT_DATABASE_URL=database, **login)
    assert settings.voipbin_username == "bot@example.com"
    for told in (repr(settings), str(settings)):
        for secret in (*ENOUGH.values(), "xapp-1-made-up", "bot@example.com", "open sesame", "me:word"):
            assert not secret or secret not in told


def test_slacks_oauth_variables_are_forgotten_before_bolt_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "made up")
    settings = start(monkeypatch)
    without_surprises()
    assert "SLACK_CLIENT_ID" not in os.environ
    assert "SLACK_CLIENT_SECRET" not in os.environ
    assert settings.slack_bot_token.get_secret_value() == ENOUGH["SLACK_BOT_TOKEN"]


KNOWN = st.sampled_from([name.upper() for name in Settings.model_fields])
MARKED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30).map(lambda t: f"{t}Zq7#secret")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KNOWN, MARKED, min_size=1, max_size=4))
def test_whatever_stands_in_the_variables_none_of_it_is_ever_repeated(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    with monkeypatch.context() as environment:
        told = outcome(environment, wrong)
    assert "Zq7" not in told


def outcome(environment: pytest.MonkeyPatch, changes: dict[str, str]) -> str:
    """What anybody could read of such a start: nothing when it works."""
    try:
        start(environment, **changes)
    except Misconfigured as trouble:
        return printed(trouble) + repr(trouble)
    return ""


# ---------------------------------------------------------------- quotes, slips of the keyboard, files


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("name", ["VOIPBIN_ACCESS_KEY", "SLACK_BOT_TOKEN", "FLOWS_BOT_DATABASE_URL", "FLOWS_BOT_PORT"])
def test_quotes_that_an_env_file_kept_are_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, name: str, quote: str
) -> None:
    line = f"{name}: has quotes around it that are part of the value here. Leave them out: not every env file takes them off."
    assert mistakes(monkeypatch, **{name: f"{quote}vb_made_up_key{quote}"}) == (line,)


@pytest.mark.parametrize("key", ["vb_one;two", "vb one", "vb_ö", 'vb_"x', "vb_one,two", "v" * 257])
def test_settings_and_the_credential_have_one_rule_for_a_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(ValueError, match="no access key has"):
        AccessKey(key)
    assert mistakes(monkeypatch, VOIPBIN_ACCESS_KEY=key)[0].startswith("VOIPBIN_ACCESS_KEY: ")


def test_a_misspelt_variable_is_named_beside_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    (missing, slip) = mistakes(monkeypatch, SLACK_BOT_TOKEN="", SLACK_BOT_TOKN="xoxb-1-made-up")
    assert missing.startswith("SLACK_BOT_TOKEN is missing")
    assert slip == "SLACK_BOT_TOKN: nobody reads it. Did you mean SLACK_BOT_TOKEN?"


def test_variables_that_nobody_reads_are_found_in_the_environment_and_in_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("FLOWS_BOT_POLCY=policy.toml\n", encoding="utf-8")
    start(monkeypatch, VOIPBIN_EVENT="false", SLACK_WEBHOOK="https://hooks.example/secret", OTHER="1")
    assert list(unread(Settings)) == [
        "FLOWS_BOT_POLCY: nobody reads it. Did you mean FLOWS_BOT_POLICY?",
        "SLACK_WEBHOOK: nobody reads it.",
        "VOIPBIN_EVENT: nobody reads it. Did you mean VOIPBIN_EVENTS?",
    ]


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "VOIPBIN_ACCESS_KEY"):
        (tmp_path / name).write_text(f"{ENOUGH[name]}\n", encoding="utf-8")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = start(monkeypatch, SLACK_BOT_TOKEN="", SLACK_SIGNING_SECRET="", VOIPBIN_ACCESS_KEY="")
    assert settings.slack_bot_token.get_secret_value() == ENOUGH["SLACK_BOT_TOKEN"]
    assert settings.slack_signing_secret is not None
    assert settings.voipbin_access_key is not None
    assert settings.voipbin_access_key.get_secret_value() == ENOUGH["VOIPBIN_ACCESS_KEY"]
    assert list(unread(Settings)) == []


def test_a_file_of_a_secret_that_cannot_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = {"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": str(tmp_path / "Zq7-nothing")}
    assert mistakes(monkeypatch, **gone) == ("SLACK_BOT_TOKEN_FILE: cannot be read (FileNotFoundError).",)


def test_a_secret_and_its_file_are_too_much(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-2-made-up", encoding="utf-8")
    both = "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: use one."
    assert mistakes(monkeypatch, SLACK_BOT_TOKEN_FILE=str(tmp_path / "token")) == (both,)


# ---------------------------------------------------------------- several accounts

TWO = {
    "VOIPBIN_ACCESS_KEY": "",
    "VOIPBIN_ACCOUNT__PROD__ACCESS_KEY": "vb_prod",
    "VOIPBIN_ACCOUNT__STAGING__USERNAME": "bot@example.com",
    "VOIPBIN_ACCOUNT__STAGING__PASSWORD": "made up",
}


def test_one_account_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    (account,) = start(monkeypatch).accounts.items()
    assert account[0] == ""
    assert account[1].access_key is not None
    assert account[1].events


def test_who_is_given_one_account_looks_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TWO, "VOIPBIN_ACCOUNT__QA__NOBODY": "x"}.items():
        monkeypatch.setenv(name, value)
    given = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "voipbin_access_key": "vb_demo"}
    settings = Settings(_env_file=None, voipbin_account=None, **given)  # type: ignore[arg-type, call-arg] # as the demo does
    assert list(settings.accounts) == [""]


def test_what_an_account_does_not_say_is_as_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {
        "VOIPBIN_ACCOUNT__STAGING__API_URL": "https://staging.example.com/v1.0",
        "VOIPBIN_ACCOUNT__PROD__EVENTS": "false",
    }
    accounts = start(monkeypatch, **TWO, **own, VOIPBIN_REQUESTS_PER_SECOND="4").accounts
    assert list(accounts) == ["prod", "staging"]
    assert [each.requests_per_second for each in accounts.values()] == [4, 4]
    assert [each.events for each in accounts.values()] == [False, True]
    assert [each.api_url for each in accounts.values()] == [
        "https://api.voipbin.net/v1.0",
        "https://staging.example.com/v1.0",
    ]
    assert accounts["staging"].access_key is None
    assert "vb_prod" not in repr(accounts)
    assert "made up" not in repr(accounts)


def test_an_accounts_key_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("vb_of_a_file\n")
    given = {
        **TWO,
        "VOIPBIN_ACCOUNT__PROD__ACCESS_KEY": "",
        "VOIPBIN_ACCOUNT__PROD__ACCESS_KEY_FILE": str(tmp_path / "key"),
    }
    key = start(monkeypatch, **given).accounts["prod"].access_key
    assert key is not None
    assert key.get_secret_value() == "vb_of_a_file"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"VOIPBIN_ACCESS_KEY": "vb_one"}, "VOIPBIN_ACCESS_KEY: VOIPBIN_ACCOUNT__… is set, too"),
        (
            {"VOIPBIN_ACCOUNT__PROD__ACCESS_KY": "a"},
            "VOIPBIN_ACCOUNT__PROD__ACCESS_KY: nobody reads it. Did you mean VOIPBIN_ACCOUNT__PROD__ACCESS_KEY?",
        ),
        ({"VOIPBIN_ACCOUNT__QA__API_URL": "https://a.example"}, "VOIPBIN_ACCOUNT__QA__ACCESS_KEY, or both"),
        ({"VOIPBIN_ACCOUNT__PROD__API_URL": "http://a.example"}, "VOIPBIN_ACCOUNT__PROD__API_URL: an https:// address"),
        (
            {"VOIPBIN_ACCOUNT__PROD__USERNAME": "me"},
            "VOIPBIN_ACCOUNT__PROD__ACCESS_KEY and VOIPBIN_ACCOUNT__PROD__USERNAME",
        ),
        ({"VOIPBIN_ACCOUNT__PROD__REQUESTS_PER_SECOND": "0"}, "VOIPBIN_ACCOUNT__PROD__REQUESTS_PER_SECOND: "),
        ({"VOIPBIN_ACCOUNT__PROD__CA_FILE": "/nowhere/ca.pem"}, "VOIPBIN_ACCOUNT__PROD__CA_FILE: there is no file"),
        ({"VOIPBIN_ACCOUNT__1ST__ACCESS_KEY": "a"}, "VOIPBIN_ACCOUNT__1ST: a name has"),
        ({"VOIPBIN_ACCOUNT": "prod"}, "VOIPBIN_ACCOUNT: nobody reads it."),
    ],
)
def test_a_mistake_about_an_account_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    (found,) = mistakes(monkeypatch, **{**TWO, **changes})
    assert found.startswith(said)
    assert "vb_" not in found
