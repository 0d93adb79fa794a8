"""The tenants of the benchmark: a stranger, and another organization whose clients do harm."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import Any

from connections import Lost, request
from installation import Failed, Installation, as_postgres, postgres_program

# Longer than the longest creation of a workspace while others are created.
PATIENCE = 60.0
PASSWORD = "correct horse battery"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The digits of a token's body, which come after its prefix and mode, and those of its checksum.
BODY, CHECKSUM = 32, 6

IMPORT = """
    WITH keys AS (
        INSERT INTO auth.service_keys (id, kind, name, unique_name, mode, scopes, created_by)
        SELECT gen_random_uuid(), 'service', 'Import ' || n, 'Import ' || n, 'live', '{{}}', 'platform'
        FROM generate_series(1, {count}) n RETURNING id
    )
    INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
    SELECT gen_random_uuid(), id, sha256(id::text::bytea), 'import', 'mks_live_' || left(id::text, 6) FROM keys
"""
# Without it, PostgreSQL would analyze the tables in the middle of a measurement or not at all, as it happens.
UNANALYZED = """
    ALTER TABLE auth.service_keys SET (autovacuum_enabled = off);
    ALTER TABLE auth.key_secrets SET (autovacuum_enabled = off)
"""


@dataclass(frozen=True)
class Organization:
    """An organization, its default workspace and its admin key."""

    id: str
    workspace: str
    admin: str


def checksum(text: str) -> str:
    """The checksum at the end of a token that begins with a text."""
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM):
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


def unknown_token(genuine: str, number: int) -> str:
    """A well-formed token of a genuine token's workspace that was never issued, another one for each number."""
    assert number < 10**BODY, "the number has more digits than the body of a token"
    start = genuine.rindex("_") + 1
    stem = genuine[:start] + f"{number:0{BODY}d}" + genuine[start + BODY : -CHECKSUM]
    return stem + checksum(stem)


class Tenants:
    """The ways to fill an installation."""

    def __init__(self, place: Installation) -> None:
        self.place = place
        self.node = place.nodes[0]
        self._paths = asyncio.Semaphore(4)

    async def call(self, method: str, path: str, credential: str | None = None, body: object = None) -> Any:
        """Sends a request that must succeed, and returns the JSON of its answer."""
        async with self._paths:
            try:
                answer = await self.node.api.send(request(method, path, credential, body), PATIENCE)
            except Lost as error:
                raise Failed(f"{method} {path} was not answered") from error
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {answer.body.decode()}")
        return answer.json()

    async def sql(self, database: str, text: str) -> str:
        """Runs a statement as PostgreSQL's superuser, and returns the rows."""
        folder = str(self.place.postgres.folder)
        command = as_postgres(
            postgres_program("psql"), "-h", folder, "-U", "postgres", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1"
        )
        pipe = asyncio.subprocess.PIPE
        psql = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/")
        output, errors = await psql.communicate(text.encode())
        if psql.returncode:
            raise Failed(f"psql ended with {psql.returncode}: {errors.decode()}")
        return output.decode().strip()

    async def organization(self, name: str) -> Organization:
        """Creates an organization."""
        made = await self.call("POST", "/v1/organizations", self.place.operator, {"name": name})
        return Organization(made["organization"]["id"], made["default_workspace"]["id"], made["token"])

    async def workspace(self, owner: Organization, name: str) -> str:
        """Creates a workspace, and returns its id."""
        path = f"/v1/organizations/{owner.id}/workspaces"
        made = await self.call("POST", path, owner.admin, {"name": name})
        return str(made["id"])

    async def remove(self, owner: Organization, workspace: str) -> None:
        """Deletes a workspace."""
        await self.call("POST", f"/v1/workspaces/{workspace}/archive", owner.admin)
        await self.call("DELETE", f"/v1/workspaces/{workspace}", owner.admin)

    async def key(self, owner: Organization, workspace: str, name: str) -> str:
        """Creates a key, and returns its token."""
        path = f"/v1/workspaces/{workspace}/service-keys"
        return str((await self.call("POST", path, owner.admin, {"name": name}))["token"])

    async def database(self, workspace: str) -> str:
        """The name of a workspace's database."""
        return await self.sql("mortise", f"SELECT database FROM control.workspaces WHERE id = '{workspace}'")

    async def hide(self, database: str) -> None:
        """Renames a database, so that its workspace cannot be served."""
        # A database with connections cannot be renamed, and the server opens new ones at once.
        await self.sql(
            "postgres",
            f"""
            ALTER DATABASE "{database}" ALLOW_CONNECTIONS false;
            DO $$ BEGIN
                PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}';
            END $$;
            ALTER DATABASE "{database}" RENAME TO "{database}_hidden"
            """,
        )

    async def show(self, database: str) -> None:
        """Undoes what `hide` did."""
        await self.sql(
            "postgres",
            f"""
            ALTER DATABASE "{database}_hidden" RENAME TO "{database}";
            ALTER DATABASE "{database}" ALLOW_CONNECTIONS true
            """,
        )

    async def member(self, owner: Organization, email: str) -> str:
        """Adds a member of the lowest role, and returns the access token of its session."""
        await self.call(
            "POST",
            f"/v1/organizations/{owner.id}/members",
            owner.admin,
            {"email": email, "role": "member", "password": PASSWORD},
        )
        return await self.sign_in(email)

    async def sign_in(self, email: str) -> str:
        """Returns the access token of a new session."""
        body = {"email": email, "password": PASSWORD}
        return str((await self.call("POST", "/api/v1/auth/signin", None, body))["access_token"])

    async def fat_keys(self, session: str, count: int, total: int) -> None:
        """Creates keys of a member whose texts have a number of bytes together."""
        namespaces = [f"{number:0250d}" for number in range(max(0, total // count - 2000) // 250)]
        await asyncio.gather(
            *[
                self.call(
                    "POST",
                    "/api/v1/client-keys",
                    session,
                    {
                        "name": f"key {number}",
                        "description": "x" * min(2000, total // count),
                        "scopes": ["read:orders"],
                        "allowed_namespaces": namespaces,
                    },
                )
                for number in range(count)
            ]
        )
