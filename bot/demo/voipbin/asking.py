"""What a request asks for: ids, page sizes and page tokens, read as leniently as VoIPBIN reads them."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.requests import Request

from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.state import ZERO

_CANONICAL = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ANY_FORM = re.compile(
    rf"(?:urn:uuid:)?({_CANONICAL}|[0-9a-f]{{32}})|\{{({_CANONICAL}|[0-9a-f]{{32}})\}}", re.IGNORECASE
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?Z?")


def parsed_id(text: str) -> UUID | None:
    """A UUID in any form the API accepts: upper case, braces, `urn:uuid:`, without dashes; surrounding blanks are not."""
    match = _ANY_FORM.fullmatch(text)
    return UUID((match[1] or match[2]).replace("-", "")) if match else None


def path_id(request: Request) -> UUID:
    """The `{id}` of the path; Refused 400 INVALID_ID for what is no UUID, and for the zero UUID."""
    found = parsed_id(request.path_params.get("id", ""))
    if found is None or found == ZERO:
        raise Refused(400, "INVALID_ID")
    return found


def page_size(request: Request, *, most: int) -> int:
    """100 unless a number from 1 to `most` is asked for; Refused 400 for what is no number."""
    asked = request.query_params.get("page_size")
    if asked is None:
        return 100
    if re.fullmatch(r"[+-]?\d+", asked, re.ASCII) is None:
        raise Refused(400, "INVALID_REQUEST_PARAMETER")
    return int(asked) if 1 <= int(asked) <= most else 100


def page_token(request: Request, default: datetime) -> datetime:
    """The cursor; nothing is validated before the database sees it, and this database refuses garbage with a 400."""
    asked = request.query_params.get("page_token", "")
    if not asked:
        return default
    match = _TIME.fullmatch(asked)
    if match is None:
        raise Refused(400, "INVALID_ARGUMENT")
    try:
        whole = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(400, "INVALID_ARGUMENT") from None
    return whole + timedelta(microseconds=int(f"{match[3] or '.0'}"[1:7].ljust(6, "0")))
