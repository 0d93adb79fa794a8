"""Tests a running server with the published client `clerk-backend-api`: every method, sync and async, strictly validated and as raw JSON.

Reads MORTISE_URL, MORTISE_ADMIN_KEY, MORTISE_FOREIGN_KEY (an admin key of another organization), MORTISE_LIMITED_KEY (an admin key
without permissions) and MORTISE_WORKSPACE (the id of a second workspace). Exits with an error at the first answer that
differs from the client's documentation.
"""

import asyncio
import inspect
import json
import os
import secrets
import time

import httpx
from clerk_backend_api import Clerk, models
from clerk_backend_api.security.types import TokenVerificationError, TokenVerificationErrorReason, VerifyTokenOptions
from clerk_backend_api.security.verifytoken import verify_token

URL = os.environ["MORTISE_URL"]
ADMIN = os.environ["MORTISE_ADMIN_KEY"]
FOREIGN = os.environ["MORTISE_FOREIGN_KEY"]
LIMITED = os.environ["MORTISE_LIMITED_KEY"]
WORKSPACE = os.environ["MORTISE_WORKSPACE"]

KEY = {
    "object", "id", "type", "subject", "name", "description", "claims", "scopes", "revoked", "revocation_reason", "expired", "expiration",
    "created_by", "last_used_at", "created_at", "updated_at",
}
UNKNOWN = "ak_" + "0" * 32


def ids():
    """Returns the id of a new user and the id of a new organization."""
    return "user_" + secrets.token_hex(16)[:27], "org_" + secrets.token_hex(16)[:27]


class Client:
    """The sync or the async client. It calls methods by name, returns parsed answers and keeps the JSON of the last answer."""

    def __init__(self, key, base="/clerk/v1", asynchronous=False):
        self.suffix = "_async" if asynchronous else ""
        self.answers = []
        # HTTPX gives up after 5 seconds by default.
        keep = {"timeout": 600, "event_hooks": {"response": [self.keep_async if asynchronous else self.keep]}}
        http = {"async_client": httpx.AsyncClient(**keep)} if asynchronous else {"client": httpx.Client(**keep)}
        # The client is kept as a whole, because it closes its connections when it is garbage-collected.
        self.clerk = Clerk(bearer_auth=key, server_url=URL + base, **http)
        self.keys = self.clerk.api_keys

    def keep(self, response):
        response.read()
        self.answers.append(response)

    async def keep_async(self, response):
        await response.aread()
        self.answers.append(response)

    async def call(self, method, /, **parameters):
        value = getattr(self.keys, f"{method}{self.suffix}")(**parameters)
        value = await value if inspect.isawaitable(value) else value
        assert self.answers[-1].headers["content-type"] == "application/json"
        return value

    def json(self):
        return json.loads(self.answers[-1].content)

    async def refused(self, error, status, code, method, /, **parameters):
        """Asserts that a call is refused without a retry, with a typed error that has all members."""
        before = len(self.answers)
        try:
            await self.call(method, **parameters)
        except error as refusal:
            assert type(refusal) is error, f"{type(refusal)} in place of {error}"
            assert refusal.status_code == status, refusal
            errors = json.loads(refusal.body)["errors"]
            assert errors and all(e["message"] and e["long_message"] for e in errors), refusal.body
            assert errors[0]["code"] == code, refusal.body
            if error is not models.SDKError:
                assert refusal.data.errors[0].code == code and refusal.data.errors[0].long_message
            assert self.answers[-1].headers["content-type"] == "application/json"
            assert len(self.answers) == before + 1, "it was sent again"
            return errors[0]
        raise AssertionError(f"{method} was not refused")


def is_key(value, extra=frozenset()):
    assert set(value) == KEY | extra, set(value) ^ (KEY | extra)
    assert value["object"] == "api_key" and value["id"].startswith("ak_") and len(value["id"]) == 35, value
    for name in ("created_at", "updated_at", "expiration", "last_used_at"):
        if value[name] is not None:
            assert isinstance(value[name], int) and 1_600_000_000_000 < value[name], value


