"""Creates the table and as many keys as the argument says, and prints the keys."""

import asyncio
import sys

from safe_keys.keys import engine, manager, store


async def main(count: int) -> None:
    """Creates the table and the keys."""
    await store.create_table(engine)
    for number in range(count):
        issued = await manager.issue(owner="default", name=f"key {number}", scopes=["read:orders"])
        print(issued.raw_key)
    await engine.dispose()


asyncio.run(main(int(sys.argv[1])))
