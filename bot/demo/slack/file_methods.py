"""files.*: uploading in three steps (https://docs.slack.dev/messaging/working-with-files#uploading_files)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.demo.slack.message_events import follow_post
from bot.demo.slack.messages import Upload
from bot.demo.slack.method import Arguments, Method, Refused, channel_for_posting

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


def get_upload_url(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Give an address that takes the bytes of one file, and the file's id."""
    filename, length = args.needed("filename"), args.number("length", 0)
    if not length:
        raise Refused("invalid_arguments", messages=["missing required field: length"])
    upload = Upload(f"F{uuid4().hex[:10].upper()}", uuid4().hex, filename, length)
    workspace.uploads[upload.id] = upload
    return {"upload_url": f"{workspace.url}/upload/v1/{upload.secret}", "file_id": upload.id}


async def receive(workspace: "Workspace", request: Request) -> Response:
    """Take the bytes; no token is asked for, the address is the secret."""
    secret, body = request.path_params["secret"], await request.body()
    upload = next((each for each in workspace.uploads.values() if each.secret == secret), None)
    if upload is None or len(body) != upload.length:
        return PlainTextResponse("upload refused", 404 if upload is None else 400)
    upload.content = body
    return PlainTextResponse(f"OK - {upload.length}")


def complete_upload(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Share uploaded files with a channel, or in a thread of it, as one message."""
    given = args.given.get("files")
    if not isinstance(given, list) or not given:
        raise Refused("invalid_arguments", messages=["missing required field: files"])
    uploads = [_uploaded(workspace, each) for each in given]
    files = [{"id": each.id, "name": each.name, "title": each.title, "size": each.length} for each in uploads]
    if args.text("channel_id"):
        channel = channel_for_posting(workspace, args.text("channel_id"))
        thread = args.text("thread_ts") or None
        text = args.text("initial_comment")
        message = workspace.post(channel.id, workspace.bot_user_id, text, thread_ts=thread, files=files)
        follow_post(workspace, message)
    return {"files": files}


def _uploaded(workspace: "Workspace", given: Any) -> Upload:
    upload = workspace.uploads.get(str(given.get("id"))) if isinstance(given, Mapping) else None
    if upload is None or upload.content is None:
        raise Refused("file_not_found")
    upload.title = str(given.get("title") or upload.name)
    return upload


_WRITE = frozenset({"files:write"})
METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, _WRITE),
    "files.completeUploadExternal": Method(complete_upload, _WRITE),
}