async def lives(client):
    user, organization = ids()
    made = await client.call("create_api_key", name="First key", subject=user)
    assert client.answers[-1].status_code == 201
    is_key(client.json(), {"secret"})
    assert made.secret.startswith("ak_live_") and made.subject == user and made.type == "api_key" and made.name == "First key"
    assert made.description is None and made.claims is None and made.scopes == [] and made.created_by is None
    assert not made.revoked and not made.expired and made.expiration is None and made.last_used_at is None
    assert abs(made.created_at - time.time() * 1000) < 300_000 and made.updated_at == made.created_at

    claims = {"planTier": "gold", "nested": {"A_b": [1, 2.5, None, True, "ü"]}}
    full = await client.call(
        "create_api_key", name="Second key", subject=user, type_="api_key", description="what for", claims=claims,
        scopes=["read", "read:users", "a b/c"], created_by=user, seconds_until_expiration=90.5,
    )
    assert client.json()["claims"] == claims and full.scopes == ["read", "read:users", "a b/c"] and full.created_by == user
    assert full.description == "what for" and full.expiration - full.created_at in (90_500, 90_499, 90_501)

    got = await client.call("get_api_key", api_key_id=made.id)
    is_key(client.json())
    assert got.id == made.id and got.name == "First key"
    assert (await client.call("get_api_key", api_key_id="api_key_" + made.id[3:].upper())).id == made.id

    verified = await client.call("verify_api_key", secret=made.secret)
    is_key(client.json())
    assert verified.id == made.id and not verified.revoked and not verified.expired

    changed = await client.call("update_api_key", api_key_id=full.id, description=None, claims=[1], scopes=["x"], seconds_until_expiration=None)
    is_key(client.json())
    assert changed.description is None and changed.claims == [1] and changed.scopes == ["x"] and changed.expiration is None
    sent = time.time() * 1000
    moved = await client.call("update_api_key", api_key_id=full.id, subject=organization, seconds_until_expiration=3600.0)
    assert moved.subject == organization and moved.claims == [1]
    assert sent - 10_000 < moved.expiration - 3_600_000 < time.time() * 1000 + 10_000
    same = await client.call("update_api_key", api_key_id=full.id)
    assert same.claims == [1] and same.scopes == ["x"] and same.expiration == moved.expiration

    await client.refused(
        models.GetAPIKeySecretAPIKeysResponseResponseBody, 404, "api_key_secret_not_retrievable", "get_api_key_secret",
        api_key_id=made.id,
    )

    revoked = await client.call("revoke_api_key", api_key_id=made.id, revocation_reason="leaked")
    is_key(client.json())
    assert revoked.revoked and revoked.revocation_reason == "leaked"
    again = await client.call("revoke_api_key", api_key_id=made.id)
    assert again.revoked and again.revocation_reason == "leaked"
    await client.refused(models.VerifyAPIKeyAPIKeysResponseResponseBody, 404, "resource_not_found", "verify_api_key", secret=made.secret)
    await client.refused(models.UpdateAPIKeyAPIKeysResponseBody, 400, "bad_request", "update_api_key", api_key_id=made.id, description="x")

    # A revoked key keeps its name until it is deleted.
    same_name = {"name": "First key", "subject": user}
    await client.refused(models.CreateAPIKeyAPIKeysResponseResponseBody, 409, "token_creation_conflict", "create_api_key", **same_name)
    deleted = await client.call("delete_api_key", api_key_id=made.id)
    assert client.json() == {"id": made.id, "object": "api_key", "deleted": True} and deleted.id == made.id
    for name in ("get_api_key", "delete_api_key", "get_api_key_secret", "revoke_api_key", "update_api_key"):
        error = getattr(models, f"{ERRORS[name]}APIKeysResponseResponseBody")
        await client.refused(error, 404, "resource_not_found", name, api_key_id=made.id)
    await client.call("create_api_key", **same_name)

    brief = await client.call("create_api_key", name="Brief", subject=user, seconds_until_expiration=0.001)
    await asyncio.sleep(0.01)
    await client.refused(models.VerifyAPIKeyAPIKeysResponseResponseBody, 404, "resource_not_found", "verify_api_key", secret=brief.secret)
    assert (await client.call("get_api_key", api_key_id=brief.id)).expired


