"""The bot shows who it is without showing its secrets, and renews a login in time."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.http.credential import AccessKey, AccessKeyCredential, Login, LoginCredential, end_of

BEGIN = datetime(2026, 8, 20, 12, tzinfo=UTC)
KEY = "vb_0123456789abcdefghijklmnopqrstuv"


def token(expire: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"expire": expire, "agent": {}}).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2lnbmF0dXJl"


class Office:
    """Where logins are made; ``lifetime`` None gives tokens that do not say when they end."""

    def __init__(self, lifetime: timedelta | None = timedelta(days=7)) -> None:
        self.now = BEGIN
        self.lifetime = lifetime
        self.logins = 0
        self.refuses = False
        self.open = asyncio.Event()
        self.open.set()

    async def sign_in(self) -> str:
        self.logins += 1
        await self.open.wait()
        if self.refuses:
            raise Unsuccessful(RequestFailure(FailureKind.LOGIN, "no"))
        end = None if self.lifetime is None else f"{self.now + self.lifetime:%Y-%m-%dT%H:%M:%S.%fZ}"
        return token(end) + f"-{self.logins}"

    def credential(self, pause: float = 0.0) -> LoginCredential:
        return LoginCredential(self.sign_in, now=lambda: self.now, pause=pause)


async def test_an_access_key_goes_into_a_cookie_and_into_the_address_only_when_asked_to() -> None:
    shown = await AccessKeyCredential(AccessKey(KEY)).show()
    assert shown.headers == {"Cookie": f"accesskey={KEY}"}
    assert shown.query == {}
    shown = await AccessKeyCredential(AccessKey(KEY, in_query=True)).show()
    assert shown.headers == {}
    assert shown.query == {"accesskey": KEY}


@pytest.mark.parametrize("key", ["", "vb_ä", "vb_1\r\nX-Evil: 1", "vb_1; token=x", "vb_1 ", "v" * 257])
def test_what_cannot_be_an_access_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="access key") as refusal:
        AccessKey(key)
    assert not key or key not in str(refusal.value)


async def test_no_secret_is_in_a_representation() -> None:
    office = Office()
    shown = await office.credential().show()
    key = AccessKeyCredential(AccessKey(KEY))
    for secretive in (AccessKey(KEY), Login("somebody@example.com", "hush"), shown, await key.show()):
        assert KEY not in repr(secretive)
        assert "hush" not in repr(secretive)
        assert "somebody" not in repr(secretive)
        assert "c2lnbmF0dXJl" not in repr(secretive)


async def test_all_who_need_a_token_at_once_share_one_login() -> None:
    office = Office()
    office.open.clear()
    credential = office.credential()
    asking = [asyncio.create_task(credential.show()) for _ in range(10)]
    await asyncio.sleep(0)
    office.open.set()
    assert len({shown.headers["Authorization"] for shown in await asyncio.gather(*asking)}) == 1
    assert office.logins == 1


async def test_a_token_is_renewed_before_its_own_end() -> None:
    office = Office()
    credential = office.credential()
    first = await credential.show()
    office.now = BEGIN + timedelta(days=6)
    assert await credential.show() is first
    office.now = BEGIN + timedelta(days=6, hours=8)
    assert await credential.show() is not first
    assert office.logins == 2


async def test_a_renewal_that_fails_keeps_the_token_that_is_still_good() -> None:
    office = Office()
    credential = office.credential()
    first = await credential.show()
    office.now, office.refuses = BEGIN + timedelta(days=6, hours=8), True
    assert await credential.show() is first


async def test_a_401_makes_one_new_login_for_all_who_met_it() -> None:
    office = Office()
    credential = office.credential()
    stale = await credential.show()
    assert credential.refused(stale)
    assert credential.refused(stale)
    new = await credential.show()
    assert credential.refused(stale)
    assert await credential.show() is new
    assert office.logins == 2


async def test_a_token_that_does_not_say_its_end_is_used_until_it_is_refused() -> None:
    office = Office(lifetime=None)
    credential = office.credential()
    first = await credential.show()
    office.now = BEGIN + timedelta(days=400)
    assert await credential.show() is first


async def test_a_refused_login_is_not_tried_again_at_once() -> None:
    office = Office()
    office.refuses = True
    credential = office.credential(pause=60)
    for _ in range(5):
        with pytest.raises(Unsuccessful):
            await credential.show()
    assert office.logins == 1


async def test_a_login_given_up_by_one_is_done_by_the_next() -> None:
    office = Office()
    office.open.clear()
    credential = office.credential()
    first, second = asyncio.create_task(credential.show()), asyncio.create_task(credential.show())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    office.open.set()
    assert (await second).headers["Authorization"].endswith("-2")


@pytest.mark.parametrize("bad", ["", "two words", "a\r\nb", "ü"])
async def test_what_is_no_token_is_never_sent(bad: str) -> None:
    async def sign_in() -> str:
        return bad

    with pytest.raises(Unsuccessful):
        await LoginCredential(sign_in, now=lambda: BEGIN, pause=0).show()


def test_the_end_is_read_from_the_claim_expire() -> None:
    assert end_of(token("2026-08-27T12:00:00.000000Z")) == BEGIN + timedelta(days=7)


@pytest.mark.parametrize("expire", [None, 1_788_000_000, "", "soon", ["x"]])
def test_a_claim_that_is_no_time_is_no_end(expire: object) -> None:
    assert end_of(token(expire)) is None


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: f"a.{base64.urlsafe_b64encode(raw).decode()}.c"))
def test_any_token_has_an_end_or_none(text: str) -> None:
    assert end_of(text) is None
