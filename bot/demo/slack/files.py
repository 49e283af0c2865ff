"""What is known of a file that the bot uploads."""

from dataclasses import dataclass


@dataclass
class Upload:
    """One file; `secret` ends the address that takes its bytes, `content` is None until they came."""

    id: str
    secret: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""
