"""Track whether anything was said that somebody can see, for whoever waits to say that it takes long."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Hearing:
    """Whether anything visible was said since it began."""

    spoken: bool = False


_hearing: ContextVar[Hearing | None] = ContextVar("hearing", default=None)


@contextmanager
def hearing() -> Iterator[Hearing]:
    """Notice whether the work inside, and the tasks it starts, said anything that somebody could see."""
    ear = Hearing()
    token = _hearing.set(ear)
    try:
        yield ear
    finally:
        _hearing.reset(token)


def heard() -> bool:
    """Something was said that somebody can see."""
    ear = _hearing.get()
    if ear is not None:
        ear.spoken = True
    return True
