"""Look at every id in the policy file: does Slack or VoIPBIN know it? What is unknown is named with its line."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import Failure
from bot.activeflows.health import Finding, State
from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy
from bot.policy.file import policy_text
from bot.policy.written_ids import WrittenId, written_ids
from bot.slack import known_ids
from bot.voipbin import VoIPBINClient

ABOUT: Final = "policy ids"
_THEN: Final = "Correct them: what is granted to, in or for an unknown id is granted to nobody."


async def look(path: Path | None, client: AsyncWebClient, voipbin: Sequence[VoIPBINClient]) -> Finding:
    """``voipbin``: each account that can be asked."""
    if path is None:
        return Finding(ABOUT, State.OK, "there is no policy file")
    try:
        text = policy_text(path)
        parsed_policy(text, name=path.name)
    except Misconfigured:
        return Finding(ABOUT, State.WARNING, "cannot be read: the policy has mistakes", "Repair the file.")
    written = written_ids(text)
    flows, others = [one for one in written if "-" in one.id], [one.id for one in written if "-" not in one.id]
    wrong = {**await known_ids.troubles(client, others), **await _flows(flows, voipbin)}
    if not wrong:
        return Finding(ABOUT, State.OK, f"all {len(written)} are known")
    lines = [f"{path.name}:{one.line}: {one.id}: {wrong[one.id]}." for one in written if one.id in wrong]
    return Finding(ABOUT, State.WARNING, " ".join(lines), _THEN)


async def _flows(flows: Sequence[WrittenId], voipbin: Sequence[VoIPBINClient]) -> Mapping[str, str]:
    found = await asyncio.gather(*(_flow(one.id, voipbin) for one in flows))
    return {one.id: why for one, why in zip(flows, found, strict=True) if why}


async def _flow(flow_id: str, voipbin: Sequence[VoIPBINClient]) -> str:
    """A flow is some account's; which one the grant is for is not looked at."""
    why = "" if voipbin else "cannot be checked, VoIPBIN is not configured"
    for account in voipbin:
        try:
            if await account.flow(UUID(flow_id)):
                return ""
        except Failure as trouble:
            why = f"cannot be checked, {trouble.what}"
    return why or "VoIPBIN has no flow with this id"
