"""Read the command line: ``flows-bot run | demo | init | check | audit … | policy … | manifest | completion``; ``python
-m bot`` is the same.

Mistakes in the configuration are printed one per line, and end the program with status 2.
"""

import asyncio
import contextlib
import gc
import os
import runpy
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliImplicitFlag,
    CliPositionalArg,
    CliSettingsSource,
    CliSubCommand,
    CliToggleFlag,
    SettingsConfigDict,
)

from bot.misconfigured import Misconfigured
from bot.settings import Settings, from_environment, unread, without_surprises
from bot.terminal.audit import Audit
from bot.terminal.check import Check
from bot.terminal.init import Init
from bot.terminal.manifest import Manifest
from bot.terminal.policy import Policy

_YOUNG_OBJECTS: Final = 20_000
"""New objects between two looks for garbage among them. Python's 700 are a list of activeflows."""


def settled(_: object = None) -> None:
    """Never look again for garbage among what was loaded: each look would stop the bot, and every ack, for about 60
    ms.
    """
    gc.freeze()  # with the few dozen objects of garbage that a start leaves: to look for them takes 4 ms
    gc.set_threshold(_YOUNG_OBJECTS)


class Run(BaseModel):
    """Run the bot. Everything it needs stands in the environment, or in a .env file here."""

    async def cli_cmd(self) -> None:
        gc.disable()  # as in __main__
        import structlog  # noqa: PLC0415 — the whole bot; the other commands answer sooner

        from bot import logs, tracing  # noqa: PLC0415
        from bot.composition.background import until_told  # noqa: PLC0415
        from bot.composition.bootstrap import running  # noqa: PLC0415

        settled()
        gc.enable()
        settings = _settings()
        logs.configure(settings.flows_bot_log_format, settings.flows_bot_log_level)
        for line in unread(Settings):
            structlog.get_logger(__name__).warning("variable_not_read", what=line)
        with tracing.exporting(settings.otel_exporter_otlp_endpoint):
            await until_told(running(settings), settled)


class Demo(BaseModel):
    """Try the whole bot in a browser: no account, no tokens, no other program."""

    host: Annotated[str, Field(description="Address of the page; 0.0.0.0 is every one of this machine.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of the page; 0 picks a free one.")] = 0
    open: Annotated[CliImplicitFlag[bool], Field(description="Open the page in a browser.")] = True
    keep: Annotated[Path | None, Field(description="File for the ledger, which is kept.")] = None
    scenario: Annotated[str, Field(description="Play this scenario; `help` lists them.")] = ""
    headless: Annotated[CliToggleFlag[bool], Field(description="Play it without a page, say how it went, end.")] = False
    json_: Annotated[CliToggleFlag[bool], Field(alias="json", description="Say it as JSON.")] = False

    def cli_cmd(self) -> None:
        if find_spec("bot.demo") is None:
            raise Misconfigured("The demo is not in this installation: images leave it out.")
        # By name: the demo is a composition root above this one, and imports it.
        runpy.run_module("bot.demo", {"ASKED": self.model_dump(by_alias=True)}, run_name="__main__")


class Completion(BaseModel):
    """Print what teaches a shell to complete the words of flows-bot.

    For example: flows-bot completion bash > ~/.local/share/bash-completion/completions/flows-bot
    """

    shell: Annotated[CliPositionalArg[Literal["bash", "zsh", "fish"]], Field(description="Of which shell.")]

    def cli_cmd(self) -> None:
        import shtab  # noqa: PLC0415 — for this alone

        parser = CliSettingsSource[Any](cast("type[BaseSettings]", FlowsBot), cli_prog_name="flows-bot").root_parser
        print(shtab.complete(parser, self.shell))


class FlowsBot(BaseModel):
    """See and stop VoIPBIN activeflows from a Slack incident channel.

    Begin with: flows-bot demo. For a real workspace: flows-bot init, then flows-bot run.

    Ends with 0 when all is well, 1 when something is wrong, 2 when the configuration or what was typed is, 130 when it
    was interrupted.
    """

    model_config = SettingsConfigDict(cli_use_class_docs_for_groups=True)  # `--help` says what each command does

    version: Annotated[CliToggleFlag[bool], Field(description="Say which version this is.")] = False
    run: CliSubCommand[Run]
    demo: CliSubCommand[Demo]
    init: CliSubCommand[Init]
    check: CliSubCommand[Check]
    audit: CliSubCommand[Audit]
    policy: CliSubCommand[Policy]
    manifest: CliSubCommand[Manifest]
    completion: CliSubCommand[Completion]

    def cli_cmd(self) -> None:
        if self.version:
            print(f"flows-bot {version('flows-bot')}")
            return
        CliApp.run_subcommand(self)


def _settings() -> Settings:
    without_surprises()
    return from_environment(Settings)


def main(arguments: list[str] | None = None) -> None:
    """Run the program. Ends with 0, 1 (something is wrong), 2 (the configuration is), or 130 (interrupted)."""
    typed = arguments if arguments is not None else sys.argv[1:] or ["--help"]
    try:
        if typed == ["run"]:  # which has no options: nothing of the other commands is looked at
            asyncio.run(Run().cli_cmd())
        else:
            CliApp.run(FlowsBot, cli_args=typed)
    except Misconfigured as wrong:
        print(*wrong.mistakes, sep="\n", file=sys.stderr)
        sys.exit(2)
    except ValidationError as wrong:
        if wrong.title != "CliAppBaseSettings":  # not what was typed, but a bug of ours
            raise
        print(*(f"--{e['loc'][-1]}: {e['msg']}." for e in wrong.errors(include_input=False)), sep="\n", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # somebody reads only the head of an export
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        with contextlib.suppress(BrokenPipeError):
            sys.exit(130)
