"""A sandbox with a certificate of its own is believed when its authority is given, and only then."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.activeflows.errors import VoIPBINUnreachable
from bot.voipbin import AccessKey, connected
from tests.scenarios.voipbin.conftest import NO_WAITING

BODY = b'{"id":"b7d9a1f4-1c1e-4f0b-8a62-6f0b1f3e9d20","name":"Sandbox","webhook_secret":"hush"}'
IMPATIENT = replace(NO_WAITING, unavailable=())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    made = tmp_path / "sandbox.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sandbox"
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(made), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([openssl, *words.split(), *where], check=True, capture_output=True)
    made.write_text(made.read_text() + (tmp_path / "cert.pem").read_text())
    return made


@pytest.fixture
async def sandbox(certificate: Path) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await writer.drain()
        writer.close()

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1.0"


async def test_the_sandbox_is_believed_with_its_authority(sandbox: str, certificate: Path) -> None:
    async with connected(
        api_url=sandbox, credential=AccessKey("vb_1"), ca_file=certificate.parent / "cert.pem", patience=IMPATIENT
    ) as client:
        assert (await client.introduce()).name == "Sandbox"


async def test_without_it_the_certificate_is_named_as_the_reason(sandbox: str) -> None:
    async with connected(api_url=sandbox, credential=AccessKey("vb_1"), patience=IMPATIENT) as client:
        with pytest.raises(VoIPBINUnreachable, match="certificate is not trusted") as told:
            await client.introduce()
    assert told.value.__context__ is None
