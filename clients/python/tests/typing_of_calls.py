"""The types of the calls, which mypy checks. The ignored errors are errors: mypy refuses an ignore without one."""

from __future__ import annotations

from typing_extensions import assert_type

from mortise import KEEP, AsyncMortise, AsyncPages, Event, Identity, IssuedKey, Key, Mortise, Page, Pages, Verdict


def of_threads(client: Mortise) -> None:
    keys = client.service_keys("default")
    assert_type(client.verify("token", scopes=["read:a"]), Verdict)
    assert_type(client.me(), Identity)
    assert_type(keys.create("name", metadata={"a": [1]}), IssuedKey)
    assert_type(keys.list(), Pages[Key])
    assert_type(keys.list().page(), Page[Key])
    assert_type([event for event in keys.events("id")], list[Event])  # noqa: C416 - an iteration, not a conversion
    keys.update("id", description=None, name=KEEP)
    keys.delete("id")
    client.verify("token", scops=["read:a"])  # type: ignore[call-arg]
    client.verify(5)  # type: ignore[arg-type]
    keys.create("name", mode="production")  # type: ignore[arg-type]
    keys.update("id", name=None)  # type: ignore[arg-type]
    keys.list().items  # type: ignore[attr-defined]  # noqa: B018


async def of_tasks(client: AsyncMortise) -> None:
    keys = client.service_keys("default")
    assert_type(await client.verify("token", scopes=["read:a"]), Verdict)
    assert_type(await keys.create("name"), IssuedKey)
    assert_type(keys.list(), AsyncPages[Key])
    assert_type(await keys.list().page(), Page[Key])
    assert_type([event async for event in keys.events("id")], list[Event])
    client.me()  # type: ignore[unused-coroutine]
    await client.verify("token", scops=["read:a"])  # type: ignore[call-arg]
    for _ in keys.list():  # type: ignore[attr-defined]
        pass
