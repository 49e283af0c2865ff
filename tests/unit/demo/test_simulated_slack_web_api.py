"""slack_sdk's own client meets the simulated Web API: what works, and each error code with its reason."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import Workspace, serving_slack
from bot.demo.slack.faults import delay, error, rate_limited, status
from bot.demo.slack.method import Limits
from bot.demo.slack.people import Channel

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Title"}, "blocks": [SECTION]}


@pytest.fixture
def workspace() -> Workspace:
    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice")
    slack.add_user("U0GUEST", "gus", is_restricted=True)
    slack.add_user("U0GONE", "gone", deleted=True)
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE"])
    slack.add_channel("C0OUT", "elsewhere", members=["U0ALICE"], bot_is_member=False)
    slack.add_channel("C0HID", "secret", members=["U0ALICE"], bot_is_member=False, is_private=True)
    slack.add_channel("C0OLD", "old", members=["U0ALICE"], is_archived=True)
    slack.add_group("S0ONCALL", "oncall", ["U0ALICE"])
    return slack


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[AsyncWebClient]:
    async with serving_slack(workspace) as api_url:
        yield AsyncWebClient(workspace.bot_token, base_url=api_url)


async def _refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_tokens_are_told_apart_and_never_written_down(workspace: Workspace, client: AsyncWebClient) -> None:
    url = client.base_url
    assert (await client.auth_test())["user_id"] == workspace.bot_user_id
    assert await _refusal(AsyncWebClient("", base_url=url).auth_test()) == "not_authed"
    assert await _refusal(AsyncWebClient("xoxb-wrong", base_url=url).auth_test()) == "invalid_auth"
    assert await _refusal(AsyncWebClient(workspace.app_token, base_url=url).auth_test()) == "not_allowed_token_type"
    assert (await client.auth_test(token=workspace.bot_token))["ok"]
    assert workspace.bot_token not in str(workspace.calls)


async def test_messages_are_posted_edited_linked_and_deleted(workspace: Workspace, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0OPS", text="one", blocks=[SECTION]))["ts"]
    sealed = workspace.message("C0OPS", ts).blocks[0]
    assert sealed["block_id"]
    await client.chat_update(channel="C0OPS", ts=ts, text="two", blocks=[])
    edited = workspace.message("C0OPS", ts)
    assert (edited.words, edited.blocks, edited.edited) == ("two", (), True)
    link = (await client.chat_getPermalink(channel="C0OPS", message_ts=ts))["permalink"]
    assert str(link).endswith("/archives/C0OPS/p" + ts.replace(".", ""))
    await client.chat_delete(channel="C0OPS", ts=ts)
    assert workspace.sees("U0ALICE", "C0OPS") == []


async def test_a_user_id_as_channel_is_a_direct_message(workspace: Workspace, client: AsyncWebClient) -> None:
    channel = (await client.chat_postMessage(channel="U0ALICE", text="psst"))["channel"]
    assert workspace.sees("U0ALICE", str(channel))[0].words == "psst"
    workspace.messages_tab_enabled = False
    assert await _refusal(client.chat_postMessage(channel="U0ALICE", text="psst")) == "messages_tab_disabled"


async def test_an_ephemeral_message_is_for_one_member_and_cannot_be_updated(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postEphemeral(channel="C0OPS", user="U0ALICE", text="psst"))["message_ts"]
    assert workspace.sees("U0ALICE", "C0OPS")[0].ephemeral_to == "U0ALICE"
    assert await _refusal(client.chat_update(channel="C0OPS", ts=ts, text="x")) == "message_not_found"
    refused = client.chat_postEphemeral(channel="C0OPS", user="U0GUEST", text="psst")
    assert await _refusal(refused) == "user_not_in_channel"


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ("C0OUT", "not_in_channel"),
        ("C0HID", "channel_not_found"),
        ("C0NO", "channel_not_found"),
        ("C0OLD", "is_archived"),
    ],
)
async def test_where_the_bot_may_not_write(client: AsyncWebClient, channel: str, code: str) -> None:
    assert await _refusal(client.chat_postMessage(channel=channel, text="x")) == code


async def test_content_that_slack_refuses(workspace: Workspace, client: AsyncWebClient) -> None:
    with pytest.warns(UserWarning, match="text"):
        assert await _refusal(client.chat_postMessage(channel="C0OPS")) == "no_text"
    long = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x", blocks=[long])
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == ["must be less than 151 characters [json-pointer:/blocks/0/text/text]"]
    theirs = workspace.post("C0OPS", "U0ALICE", "mine")
    assert await _refusal(client.chat_update(channel="C0OPS", ts=theirs.ts, text="x")) == "cant_update_message"
    own = (await client.chat_postMessage(channel="C0OPS", text="x"))["ts"]
    assert await _refusal(client.chat_update(channel="C0OPS", ts=own, text="x" * 4001)) == "msg_too_long"
    assert await _refusal(client.chat_update(channel="C0OPS", ts="1.0", text="x")) == "message_not_found"


async def test_a_trigger_opens_one_modal_within_three_seconds(workspace: Workspace, client: AsyncWebClient) -> None:
    trigger, late = workspace.triggers.give("U0ALICE"), workspace.triggers.give("U0ALICE")
    view = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]
    assert await _refusal(client.views_open(trigger_id=trigger, view=MODAL)) == "exchanged_trigger_id"
    after = workspace.now() + 3.1
    workspace.now = lambda: after
    assert await _refusal(client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"
    assert [v.id for v in workspace.views_of("U0ALICE")] == [view["id"]]


async def test_a_view_is_updated_only_over_the_hash_on_the_screen(workspace: Workspace, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=workspace.triggers.give("U0ALICE"), view=MODAL))["view"]
    other = MODAL | {"title": {"type": "plain_text", "text": "Other"}}
    await client.views_update(view_id=view["id"], hash=view["hash"], view=other)
    assert await _refusal(client.views_update(view_id=view["id"], hash=view["hash"], view=other)) == "hash_conflict"
    assert await _refusal(client.views_update(view_id="V0", view=other)) == "not_found"
    assert workspace.views_of("U0ALICE")[0].words.startswith("Other")
    bad = MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert await _refusal(client.views_update(view_id=view["id"], view=bad)) == "invalid_arguments"
    await client.views_publish(user_id="U0ALICE", view={"type": "home", "blocks": [SECTION]})
    assert workspace.home_of("U0ALICE") is not None


async def test_the_stack_of_modals_is_three_deep(workspace: Workspace, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=workspace.triggers.give("U0ALICE"), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=workspace.triggers.give("U0ALICE"), view=MODAL)
    refused = client.views_push(trigger_id=workspace.triggers.give("U0ALICE"), view=MODAL)
    assert await _refusal(refused) == "push_limit_reached"


async def test_people_groups_and_places_are_described(workspace: Workspace, client: AsyncWebClient) -> None:
    assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"] is True
    assert (await client.users_info(user="U0GONE"))["user"]["deleted"] is True
    assert await _refusal(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert (await client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U0ALICE"]
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == ["U0ALICE"]
    assert (await client.conversations_info(channel="C0OPS"))["channel"]["is_member"] is True
    assert await _refusal(client.conversations_info(channel="C0HID")) == "channel_not_found"
    assert (await client.bots_info(bot=workspace.bot_id))["bot"]["app_id"] == workspace.api_app_id


async def test_history_is_the_newest_first_without_replies_and_what_only_one_sees(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    about = {"event_type": "head", "event_payload": {"seq": 1}}
    first = await client.chat_postMessage(channel="C0OPS", text="first", metadata=about)
    await client.chat_postMessage(channel="C0OPS", text="below", thread_ts=first["ts"])
    await client.chat_postEphemeral(channel="C0OPS", user="U0ALICE", text="for Alice")
    workspace.post("C0OPS", "U0ALICE", "last")
    page = await client.conversations_history(channel="C0OPS", limit=1)
    assert ([m["text"] for m in page["messages"]], page["has_more"]) == (["last"], True)
    assert "bot_id" not in page["messages"][0]
    cursor = page["response_metadata"]["next_cursor"]
    page = await client.conversations_history(channel="C0OPS", cursor=cursor)
    (message,) = page["messages"]
    assert (message["user"], message["bot_id"], message["reply_count"]) == (
        workspace.bot_user_id,
        workspace.bot_id,
        1,
    )
    assert ("metadata" in message, page["has_more"], "response_metadata" in page.data) == (False, False, False)
    page = await client.conversations_history(channel="C0OPS", include_all_metadata=True)
    assert page["messages"][1]["metadata"] == about
    assert await _refusal(client.conversations_history(channel="C0OPS", limit=1000)) == "invalid_limit"
    assert await _refusal(client.conversations_history(channel="C0OPS", cursor="x")) == "invalid_cursor"
    workspace.add_channel("C0OUT", "outside", members=["U0ALICE"], bot_is_member=False)
    assert await _refusal(client.conversations_history(channel="C0OUT")) == "not_in_channel"
    assert await _refusal(client.conversations_history(channel="C0HID")) == "channel_not_found"
    workspace.scopes -= {"channels:history"}
    assert await _refusal(client.conversations_history(channel="C0OPS")) == "missing_scope"


async def test_members_come_page_by_page(workspace: Workspace, client: AsyncWebClient) -> None:
    workspace.channels["C0BIG"] = Channel("C0BIG", "big", members=[f"U{n}" for n in range(7)])
    found: list[str] = []
    cursor = ""
    while True:
        page = await client.conversations_members(channel="C0BIG", limit=3, cursor=cursor)
        found += page["members"]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert found == [f"U{n}" for n in range(7)]


async def test_people_and_channels_are_listed_page_by_page(workspace: Workspace, client: AsyncWebClient) -> None:
    workspace.channels["C0OLD"] = Channel("C0OLD", "old", is_archived=True)
    workspace.direct_channel("U0ALICE")
    found = [user["id"] async for page in await client.users_list(limit=1) for user in page["members"]]
    assert found == list(workspace.users)
    found = [channel["id"] async for page in await client.conversations_list(limit=1) for channel in page["channels"]]
    assert found == ["C0OPS", "C0OUT", "C0OLD"]
    both = await client.conversations_list(types="public_channel,private_channel", exclude_archived=True)
    assert [channel["id"] for channel in both["channels"]] == [
        "C0OPS",
        "C0OUT",
    ]  # a private one without the bot is not told
    assert await _refusal(client.conversations_list(types="channels")) == "invalid_types"
    workspace.scopes -= {"groups:read"}
    assert await _refusal(client.conversations_list(types="private_channel")) == "missing_scope"


async def test_a_missing_scope_names_the_scope(workspace: Workspace, client: AsyncWebClient) -> None:
    workspace.installs({"oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ALICE")
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "users:read", "chat:write")


async def test_the_limits_answer_429_with_the_seconds_to_wait(workspace: Workspace, client: AsyncWebClient) -> None:
    workspace.limits.burst = 1
    workspace.now = lambda: 1_800_000_000.25
    await client.chat_postMessage(channel="C0OPS", text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    workspace.now = lambda: 1_800_000_001.5
    await client.chat_postMessage(channel="C0OPS", text="x")
    assert len(workspace.sees("U0ALICE", "C0OPS")) == 2


async def test_faults_come_in_the_order_they_were_ordered(workspace: Workspace, client: AsyncWebClient) -> None:
    workspace.faults.on("auth.test", error("account_inactive"))
    workspace.faults.on("auth.test", rate_limited(7))
    workspace.faults.on("auth.test", delay(0.01))
    workspace.faults.on("auth.test", status(503))
    assert await _refusal(client.auth_test()) == "account_inactive"
    assert await _refusal(client.auth_test()) == "ratelimited"
    assert (await client.auth_test())["ok"]
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.status_code == 503
    assert [seen.status for seen in workspace.calls] == [200, 429, 200, 503]


async def test_an_unknown_method_is_named(client: AsyncWebClient) -> None:
    assert await _refusal(client.api_call("files.burn")) == "unknown_method"
    assert (await client.api_test(foo="bar"))["args"] == {"foo": "bar"}


@given(st.lists(st.integers(0, 120).map(lambda quarters: quarters / 4), max_size=60), st.integers(1, 5))
def test_no_minute_ever_holds_more_calls_than_its_tier(pauses: list[float], calls: int) -> None:
    clock = [0.0]
    limits = Limits(lambda: clock[0], enabled=True, a_minute={2: calls})
    passed: list[float] = []
    for pause in pauses:
        clock[0] += pause
        wait = limits.retry_after("usergroups.list")
        if wait is None:
            passed.append(clock[0])
        else:
            assert 1 <= wait <= 60
            assert sum(at > clock[0] + wait - 60 for at in passed) < calls, "after the wait there is room"
    for start in passed:
        assert sum(start <= at < start + 60 for at in passed) <= calls


async def test_files_are_uploaded_in_three_steps_and_shared_in_a_thread(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel="C0OPS", text="one"))["ts"]
    both = [
        {"content": "# One", "filename": "one.md"},
        {"content": "a,b", "filename": "one.csv", "title": "As a table"},
    ]
    answer = await client.files_upload_v2(file_uploads=both, channel="C0OPS", thread_ts=ts)
    assert [each["title"] for each in answer["files"]] == ["one.md", "As a table"]
    assert [upload.content for upload in workspace.uploads.values()] == [b"# One", b"a,b"]
    shared = workspace.sees("U0ALICE", "C0OPS")[-1]
    assert (shared.thread_ts, [file["name"] for file in shared.files]) == (ts, ["one.md", "one.csv"])


async def test_a_file_takes_its_scope_its_bytes_and_a_channel_the_bot_is_in(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    asked = await client.files_getUploadURLExternal(filename="one.md", length=5)
    unsent = [{"id": asked["file_id"]}]
    assert await _refusal(client.files_completeUploadExternal(files=unsent, channel_id="C0OPS")) == "file_not_found"
    refusal = client.files_upload_v2(content="# One", filename="one.md", channel="C0OUT")
    assert await _refusal(refusal) == "not_in_channel"
    workspace.scopes.discard("files:write")
    assert await _refusal(client.files_getUploadURLExternal(filename="one.md", length=5)) == "missing_scope"
