"""Behind a proxy, and with certificates of one's own: Slack, response_urls, both sockets and VoIPBIN go the same
way.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from bot.network import Proxy
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.network import ConnectProxy, behind_tls
from tests.scenarios.program import Program
from tests.scenarios.typing_at import answers

SLACK, VOIPBIN = "slack.test", "voipbin.test"  # no resolver knows these


@dataclass
class Company:
    """What the settings of a bot in it say."""

    proxy: ConnectProxy
    slack_ca: Path
    voipbin_ca: Path
    slack_port: int
    voipbin_port: int
    expired_port: int

    def variables(self, **changes: str) -> Mapping[str, str]:
        return {
            "SLACK_API_URL": f"https://{SLACK}/api/",
            "SLACK_CA_FILE": str(self.slack_ca),
            "VOIPBIN_API_URL": f"https://{VOIPBIN}/v1.0",
            "VOIPBIN_CA_FILE": str(self.voipbin_ca),
            "HTTPS_PROXY": self.proxy.url,
            **changes,
        }


@pytest.fixture
async def company(stage: Stage, tmp_path: Path) -> AsyncIterator[Company]:
    for_slack, for_voipbin = trustme.CA(), trustme.CA()
    for_slack.cert_pem.write_to_path(str(tmp_path / "slack.pem"))
    for_voipbin.cert_pem.write_to_path(str(tmp_path / "voipbin.pem"))
    expired = for_voipbin.issue_cert("localhost", not_after=datetime(2026, 1, 1, tzinfo=UTC))
    settings = stage.settings()
    async with AsyncExitStack() as stack:
        slack_port, voipbin_port, expired_port = [
            await stack.enter_async_context(behind_tls(url, certificate))
            for url, certificate in (
                (settings.slack_api_url, for_slack.issue_cert(SLACK, "localhost")),
                (settings.voipbin_api_url, for_voipbin.issue_cert(VOIPBIN, "localhost")),
                (settings.voipbin_api_url, expired),
            )
        ]
        proxy = await stack.enter_async_context(ConnectProxy({SLACK: slack_port, VOIPBIN: voipbin_port}).serving())
        yield Company(proxy, tmp_path / "slack.pem", tmp_path / "voipbin.pem", slack_port, voipbin_port, expired_port)


async def test_everything_goes_through_the_proxy(stage: Stage, company: Company) -> None:
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="play")
    stage.slack.socket_mode = True
    stage.slack.url = f"https://{SLACK}"
    url = urlsplit(company.proxy.url)
    variables = {
        name.lower(): value
        for name, value in company.variables(HTTPS_PROXY=f"http://me:Zq7@{url.netloc}", NO_PROXY="example.com").items()
    }
    async with stage.start(**variables, slack_app_token=stage.slack.app_token, voipbin_events=True):
        listing = await answers(stage, "list", user=ALICE)
        assert "Support line" in listing.words
        await stage.slack.until(lambda: bool(stage.events.connected))
        await answers(stage, f"show {activeflow.id}", user=ALICE)
    assert set(company.proxy.asked) == {SLACK, VOIPBIN}
    assert all("proxy-authorization: basic " in head.lower() for head in company.proxy.heads)


async def test_what_the_environment_excepts_is_reached_directly(
    program: Program, enough: Mapping[str, str], company: Company
) -> None:
    direct = company.variables(
        SLACK_API_URL=f"https://localhost:{company.slack_port}/api/",
        VOIPBIN_API_URL=f"https://localhost:{company.voipbin_port}/v1.0",
        NO_PROXY="localhost",
    )
    ended = await program("check", **{**enough, **direct})
    assert ended.status == 0, ended
    assert company.proxy.asked == []


async def test_a_proxy_that_refuses_and_certificates_that_are_not_good_are_called_so(
    program: Program, enough: Mapping[str, str], company: Company
) -> None:
    refused = company.variables(SLACK_API_URL="https://other.test/api/", VOIPBIN_API_URL="https://other.test/v1.0")
    ended = await program("check", **{**enough, **refused})
    assert ended.status == 1
    assert any("VoIPBIN cannot be reached: the proxy refuses" in line for line in ended.out), ended
    assert any(line.startswith("WRONG   Slack: Slack did not answer") for line in ended.out), ended
    swapped = company.variables(SLACK_CA_FILE=str(company.voipbin_ca))
    expired = {"VOIPBIN_API_URL": f"https://localhost:{company.expired_port}/v1.0", "NO_PROXY": "localhost"}
    ended = await program("check", **{**enough, **swapped, **expired})
    assert ended.status == 1
    assert any("Slack was not asked: its certificate is not trusted" in line for line in ended.out), ended
    assert any("VoIPBIN's certificate has expired" in line for line in ended.out), ended


@pytest.mark.parametrize(
    ("address", "through"),
    [
        ("https://api.voipbin.net/v1.0", True),
        ("wss://api.voipbin.net/v1.0/ws", True),
        ("http://127.0.0.1:8080/v1.0", False),
        ("https://slack.com/api/", False),
        ("https://hooks.slack.com/commands/1", False),
        ("https://bot.internal:8443/", False),
        ("https://bot.internal/", True),
    ],
)
def test_no_proxy_is_read_as_elsewhere(address: str, through: bool) -> None:
    proxy = Proxy("http://proxy:3128", "slack.com, .slack.com,bot.internal:8443")
    assert (proxy.of(address) is not None) is through
