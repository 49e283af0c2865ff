"""Callers that send half a header each, and come again whenever they are shut out: a process of its own, for `attack`.

    python -m tests.load.callers CONNECTIONS PORT

Up until its input ends. It prints how many came once all have come, and at the end how often they came in all.
"""

import asyncio
import resource
import sys
from contextlib import suppress

HALF = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: application/x-www-form-urlenc"


async def call(connections: int, port: int) -> None:
    """From this machine to this machine."""
    came, all_came, over = 0, asyncio.Event(), asyncio.Event()

    async def one() -> None:
        nonlocal came
        while not over.is_set():
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(HALF)
                came += 1
                if came >= connections:
                    all_came.set()
                await reader.read()
                writer.close()
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(connections)]
        await all_came.wait()
        print(came, flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)
        over.set()
        for task in tasks:
            task.cancel()
    print(came, flush=True)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(call(int(sys.argv[1]), int(sys.argv[2])))