ERRORS = {
    "create_api_key": "CreateAPIKey", "get_api_keys": "GetAPIKeys", "get_api_key": "GetAPIKey", "update_api_key": "UpdateAPIKey",
    "delete_api_key": "DeleteAPIKey", "get_api_key_secret": "GetAPIKeySecret", "revoke_api_key": "RevokeAPIKey",
    "verify_api_key": "VerifyAPIKey",
}


async def lists(client):
    user, organization = ids()
    made = [await client.call("create_api_key", name=f"Key {number:02}", subject=user) for number in range(12)]
    other = await client.call("create_api_key", name="Key 01", subject=organization)
    await client.call("revoke_api_key", api_key_id=made[0].id)
    page = await client.call("get_api_keys", subject=user)
    value = client.json()
    assert set(value) == {"data", "total_count"} and len(value["data"]) == 10 and value["total_count"] == 11
    for key in value["data"]:
        is_key(key)
    assert [key.name for key in page.data] == [f"Key {number:02}" for number in range(11, 1, -1)]
    rest = await client.call("get_api_keys", subject=user, limit=5, offset=10)
    assert [key.name for key in rest.data] == ["Key 01"] and rest.total_count == 11
    beyond = await client.call("get_api_keys", subject=user, limit=100, offset=1_000_000)
    assert beyond.data == [] and beyond.total_count == 11
    everything = await client.call("get_api_keys", subject=user, limit=100, include_invalid=models.IncludeInvalid.TRUE)
    assert everything.total_count == 12 and everything.data[-1].revoked
    assert [key.id for key in (await client.call("get_api_keys", subject=organization)).data] == [other.id]
    found = await client.call("get_api_keys", subject=user, query="kEY 1")
    assert found.total_count == 2
    for wildcard in ("%", "_", "Key__", "\\"):
        assert (await client.call("get_api_keys", subject=user, query=wildcard)).total_count == 0, wildcard
    assert (await client.call("get_api_keys", subject=user, query="")).total_count == 11
    assert (await client.call("get_api_keys", subject=user, type_="other_type")).total_count == 0
    for bad in (
        {"subject": "user_1"}, {"subject": "usr_" + "a" * 27}, {"subject": user + "x"}, {"subject": user, "limit": 0},
        {"subject": user, "limit": 101}, {"subject": user, "limit": 1.5}, {"subject": user, "offset": -1}, {"subject": user, "type_": "x"},
        {"subject": user, "query": "a\0b"},
    ):
        await client.refused(models.GetAPIKeysAPIKeysResponseBody, 400, "bad_request", "get_api_keys", **bad)


