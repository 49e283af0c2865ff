"""The small workspace of the simulated Slack's own tests."""

from tests.unit.demo.conftest import slack

__all__ = ["slack"]
