"""Tests a running server with the published client `boltz-api`: every method, sync and async, strictly validated and as raw JSON.

Reads MORTISE_URL, MORTISE_ADMIN_KEY, MORTISE_FOREIGN_KEY (an admin key of another organization) and MORTISE_LIMITED_KEY (an admin key
without permissions). Exits with an error at the first answer that differs from
the client's documentation.
"""

import asyncio
import inspect
import json
import os
import re
import urllib.request
from datetime import datetime, timedelta, timezone

import boltz_api
from boltz_api import AsyncBoltz, Boltz

URL = os.environ["MORTISE_URL"]
ADMIN = os.environ["MORTISE_ADMIN_KEY"]
FOREIGN = os.environ["MORTISE_FOREIGN_KEY"]
LIMITED = os.environ["MORTISE_LIMITED_KEY"]

KEY = {"id", "allowed_ips", "created_at", "expires_at", "is_active", "key_prefix", "key_type", "last_used_at", "livemode", "name", "workspace_id"}
WORKSPACE = {"id", "archived_at", "created_at", "data_retention", "is_default", "name", "updated_at"}
PAGE = {"data", "first_id", "last_id", "has_more"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


async def done(value):
    """Returns the result of a call of the sync or the async client."""
    return await value if inspect.isawaitable(value) else value


async def everything(pager):
    """Returns all items of a list, over all its pages."""
    if hasattr(pager, "__aiter__"):
        return [item async for item in pager]
    return list(pager)


async def refused(error, code, method, *arguments, **named):
    """Returns the body of a refusal. The client must not have retried the call."""
    try:
        await done(method(*arguments, **named))
    except error as refusal:
        body = refusal.body
        assert set(body) <= {"code", "message", "details"} and body["message"] and body["code"] == code, body
        assert refusal.request.headers["x-stainless-retry-count"] == "0", "the client repeated a request in vain"
        assert refusal.response.headers["x-should-retry"] == "false"
        return body
    raise AssertionError(f"{error.__name__} was expected")


async def raw(call):
    """Returns the raw JSON of an answer and the parsed answer."""
    response = await done(call)
    assert response.status_code == 200 and response.headers["content-type"] == "application/json", response
    assert response.headers["cache-control"] == "no-store"
    return json.loads(response.http_response.content), await done(response.parse())


def check_times(value, *nullable):
    for name in ("created_at", "expires_at", "last_used_at", "archived_at", "updated_at"):
        if name in value and not (value[name] is None and name in nullable):
            assert TIME.match(value[name]), value


def verdict(token, **asked):
    """Returns the verdict of the native API for a token."""
    body = json.dumps({"token": token, **asked}).encode()
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}/v1/verify", body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["code"]


def is_key(value):
    assert set(value) == KEY, value
    check_times(value, "expires_at", "last_used_at")


def is_workspace(value):
    assert set(value) == WORKSPACE, value
    check_times(value, "archived_at")
    assert set(value["data_retention"]) == {"unit", "value"}


async def identity(client, other):
    value, me = await raw(client.auth.with_raw_response.me())
    assert me.key_type == "admin" and me.principal_type == "api_key" and me.mode == "live" and me.workspace_id is None
    assert value["workspace_id"] is None and me.organization_id == me.selected_organization_id
    workspace = await done(client.admin.workspaces.create(name="Identity"))
    for mode in ("live", "test"):
        made = await done(client.admin.api_keys.create(name="me", workspace_id=workspace.id, mode=mode))
        own = await done(other(made.key).auth.me())
        assert own.key_type == "workspace" and own.workspace_id == workspace.id and own.mode == mode
        assert own.api_key_id == made.key_details.id and own.organization_id == me.organization_id
        # A workspace key cannot manage keys, not even itself.
        limited = other(made.key)
        await refused(boltz_api.PermissionDeniedError, "forbidden", limited.admin.api_keys.revoke, made.key_details.id)
        await refused(boltz_api.PermissionDeniedError, "forbidden", limited.admin.workspaces.create, name="x")
        await done(client.admin.api_keys.revoke(made.key_details.id))
        await refused(boltz_api.AuthenticationError, "unauthorized", limited.auth.me)


