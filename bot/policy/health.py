"""Check whether there is a policy, and whether it is the file's."""

from typing import Final

from bot.activeflows.health import Finding, State
from bot.policy.active_policy import PolicyInForce

_ABOUT: Final = "policy"


async def in_force(policy: PolicyInForce) -> Finding:
    """How many grants are in force, and why the file as it is now is not."""
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
    return Finding(_ABOUT, State.OK, f"{counted} in force")
