"""A scene in lines to read, for who does not want JSON."""

from collections.abc import Iterator
from typing import Any


def told_of(report: dict[str, Any]) -> Iterator[str]:
    """What was done and said, what VoIPBIN received, and whether what must be true is."""
    yield report["line"]
    yield ""
    yield from (f"- {told}" for told in report["done"])
    yield ""
    for said in report["said"]:
        to = f" (only to {said['to']})" if said["to"] else ""
        yield f"#{said['in']} {said['by']}{to}:"
        yield from (f"    {line}" for line in said["words"].splitlines())
    stops = [seen for seen in report["asked"] if seen["path"].endswith("/stop")]
    yield ""
    yield f"VoIPBIN received {len(report['asked'])} requests, {len(stops)} of them to stop:"
    yield from (f"    {seen['method']} {seen['path']} {seen['status'] or 'no answer'}" for seen in stops)
    yield ""
    yield from (f"{'true ' if truth['held'] else 'FALSE'} {truth['told']}" for truth in report["must"])
