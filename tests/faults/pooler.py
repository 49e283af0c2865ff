"""PgBouncer in transaction mode before the real PostgreSQL: each transaction may get another connection."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.ports import free_port

_STARTS_WITHIN = 10.0


def program() -> str | None:
    """Debian has it outside of a person's path."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def pooled(url: str, folder: Path) -> Iterator[str]:
    """The URL of the same database through PgBouncer, with three connections for everybody.

    https://www.pgbouncer.org/config.html
    """
    server, port = make_url(url), free_port()
    folder.chmod(0o755)
    sockets = Path(str(server.query["host"]))
    place = f"host={sockets} dbname={server.database} user={server.username}"
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\npooled = {place}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        "pool_mode = transaction\ndefault_pool_size = 3\nauth_type = any\nunix_socket_dir =\nserver_round_robin = 1\n",
        encoding="utf-8",
    )
    config.chmod(0o644)
    as_owner = ["-u", sockets.owner()] if os.geteuid() == 0 else []  # it refuses to run as root
    command = [str(program()), *as_owner, str(config)]
    with (folder / "pgbouncer.log").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            _until_it_listens(process, port)
            yield f"postgresql://{server.username}@127.0.0.1:{port}/pooled"
        finally:
            process.kill()


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("PgBouncer did not start")
