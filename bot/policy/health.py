"""Check whether there is a policy, and whether it is the file's."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from bot.activeflows.health import Finding, State
from bot.activeflows.operators import Policy
from bot.policy.active_policy import PolicyInForce

_ABOUT: Final = "policy"


async def in_force(policy: PolicyInForce, accounts: Sequence[str] = ("",)) -> Finding:
    """How many grants are in force, and why the file as it is now is not. ``accounts``: as the settings have them."""
    count = sum(any(grant in policy.policy().of(name).grants for name in accounts) for grant in policy.policy().grants)
    grants = len(policy.policy().grants)
    counted = "1 grant" if grants == 1 else f"{grants} grants"
    if policy.blind:
        until = "nobody can stop any more" if policy.suspended else "soon nobody can stop any more"
        what = f"the file was replaced outside, and the bot sees only the old one: {until}"
        then = "Mount its folder instead of the file, and restart the bot."
        return Finding(_ABOUT, State.BROKEN, what, then, disabling=policy.suspended)
    if policy.trouble:
        mistakes = f"{policy.trouble[0]}" + (f" (and {len(policy.trouble) - 1} more)" if policy.trouble[1:] else "")
        what = f"the file is broken, the last good one stays in force ({counted}). {mistakes}"
        return Finding(_ABOUT, State.WARNING, what, "Repair the file: flows-bot policy check lists every mistake.")
    if not grants:
        why = "grants nothing" if policy.watched else "is not set"
        return Finding(_ABOUT, State.BROKEN, f"FLOWS_BOT_POLICY {why}: nobody can do anything", "Write a policy file.")
    if trouble := strange_accounts(policy.policy(), accounts):
        then = "Name the accounts as VOIPBIN_ACCOUNT__<name>__… does: what names none, or another one, counts for none."
        return Finding(_ABOUT, State.WARNING, f"{count} of {counted} in force. {trouble}", then)
    return Finding(_ABOUT, State.OK, f"{counted} in force")


def strange_accounts(policy: Policy, accounts: Sequence[str]) -> str:
    """What of the policy counts for none of these accounts; empty when all of it does."""
    said = []
    for name in sorted(policy.names() - set(accounts)):
        near = get_close_matches(name, [known for known in accounts if known], n=1)
        said.append(f"The settings have no account {name}.{f' Did you mean {near[0]}?' if near else ''}")
    if [*accounts] != [""]:
        unset = [f"grant {grant.number}" for grant in policy.grants if grant.accounts is None]
        unset += [f"alert {number}" for number, rule in enumerate(policy.alerts, 1) if rule.accounts is None]
        said += [f"No accounts are named in {', '.join(unset)}."] if unset else []
    return " ".join(said)
