"""Which VoIPBIN account a line is about."""

import pytest

from bot.slack.grammar.table import NoAccount, read_account

ACCOUNTS = ("prod", "staging")


@pytest.mark.parametrize(
    ("line", "account", "rest"),
    [
        ("list", "", "list"),
        ("", "", ""),
        ("account:staging list", "staging", "list"),
        ("stop 1234 account:prod it loops", "prod", "stop 1234 it loops"),
        ('stop 1234 "it  loops" account:prod', "prod", 'stop 1234 "it loops"'),
        ("list Account=STAGING older:10m", "staging", "list older:10m"),
        ("list --account=prod", "prod", "list"),
        ("list account：staging", "staging", "list"),
        ('list account:"staging"', "staging", "list"),
        ("list account:prod account:prod", "prod", "list"),
        ("account:prod", "prod", ""),
        ('find "account:prod"', "", 'find "account:prod"'),
        ("find my account", "", "find my account"),
        ('list flow:"account:prod"', "", 'list flow:"account:prod"'),
        ("list action:queue_join", "", "list action:queue_join"),
    ],
)
def test_it_is_said_by_a_word_of_its_own_wherever_it_stands(line: str, account: str, rest: str) -> None:
    assert read_account(line, ACCOUNTS) == (account, rest)


@pytest.mark.parametrize(
    ("line", "meant", "rest"),
    [
        ("list account:stagin", "staging", "list"),
        ("list account:PRODUCTION", "prod", ""),
        ("list account:nowhere", "prod", ""),
        ("list acount:staging", "staging", "list"),
        ("list accounts:staging", "staging", "list"),
        ("list acct:staging", "staging", "list"),
        ("list account: staging", "prod", ""),
        ("stop 1234 account:prod account:staging", "prod", ""),
    ],
)
def test_what_is_no_account_is_never_read_as_anything_else(line: str, meant: str, rest: str) -> None:
    with pytest.raises(NoAccount) as refused:
        read_account(line, ACCOUNTS)
    assert (refused.value.meant, refused.value.refusal.suggestion) == (meant, rest)