async def keys(client, foreign):
    value, made = await raw(client.admin.api_keys.with_raw_response.create(name="plain"))
    assert set(value) == {"key", "key_details"} and made.key.startswith("mks_live_")
    is_key(value["key_details"])
    details = made.key_details
    assert details.key_type == "workspace" and details.workspace_id and details.livemode and details.is_active
    assert details.expires_at is None and details.last_used_at is None and details.allowed_ips == []
    assert details.key_prefix == made.key[:12] and details.name == "plain"
    assert abs(details.created_at - datetime.now(timezone.utc)) < timedelta(minutes=5)
    assert verdict(made.key) == "valid"

    # Names need not be unique, and every character of a name is kept.
    name = "Grün & 名 /%+ ~" + "x" * 200
    same_name = [await done(client.admin.api_keys.create(name=name)) for _ in range(2)]
    assert same_name[0].key_details.name == name and same_name[0].key != same_name[1].key

    bound = await done(
        client.admin.api_keys.create(name="bound", allowed_ips=["192.0.2.7", "2001:DB8::/32"], mode="test", expires_in_days=30)
    )
    assert bound.key_details.allowed_ips == ["192.0.2.7", "2001:db8::/32"] and not bound.key_details.livemode
    assert bound.key_details.expires_at - bound.key_details.created_at == timedelta(days=30)
    assert verdict(bound.key, address="192.0.2.7") == "valid"
    assert verdict(bound.key, address="192.0.2.8") == verdict(bound.key) == "wrong_address"
    assert verdict(bound.key, address="192.0.2.7", mode="live") == "wrong_mode"

    # A repeated request with the same Idempotency-Key returns the same key. The client never sends this header by itself.
    again = {"Idempotency-Key": f"once-{made.key_details.id}"}
    first = await done(client.admin.api_keys.create(name="once", extra_headers=again))
    second = await done(client.admin.api_keys.create(name="once", extra_headers=again))
    assert first.key == second.key and first.key_details == second.key_details

    for bad in (
        {"name": ""}, {"name": "x" * 256}, {"name": "x\0"}, {"name": 1}, {"name": "x", "expires_in_days": 0},
        {"name": "x", "expires_in_days": 366}, {"name": "x", "expires_in_days": 1.5}, {"name": "x", "expires_in_days": "30"},
        {"name": "x", "expires_in_days": True}, {"name": "x", "mode": "both"}, {"name": "x", "allowed_ips": ["localhost"]},
        {"name": "x", "allowed_ips": "192.0.2.7"}, {"name": "x", "extra_body": {"unheard": 1}},
    ):
        body = await refused(boltz_api.BadRequestError, "VALIDATION_ERROR", client.admin.api_keys.create, **bad)
        assert body["details"], body
    for unknown in ("ws_" + "0" * 32, "ws_", "default"):
        await refused(boltz_api.NotFoundError, "not_found", client.admin.api_keys.create, name="x", workspace_id=unknown)

    # A key of another organization looks unknown and is not changed.
    theirs = await done(foreign.admin.api_keys.create(name="theirs"))
    missing = [theirs.key_details.id, details.id[:-1] + ("0" if details.id[-1] != "0" else "1"), "api_key_x", "%2F", "a/b", "\0"]
    bodies = [await refused(boltz_api.NotFoundError, "not_found", client.admin.api_keys.revoke, id) for id in missing]
    assert all(body == bodies[0] for body in bodies)
    assert (await done(foreign.admin.api_keys.list(limit=1))).data[0].is_active
    await refused(boltz_api.NotFoundError, "not_found", client.admin.api_keys.list, workspace_id=theirs.key_details.workspace_id)

    for _ in range(2):
        value, ended = await raw(client.admin.api_keys.with_raw_response.revoke(details.id))
        is_key(value)
        assert ended.id == details.id and not ended.is_active
    assert verdict(made.key) == "revoked"


