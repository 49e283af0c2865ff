"""Tell whether a mounted file is still the one that its name means outside.

Who mounts a single file into a container (``docker run -v ./policy.toml:/etc/…``) mounts what the name means at that moment.
An editor that writes a new file and gives it the old name is never seen in there: the old one stays. It then has no name any
more, or another one, and Linux says so: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
"""

import os
import re
from typing import BinaryIO, Final

_MOUNTS: Final = "/proc/self/mountinfo"
_DELETED: Final = "//deleted"
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def source_of(path: str) -> str:
    """What is mounted at this very path, by its name there; empty where nothing is, or where that cannot be known."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 # a file of the kernel's
            lines = file.read().splitlines()
    except OSError:  # not Linux
        return ""
    here = os.path.realpath(path)
    found = [fields[3] for fields in map(str.split, lines) if len(fields) > 4 and _plain(fields[4]) == here]
    return _plain(found[-1]) if found else ""


def replaced(file: BinaryIO, path: str, source: str) -> bool:
    """Has another file taken its name outside? ``source``: what ``source_of`` said when it was first looked at."""
    if os.fstat(file.fileno()).st_nlink == 0:
        return True
    now = source_of(path) if source else ""
    return now != source or now.endswith(_DELETED)


def _plain(word: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), word)