async def refuses(client, foreign, limited, nobody):
    user, organization = ids()
    made = await client.call("create_api_key", name="Guarded", subject=user)
    for bad in (
        {"name": "ab", "subject": user}, {"name": " abc", "subject": user}, {"name": "abc ", "subject": user}, {"name": "a\nb", "subject": user},
        {"name": "a\0b", "subject": user}, {"name": "x" * 256, "subject": user}, {"name": "abc", "subject": "me"},
        {"name": "abc", "subject": user, "description": "x" * 256}, {"name": "abc", "subject": user, "type_": "x"},
        {"name": "abc", "subject": user, "created_by": organization}, {"name": "abc", "subject": user, "seconds_until_expiration": 0},
        {"name": "abc", "subject": user, "seconds_until_expiration": -1}, {"name": "abc", "subject": user, "claims": {"a": "\0"}},
    ):
        await client.refused(models.CreateAPIKeyAPIKeysResponseBody, 400, "bad_request", "create_api_key", **bad)
    for name, error in ERRORS.items():
        if name in ("create_api_key", "get_api_keys", "verify_api_key"):
            continue
        malformed = getattr(models, f"{error}APIKeysResponseBody")
        missing = getattr(models, f"{error}APIKeysResponseResponseBody")
        for bad in ("ak_1", "ak_" + "g" * 32, "key_" + "0" * 32, made.id + "0", "verify"):
            await client.refused(malformed, 400, "bad_request", name, api_key_id=bad)
        await client.refused(missing, 404, "resource_not_found", name, api_key_id=UNKNOWN)
        await foreign.refused(missing, 404, "resource_not_found", name, api_key_id=made.id)
        await limited.refused(models.SDKError, 403, "authorization_invalid", name, api_key_id=made.id)
        await nobody.refused(models.SDKError, 401, "clerk_key_invalid", name, api_key_id=made.id)
    missing = models.VerifyAPIKeyAPIKeysResponseResponseBody
    for secret in (made.secret[:-1] + "0", made.secret + "x", "", "ak_junk", "x" * 5000, ADMIN, UNKNOWN):
        error, status, code = (missing, 404, "resource_not_found")
        if len(secret) > 4096:
            error, status, code = (models.VerifyAPIKeyAPIKeysResponseBody, 400, "bad_request")
        if secret == made.secret:
            continue
        await client.refused(error, status, code, "verify_api_key", secret=secret)
    await foreign.refused(missing, 404, "resource_not_found", "verify_api_key", secret=made.secret)
    assert (await client.call("verify_api_key", secret=made.secret)).id == made.id


async def workspaces(client, other):
    """A key of one workspace is unknown in another workspace."""
    user, _ = ids()
    made = await other.call("create_api_key", name="Elsewhere", subject=user)
    assert (await other.call("verify_api_key", secret=made.secret)).id == made.id
    await client.refused(models.VerifyAPIKeyAPIKeysResponseResponseBody, 404, "resource_not_found", "verify_api_key", secret=made.secret)
    await client.refused(models.GetAPIKeyAPIKeysResponseResponseBody, 404, "resource_not_found", "get_api_key", api_key_id=made.id)
    assert (await client.call("get_api_keys", subject=user)).total_count == 0
    assert (await other.call("get_api_keys", subject=user)).total_count == 1


def networkless():
    """`verify_token` recognizes an API key by itself."""
    user, _ = ids()
    clerk = Clerk(bearer_auth=ADMIN, server_url=URL + "/clerk/v1", client=httpx.Client(timeout=600))
    made = clerk.api_keys.create_api_key(name="Middleware", subject=user)
    options = VerifyTokenOptions(secret_key=ADMIN, api_url=URL + "/clerk")
    answer = verify_token(made.secret, options)
    assert answer["subject"] == user and answer["id"] == made.id and not answer["revoked"] and not answer["expired"]
    clerk.api_keys.revoke_api_key(api_key_id=made.id)
    try:
        verify_token(made.secret, options)
        raise AssertionError("a revoked key was accepted")
    except TokenVerificationError as error:
        assert error.reason == TokenVerificationErrorReason.TOKEN_INVALID


async def main():
    for asynchronous in (False, True):
        for base in ("/clerk/v1", "/clerk", f"/clerk/workspaces/{WORKSPACE}/v1"):
            client = Client(ADMIN, base, asynchronous)
            await lives(client)
            await lists(client)
        client = Client(ADMIN, asynchronous=asynchronous)
        foreign, limited = Client(FOREIGN, asynchronous=asynchronous), Client(LIMITED, asynchronous=asynchronous)
        await refuses(client, foreign, limited, Client("sk_test_unknown", asynchronous=asynchronous))
        await workspaces(client, Client(ADMIN, f"/clerk/workspaces/{WORKSPACE}", asynchronous))
    networkless()


asyncio.run(main())
print("clerk-backend-api: all as promised")