async def key_pages(client):
    workspaces = [await done(client.admin.workspaces.create(name=f"Pages {n}")) for n in range(3)]
    made = []
    for n in range(12):
        key = await done(client.admin.api_keys.create(name=f"page {n}", workspace_id=workspaces[n % 3].id))
        made.insert(0, key.key_details.id)
    # A revoked key stays in the list and still serves as a cursor.
    await done(client.admin.api_keys.revoke(made[5]))
    for limit in (1, 5, 100):
        listed = [key.id for key in await everything(client.admin.api_keys.list(limit=limit))]
        assert listed[:12] == made and len(set(listed)) == len(listed), limit
    value, page = await raw(client.admin.api_keys.with_raw_response.list(limit=4))
    assert set(value) == PAGE and [key["id"] for key in value["data"]] == made[:4]
    assert value["first_id"] == made[0] and value["last_id"] == made[3] and value["has_more"] is True
    for key in value["data"]:
        is_key(key)
    listed = await everything(client.admin.api_keys.list(limit=100))
    admin = [key for key in listed if key.key_type == "admin"]
    assert admin and all(key.workspace_id is None and key.id.startswith("api_key_00000000") for key in admin)

    after = [key.id for key in await everything(client.admin.api_keys.list(limit=2, after_id=made[5]))]
    assert after[:6] == made[6:]
    # Backward paging returns the last page first, and each page has the list's order.
    before = [key.id for key in await everything(client.admin.api_keys.list(limit=2, before_id=made[5]))]
    assert before == [made[3], made[4], made[1], made[2], made[0]]
    between = [key.id for key in await everything(client.admin.api_keys.list(limit=2, before_id=made[7], after_id=made[2]))]
    assert between == [made[5], made[6], made[3], made[4]]
    empty = await done(client.admin.api_keys.list(before_id=made[0]))
    assert empty.data == [] and empty.first_id is None and empty.last_id is None and empty.has_more is False

    own = [key.id for key in await everything(client.admin.api_keys.list(limit=1, workspace_id=workspaces[1].id))]
    assert own == [id for n, id in enumerate(made) if (11 - n) % 3 == 1]
    own = [key.id for key in await everything(client.admin.api_keys.list(limit=1, workspace_id=workspaces[1].id, before_id=own[2]))]
    assert own == [id for n, id in enumerate(made) if (11 - n) % 3 == 1][1::-1]

    for bad in ({"limit": 0}, {"limit": 101}, {"limit": 1.5}, {"limit": "x"}, {"after_id": "x"}, {"before_id": "api_key_" + "0" * 40},
                {"after_id": "\0"}, {"extra_query": {"unheard": 1}}):
        body = await refused(boltz_api.BadRequestError, "VALIDATION_ERROR", client.admin.api_keys.list, **bad)
        assert set(body["details"]) <= {"limit", "after_id", "before_id", "unheard"}, body


