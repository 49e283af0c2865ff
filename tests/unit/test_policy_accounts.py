"""What of a policy counts for which VoIPBIN account: unset is deny."""

import pytest

from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy
from bot.policy.active_policy import strange_accounts
from bot.policy.advice import advice

WHOLE = """
[account.prod]
channels = ["C0PROD"]
default = true

[account.staging]
channels = ["C0STAGING"]

[[grant]]
to = ["U0ALICE"]
may = ["view"]

[[grant]]
to = ["U0ALICE"]
may = ["view", "stop"]
accounts = ["prod", "staging"]

[[grant]]
to = ["U0ALICE"]
may = ["bulk"]
accounts = ["staging"]

[[alert]]
to = "C0PROD"

[[alert]]
to = "C0STAGING"
accounts = ["staging"]
"""


@pytest.mark.parametrize(
    ("account", "grants", "alerts"),
    [("", [1], ["C0PROD"]), ("prod", [2], []), ("staging", [2, 3], ["C0STAGING"]), ("x", [], [])],
)
def test_what_names_no_account_counts_for_the_only_one_alone(
    account: str, grants: list[int], alerts: list[str]
) -> None:
    policy = parsed_policy(WHOLE).of(account)
    assert [grant.number for grant in policy.grants] == grants
    assert [rule.to for rule in policy.alerts] == alerts


@pytest.mark.parametrize(("channel", "account"), [("C0STAGING", "staging"), ("C0PROD", "prod"), ("C0ELSE", "prod")])
def test_a_channel_has_its_account_or_the_default_one(channel: str, account: str) -> None:
    assert parsed_policy(WHOLE).account_in(channel) == account


def test_without_a_default_no_account_is_meant_elsewhere() -> None:
    assert parsed_policy(WHOLE.replace("default = true", "")).account_in("C0ELSE") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[account.a]\nchannels = ["C0A"]\n[account.b]\nchannels = ["C0A"]', "C0A is a channel of two accounts"),
        ("[account.a]\ndefault = true\n[account.b]\ndefault = true", "two accounts have default = true"),
        ("[account.Prod]", "must be the name of a VoIPBIN account"),
        ('[account.a]\nchannels = ["#incidents"]', "account, a, channels, entry 1 must be a channel id"),
        ("[account.a]\nmay = 1", "account, a, may is nothing that a policy can say"),
        ("account = 3", "account must be a table"),
        ('[[grant]]\nto = ["members"]\nmay = ["view"]\naccounts = []', "grant 1, accounts must not be empty"),
        ('[[alert]]\nto = "C0A"\naccounts = ["A"]', "alert 1, accounts, entry 1 must be the name of a VoIPBIN account"),
    ],
)
def test_what_leaves_a_doubt_is_a_mistake(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        parsed_policy(text)
    assert said in " ".join(wrong.value.mistakes)


def test_what_counts_for_no_account_is_said() -> None:
    policy = parsed_policy(WHOLE)
    assert strange_accounts(policy, ["prod", "staging"]) == "No accounts are named in grant 1, alert 1."
    assert strange_accounts(policy, ["prod", "stagin"]).startswith(
        "The settings have no account staging. Did you mean stagin?"
    )
    assert strange_accounts(policy, [""]) == "The settings have no account prod. The settings have no account staging."
    assert [line for line in advice(policy) if "account" in line] == [
        "grant 1 names no account, and counts for none of several",
        "alert 1 names no account, and counts for none of several",
    ]


def test_of_one_account_nothing_is_said() -> None:
    policy = parsed_policy('[[grant]]\nto = ["members"]\nmay = ["view"]')
    assert strange_accounts(policy, [""]) == ""
    assert advice(policy) == ()
    assert policy.of("") == policy
