"""Share files in the thread of a message. https://docs.slack.dev/messaging/working-with-files#uploading_files"""

from collections.abc import Mapping
from copy import copy

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.web_client import error_word

log = structlog.get_logger(__name__)


class Files:
    """Uploads them."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._account = ""

    def of(self, account: str) -> "Files":
        """Return the same, whose names begin with this VoIPBIN account."""
        other = copy(self)
        other._account = account  # noqa: SLF001 — of one's own kind
        return other

    async def share(self, channel_id: str, thread_ts: str, texts: Mapping[str, str]) -> str:
        """Share files; returns Slack's word for why they are not there, ``lost`` without an answer; empty: everybody
        there has them.
        """
        whose = f"{self._account}-" if self._account else ""
        uploads = [{"filename": f"{whose}{name}", "content": text} for name, text in texts.items()]
        try:
            await self._client.files_upload_v2(file_uploads=uploads, channel=channel_id, thread_ts=thread_ts)
        except SlackApiError as refused:
            log.warning("slack_refused", method="files", error=error_word(refused))
            return error_word(refused)
        except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as lost:
            log.warning("slack_did_not_answer", method="files", error=type(lost).__name__)
            return "lost"
        return ""