async def workspaces(client, foreign):
    value, plain = await raw(client.admin.workspaces.with_raw_response.create())
    is_workspace(value)
    assert value["name"] is None and value["archived_at"] is None and not plain.is_default
    assert (plain.data_retention.unit, plain.data_retention.value) == ("days", 7)
    # The tag makes the name different from the names of the client that ran before.
    tag = os.urandom(4).hex()
    name = f"Zürich {tag} %_"
    named = await done(client.admin.workspaces.create(name=name, data_retention={"unit": "hours", "value": 336}))
    assert named.name == name and named.data_retention.value == 336
    duplicate = await done(client.admin.workspaces.create(name=name))
    assert duplicate.id != named.id
    again = {"Idempotency-Key": f"once-{named.id}"}
    first = await done(client.admin.workspaces.create(name="Once", extra_headers=again))
    assert first == await done(client.admin.workspaces.create(name="Once", extra_headers=again))

    value, read = await raw(client.admin.workspaces.with_raw_response.retrieve(named.id))
    is_workspace(value)
    assert read.model_dump() == named.model_dump()
    value, same = await raw(client.admin.workspaces.with_raw_response.update(named.id))
    is_workspace(value)
    assert same.model_dump() == named.model_dump()
    changed = await done(client.admin.workspaces.update(named.id, data_retention={"unit": "days", "value": 14}))
    assert changed.name == named.name and changed.data_retention.unit == "days" and changed.updated_at > named.updated_at
    cleared = await done(client.admin.workspaces.update(named.id, name=None))
    assert cleared.name is None and cleared.data_retention == changed.data_retention
    assert (await done(client.admin.workspaces.update(named.id, name=name.upper() + "b"))).name == name.upper() + "b"

    listed = await everything(client.admin.workspaces.list(name=name.lower()))
    assert [w.id for w in listed] == [duplicate.id, named.id]
    assert await everything(client.admin.workspaces.list(name=name[1:])) == []
    assert await everything(client.admin.workspaces.list(name=name.replace("%", "_"))) == []
    everyone = await everything(client.admin.workspaces.list())
    assert sum(w.is_default for w in everyone) == 1
    ids = [w.id for w in everyone]
    assert [w.id for w in await everything(client.admin.workspaces.list(limit=1))] == ids
    middle = len(ids) // 2
    assert [w.id for w in await everything(client.admin.workspaces.list(limit=2, after_id=ids[middle]))] == ids[middle + 1:]
    backwards = [w.id for w in await everything(client.admin.workspaces.list(limit=1, before_id=ids[middle]))]
    assert backwards == ids[:middle][::-1]
    value, page = await raw(client.admin.workspaces.with_raw_response.list(limit=2))
    assert set(value) == PAGE and value["has_more"] is True and page.first_id == ids[0] and page.last_id == ids[1]

    key = await done(client.admin.api_keys.create(name="ends", workspace_id=duplicate.id))
    for _ in range(2):
        value, archived = await raw(client.admin.workspaces.with_raw_response.archive(duplicate.id))
        is_workspace(value)
        assert archived.archived_at is not None and archived.id == duplicate.id
    assert verdict(key.key) == "workspace_unavailable"
    [ended] = await everything(client.admin.api_keys.list(workspace_id=duplicate.id))
    assert ended.id == key.key_details.id and not ended.is_active
    assert duplicate.id in [w.id for w in await everything(client.admin.workspaces.list())]
    await refused(boltz_api.ConflictError, "conflict", client.admin.api_keys.create, name="x", workspace_id=duplicate.id)
    [default] = [w.id for w in everyone if w.is_default]
    await refused(boltz_api.ConflictError, "conflict", client.admin.workspaces.archive, default)

    for bad in (
        {"name": ""}, {"name": "x" * 256}, {"name": "\0"}, {"data_retention": {"unit": "days", "value": 15}},
        {"data_retention": {"unit": "hours", "value": 337}}, {"data_retention": {"unit": "hours", "value": 0}},
        {"data_retention": {"unit": "weeks", "value": 1}}, {"data_retention": {"unit": "days"}}, {"data_retention": 7},
        {"spending_limit": {"limit": {"amount": 1, "currency": "MILLI_USD"}, "type": "lifetime"}},
    ):
        await refused(boltz_api.BadRequestError, "VALIDATION_ERROR", client.admin.workspaces.create, **bad)
    theirs = await done(foreign.admin.workspaces.create(name="theirs"))
    for unknown in (theirs.id, "ws_" + "0" * 32, "default", "%2F", "\0"):
        for call in (client.admin.workspaces.retrieve, client.admin.workspaces.update, client.admin.workspaces.archive):
            await refused(boltz_api.NotFoundError, "not_found", call, unknown)
    assert (await done(foreign.admin.workspaces.retrieve(theirs.id))).archived_at is None


async def absent(client):
    limits, unknown = client.admin.workspaces, "ws_" + "0" * 32
    body = await refused(boltz_api.NotFoundError, "not_found", limits.retrieve_spending_limit, unknown)
    assert "pending" in body["message"]
    limit = {"amount": 1, "currency": "MILLI_USD"}
    await refused(boltz_api.NotFoundError, "not_found", limits.set_spending_limit, unknown, limit=limit, type="lifetime")
    window = {"starting_at": "2026-01-01T00:00:00Z", "ending_at": "2026-01-02T00:00:00Z", "window_size": "DAY"}
    await refused(boltz_api.NotFoundError, "not_found", client.admin.usage.list, **window)


async def credentials(other):
    for wrong in ("junk", ADMIN[:-1] + ("0" if ADMIN[-1] != "0" else "1"), "Bearer " + ADMIN):
        await refused(boltz_api.AuthenticationError, "unauthorized", other(wrong).admin.api_keys.list)
    limited = other(LIMITED)
    await refused(boltz_api.PermissionDeniedError, "forbidden", limited.admin.api_keys.list)
    await refused(boltz_api.PermissionDeniedError, "forbidden", limited.admin.api_keys.create, name="x")
    await refused(boltz_api.PermissionDeniedError, "forbidden", limited.admin.workspaces.create)
    assert (await done(limited.auth.me())).key_type == "admin"


async def main():
    for make in (Boltz, AsyncBoltz):
        clients = []

        def other(key):
            # The client must handle a slash at the end of its base URL, so that no request has a double slash.
            clients.append(make(api_key=key, base_url=URL + "/", _strict_response_validation=True))
            return clients[-1]

        client, foreign = other(ADMIN), other(FOREIGN)
        await identity(client, other)
        await keys(client, foreign)
        await key_pages(client)
        await workspaces(client, foreign)
        await absent(client)
        await credentials(other)
        for used in clients:
            await done(used.close())
        print(f"{make.__name__}: all methods are as promised")


asyncio.run(main())
