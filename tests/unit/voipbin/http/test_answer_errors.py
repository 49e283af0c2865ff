"""Every answer that is no success means one thing, and shows nothing that VoIPBIN wrote freely."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.errors import (
    AccountFrozen,
    CredentialRejected,
    Failure,
    PaymentDue,
    StateConflict,
    VoIPBINBroken,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.voipbin.http.answer import FailureKind, RequestFailure, failure_of

SENT = "flows-bot-0123456789abcdef0123"


def envelope(reason: object, *, request_id: object = "req_ABC", status: str = "X", details: object = None) -> bytes:
    error = {"status": status, "reason": reason, "message": "Mrs Example +15550100001", "request_id": request_id}
    return json.dumps({"error": error if details is None else {**error, "details": details}}).encode()


REASONS: list[tuple[int, str, FailureKind, type[Failure], bool]] = [
    # HTTP, reason, what it means, how a person is told, is it certain that nothing was done
    (400, "INVALID_ID", FailureKind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_REQUEST_PARAMETER", FailureKind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_ARGUMENT", FailureKind.HICCUP, VoIPBINBroken, False),
    (400, "INVALID_JSON_BODY", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_VARIABLES", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_WEBHOOK_URI", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_WEBHOOK_METHOD", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ACTION_TYPE", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ANONYMOUS_VALUE", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "MISSING_REQUEST_PARAMETER", FailureKind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_RESOURCE_TYPE", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ACTIVEFLOW_ID", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_CALL_ID", FailureKind.UNCLASSIFIED, VoIPBINBroken, False),
    (401, "AUTHENTICATION_REQUIRED", FailureKind.CREDENTIAL, CredentialRejected, True),
    (401, "INVALID_CREDENTIALS", FailureKind.CREDENTIAL, CredentialRejected, True),
    (402, "PAYMENT_REQUIRED", FailureKind.UNPAID, PaymentDue, True),
    (403, "PERMISSION_DENIED", FailureKind.FORBIDDEN, CredentialRejected, True),
    (403, "ACCOUNT_FROZEN", FailureKind.FROZEN, AccountFrozen, True),
    (403, "DIRECT_ACCESS_NOT_SUPPORTED", FailureKind.FORBIDDEN, CredentialRejected, True),
    (403, "AGENT_AUTH_REQUIRED", FailureKind.FORBIDDEN, CredentialRejected, True),
    *[
        (404, f"{what}_NOT_FOUND", FailureKind.ABSENT, VoIPBINBroken, True)
        for what in ("ACTIVEFLOW", "FLOW", "CALL", "CUSTOMER", "ACCESSKEY", "AGENT", "RESOURCE")
    ],
    (404, "ROUTE_NOT_FOUND", FailureKind.REFUSED, VoIPBINBroken, True),
    (409, "STATE_INVALID", FailureKind.GONE, StateConflict, True),
    (409, "ACTIVEFLOW_ALREADY_STOPPED", FailureKind.CONFLICT, StateConflict, True),
    (409, "FLOW_STATE_INVALID", FailureKind.CONFLICT, StateConflict, True),
    (429, "RATE_LIMIT_EXCEEDED", FailureKind.THROTTLED, VoIPBINBusy, True),
    (500, "INTERNAL", FailureKind.INTERNAL, VoIPBINBroken, False),
    (503, "REQUEST_TIMEOUT", FailureKind.UNAVAILABLE, VoIPBINUnreachable, False),
    (503, "REQUEST_CANCELED", FailureKind.UNAVAILABLE, VoIPBINUnreachable, False),
    (503, "SERVICE_UNAVAILABLE", FailureKind.UNAVAILABLE, VoIPBINUnreachable, False),
]


@pytest.mark.parametrize(("status", "reason", "kind", "failure", "nothing_done"), REASONS)
def test_each_reason_means_one_thing(
    status: int, reason: str, kind: FailureKind, failure: type[Failure], nothing_done: bool
) -> None:
    trouble = failure_of(status, {}, envelope(reason), sent_as=SENT)
    assert trouble.kind is kind
    assert trouble.before_any_work is nothing_done
    told = trouble.failure()
    assert type(told) is failure
    assert told.what.startswith(f"VoIPBIN answered {status} {reason}")
    assert told.request_id == "req_ABC"


@pytest.mark.parametrize(
    ("status", "kind", "nothing_done"),
    [
        (301, FailureKind.REFUSED, True),
        (307, FailureKind.REFUSED, True),
        (400, FailureKind.UNCLASSIFIED, False),
        (401, FailureKind.CREDENTIAL, True),
        (403, FailureKind.FORBIDDEN, True),
        (404, FailureKind.REFUSED, True),
        (405, FailureKind.REFUSED, True),
        (408, FailureKind.UNAVAILABLE, False),
        (409, FailureKind.CONFLICT, True),
        (410, FailureKind.GONE, True),
        (418, FailureKind.UNCLASSIFIED, False),
        (429, FailureKind.THROTTLED, True),
        (500, FailureKind.INTERNAL, False),
        (502, FailureKind.UNAVAILABLE, False),
        (504, FailureKind.UNAVAILABLE, False),
        (520, FailureKind.UNCLASSIFIED, False),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html><h1>Bad gateway</h1></html>", b'{"message":"x"}', b'{"error":"x"}', b"[]"]
)
def test_without_an_envelope_the_status_alone_decides(
    status: int, kind: FailureKind, nothing_done: bool, body: bytes
) -> None:
    trouble = failure_of(status, {"content-type": "text/html"}, body, sent_as=SENT)
    assert trouble.kind is kind
    assert trouble.before_any_work is nothing_done
    assert trouble.request_id == SENT


def test_an_unknown_reason_falls_back_on_the_status() -> None:
    assert failure_of(404, {}, envelope("PARCEL_NOT_FOUND"), sent_as=SENT).kind is FailureKind.ABSENT
    assert failure_of(503, {}, envelope("ON_HOLIDAY"), sent_as=SENT).kind is FailureKind.UNAVAILABLE


def test_an_envelope_labelled_as_text_is_read_all_the_same() -> None:
    trouble = failure_of(400, {"content-type": "text/plain"}, envelope("INVALID_ARGUMENT"), sent_as=SENT)
    assert trouble.kind is FailureKind.HICCUP


def test_the_message_is_never_shown() -> None:
    for status, reason, *_ in REASONS:
        assert "Example" not in repr(failure_of(status, {}, envelope(reason), sent_as=SENT))


@pytest.mark.parametrize(
    ("body_id", "header_id", "expected"),
    [
        ("req_ABC", "hdr", "req_ABC"),
        (None, "hdr-1", "hdr-1"),
        ("two words", "hdr", "hdr"),
        ("x" * 65, None, SENT),
        (7, "<script>", SENT),
        (None, None, SENT),
    ],
)
def test_the_request_id_is_the_bodys_else_the_headers_else_ours(
    body_id: object, header_id: str | None, expected: str
) -> None:
    headers = {} if header_id is None else {"x-request-id": header_id}
    assert failure_of(500, headers, envelope("INTERNAL", request_id=body_id), sent_as=SENT).request_id == expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 1.0), ("1", 1.0), ("0", 0.0), ("7", 7.0), ("86400", 30.0), ("nan", 1.0), ("soon", 1.0), ("-3", 1.0)],
)
def test_a_429_says_how_long_to_wait_within_reason(header: str | None, seconds: float) -> None:
    headers = {} if header is None else {"retry-after": header}
    told = failure_of(429, headers, envelope("RATE_LIMIT_EXCEEDED"), sent_as=SENT).failure()
    assert isinstance(told, VoIPBINBusy)
    assert told.retry_after == seconds


def test_a_frozen_account_is_told_with_its_dates() -> None:
    details = [{"deletion_scheduled_at": "2026-08-01T09:00:00Z", "deletion_effective_at": "2026-08-31T09:00:00Z"}]
    told = failure_of(403, {}, envelope("ACCOUNT_FROZEN", details=details), sent_as=SENT).failure()
    assert "2026-08-01" in told.what
    assert "2026-08-31" in told.what


@pytest.mark.parametrize(
    "details", [None, [], {}, "x", [3], [{"deletion_scheduled_at": 5}], [{"deletion_effective_at": None}]]
)
def test_a_frozen_account_without_dates_is_told_all_the_same(details: object) -> None:
    told = failure_of(403, {}, envelope("ACCOUNT_FROZEN", details=details), sent_as=SENT).failure()
    assert told.what.endswith("frozen")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "reason", "details"]), inner),
    max_leaves=8,
)


@given(st.integers(100, 599), st.binary(max_size=80) | JSON.map(lambda found: json.dumps({"error": found}).encode()))
def test_no_answer_raises(status: int, body: bytes) -> None:
    trouble = failure_of(status, {"retry-after": "x", "x-request-id": "?"}, body, sent_as=SENT)
    assert isinstance(trouble, RequestFailure)
    assert isinstance(trouble.failure(), Failure)
    assert len(trouble.what) < 250


def test_a_body_of_megabytes_is_not_searched_for_an_envelope() -> None:
    body = envelope("ACTIVEFLOW_NOT_FOUND") + b" " * 100_000
    assert failure_of(404, {}, body, sent_as=SENT).kind is FailureKind.REFUSED
