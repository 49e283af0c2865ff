"""The command line: ``flows-bot run | demo | check | audit verify | audit export``; ``python -m bot`` is the same.

Mistakes in the configuration are printed one per line, and end the program with status 2.
"""

import asyncio
import contextlib
import os
import runpy
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, CliApp, CliImplicitFlag, CliSubCommand, SettingsConfigDict
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.activeflows.errors import LedgerUnavailable
from bot.composition import running
from bot.ledger import audit
from bot.ledger.database import Database
from bot.misconfigured import Misconfigured
from bot.settings import Settings, from_environment, without_surprises


class Run(BaseModel):
    """Run the bot. Everything it needs stands in the environment, or in a .env file here."""

    async def cli_cmd(self) -> None:
        settings = _settings()
        logs.configure(settings.flows_bot_log_format, settings.flows_bot_log_level)
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with running(settings):
            await stop.wait()


class Demo(BaseModel):
    """Try the whole bot in a browser: no account, no tokens, no other program."""

    port: Annotated[int, Field(ge=0, le=65535, description="Port of the page; 0 picks a free one.")] = 0
    open: Annotated[CliImplicitFlag[bool], Field(description="Open the page in a browser.")] = True

    def cli_cmd(self) -> None:
        # By name: the demo is a composition root above this one, and imports it.
        runpy.run_module("bot.demo", {"PORT": self.port, "OPEN": self.open}, run_name="__main__")


class Check(BaseModel):
    """Is everything this bot needs working? Ends with status 1 when something is wrong."""

    async def cli_cmd(self) -> None:
        settings = _settings(port=0)
        logs.configure(settings.flows_bot_log_format, "WARNING")
        async with running(settings, only_checking=True) as bot:
            print(f"Slack: installed in workspace {bot.installation.team_id} {bot.installation.team}".rstrip())
            wrong = 0
            for name, check in bot.needs.items():
                why = await check()
                wrong += bool(why)
                print(f"{name}: {why or 'ok'}")
        sys.exit(1 if wrong else 0)


class Verify(BaseModel):
    """Walk the audit chain; say every record that was changed, removed or inserted. Status 1 if there is one."""

    async def cli_cmd(self) -> None:
        async with _ledger() as database:
            report = await database.within(audit.proof)
        for flaw in report.flaws:
            print(f"record {flaw.seq}: {flaw.why}")
        print(f"{report.count} records, {len(report.flaws)} flaws, newest receipt {report.newest or 'none'}")
        sys.exit(1 if report.flaws else 0)


class Export(BaseModel):
    """Print the audit, oldest first, one JSON object a line."""

    async def cli_cmd(self) -> None:
        async with _ledger() as database:
            for line in await database.within(lambda c: [audit.exported(row) for row in audit.chain(c)]):
                print(line)


class Audit(BaseModel):
    """What was asked, decided and stopped: the record."""

    verify: CliSubCommand[Verify]
    export: CliSubCommand[Export]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)


class FlowsBot(BaseModel):
    """See and stop VoIPBIN activeflows from a Slack incident channel."""

    run: CliSubCommand[Run]
    demo: CliSubCommand[Demo]
    check: CliSubCommand[Check]
    audit: CliSubCommand[Audit]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)


class _Database(BaseSettings):
    """The one setting that reading the audit needs."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)
    flows_bot_database_url: SecretStr = Settings.model_fields["flows_bot_database_url"].default


def _settings(*, port: int | None = None) -> Settings:
    without_surprises()
    return from_environment(Settings if port is None else lambda: Settings(flows_bot_port=port))


@asynccontextmanager
async def _ledger() -> AsyncIterator[Database]:
    """The ledger as it is: nothing is created, and a missing one is said."""
    logs.configure("console", "CRITICAL")  # what is wrong is said once, below
    url = from_environment(_Database).flows_bot_database_url.get_secret_value()
    if url.startswith("sqlite:///") and not os.path.exists(url.removeprefix("sqlite:///")):  # noqa: ASYNC240, PTH110 # before anything else runs
        raise Misconfigured(
            "FLOWS_BOT_DATABASE_URL: there is no ledger there; unset, it is flows-bot.db in this folder."
        )
    try:
        database = Database(url)
    except (SQLAlchemyError, ImportError):  # for other databases the driver is missing
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: begins with sqlite:/// or postgresql://.") from None
    try:
        yield database
    except LedgerUnavailable:
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be read, or has no ledger in it.") from None
    finally:
        await database.close()


def main(arguments: list[str] | None = None) -> None:
    """The program. Ends with 0, 1 (something is wrong), 2 (the configuration is), or 130 (interrupted)."""
    try:
        CliApp.run(FlowsBot, cli_args=arguments if arguments is not None else sys.argv[1:] or ["--help"])
    except Misconfigured as wrong:
        print(*wrong.mistakes, sep="\n", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # somebody reads only the head of an export
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        with contextlib.suppress(BrokenPipeError):
            sys.exit(130)


if __name__ == "__main__":
    main()
