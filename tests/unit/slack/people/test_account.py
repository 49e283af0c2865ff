"""Who somebody is in a user object of Slack's: the ids, the workspaces, and the standing where the app is installed."""

from typing import Any

import pytest

from bot.activeflows.operators import Standing
from bot.slack.people.identity import SlackAccount, account_of
from bot.slack.people.installation import Installation

HOME = Installation("T0HOME", "U0BOT", "B0BOT", enterprise_id="E0ORG")


def user(**more: Any) -> dict[str, Any]:
    return {"id": "U0DUAL", "team_id": "T0HOME", **more}


def grid(*teams: str, id_: str = "W0DUAL") -> dict[str, Any]:
    return {"id": id_, "enterprise_id": "E0ORG", "teams": list(teams)}


@pytest.mark.parametrize(
    ("described", "standing"),
    [
        (user(), Standing.MEMBER),
        (user(is_restricted=True), Standing.GUEST),
        (user(is_ultra_restricted=True), Standing.GUEST),
        (user(is_bot=True), Standing.BOT),
        (user(deleted=True, is_bot=True), Standing.DEACTIVATED),
        (user(is_stranger=True), Standing.STRANGER),
        (user(team_id="T0OTHER"), Standing.STRANGER),
        (user(team_id=None), Standing.STRANGER),
        (user(team_id="T0SALES", enterprise_user=grid("T0SALES")), Standing.NEIGHBOUR),
        (user(team_id="T0SALES", enterprise_user=grid("T0SALES", "T0HOME")), Standing.MEMBER),
        (user(team_id="E0ORG", enterprise_user=grid("T0HOME")), Standing.MEMBER),
        (user(team_id="E0ORG", enterprise_user=grid()), Standing.NEIGHBOUR),
        (user(team_id="T0SALES", teams=["T0SALES", "T0HOME"]), Standing.MEMBER),
        (user(team_id="T0SALES", enterprise_user=grid("T0HOME"), is_restricted=True), Standing.GUEST),
        (user(team_id="T0SALES", enterprise_user=grid(), is_restricted=True), Standing.NEIGHBOUR),
        (user(team_id=7, teams="T0HOME", enterprise_user=["T0HOME"]), Standing.STRANGER),
    ],
)
def test_members_are_those_of_the_workspace_where_the_app_is_installed(
    described: dict[str, Any], standing: Standing
) -> None:
    assert account_of(described, "U0DUAL").standing_in(HOME) is standing


@pytest.mark.parametrize(
    ("team", "standing"),
    [
        ("", Standing.MEMBER),
        ("T0HOME", Standing.MEMBER),
        ("T0SALES", Standing.MEMBER),
        ("E0ORG", Standing.MEMBER),
        ("T0OTHER", Standing.NEIGHBOUR),
    ],
)
def test_a_payload_that_names_a_team_the_person_is_not_in_is_not_believed(team: str, standing: Standing) -> None:
    account = account_of(user(team_id="T0SALES", enterprise_user=grid("T0SALES", "T0HOME")), "U0DUAL")
    assert account.standing_in(HOME, team) is standing


@pytest.mark.parametrize("asked", ["U0DUAL", "W0DUAL"])
def test_one_person_may_have_two_ids(asked: str) -> None:
    assert account_of(user(enterprise_user=grid("T0HOME")), asked).ids == {"U0DUAL", "W0DUAL"}


def test_an_answer_about_somebody_else_is_none() -> None:
    with pytest.raises(ValueError, match="somebody else"):
        account_of(user(enterprise_user=grid("T0HOME")), "U0ALICE")


def test_who_is_not_known_to_slack_has_no_standing() -> None:
    assert SlackAccount().standing_in(HOME) is None
