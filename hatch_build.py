"""Make of README.md what a package index can show: relative links lead nowhere there.

With a ``Source`` among the project's URLs they lead there; without one a link becomes its words, and a picture is left
out. https://hatch.pypa.io/latest/plugins/metadata-hook/custom/
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Sets the readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = str(metadata.get("urls", {}).get("Source", ""))
        metadata["readme"] = {"content-type": "text/markdown", "text": shown(text, source)}


def shown(text: str, source: str) -> str:
    """``source``: address of the repository, or ``""``."""

    def led(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if source:
            return f"{picture}[{words}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/main/{target})"
        return "" if picture else words

    return _LINK.sub(led, text)
