"""Sessions of members against a real server."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from mortise import (
    AsyncMortise,
    ForbiddenError,
    InvalidRequestError,
    Mortise,
    NotFoundError,
    SecretToken,
    Session,
    UnauthenticatedError,
    UnreachableError,
    User,
)

from .fault_server import cut, forward, problem, reply
from .mortise_server import ADMIN_EMAIL, ADMIN_PASSWORD, PATIENT
from .test_faults import MEMBER


# A debug build of the server takes seconds to hash a password, so a test signs in only where it must.
@pytest.fixture
def session(server):
    """The tokens of a new session."""
    with Mortise(server.url, None, **PATIENT) as client:
        return client.sessions.create(ADMIN_EMAIL, ADMIN_PASSWORD)


def test_a_member_signs_in_and_out(connect, server):
    client = connect(server.url, None, **PATIENT)
    member = client.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD.reveal(), organization="default")
    me = member.me()
    assert (me.type, me.user.email, me.memberships[0].role) == ("member", ADMIN_EMAIL, "owner")
    assert me.session_id
    member.sign_out()
    with pytest.raises(UnauthenticatedError):
        member.me()


def test_tokens_are_renewed_by_hand_until_the_session_ends(server, session):
    with Mortise(server.url, None, **PATIENT) as client:
        renewed = client.sessions.refresh(session.refresh_token.reveal())
        assert renewed.session_id == session.session_id
        assert renewed.refresh_token != session.refresh_token
        member = client.with_session(renewed)
        assert member.me().user.email == ADMIN_EMAIL
        member.sign_out()
        with pytest.raises(UnauthenticatedError):
            client.with_session(replace(renewed, expires_in=0)).me()


def test_a_wrong_password_is_refused(server):
    with Mortise(server.url, None, **PATIENT) as client, pytest.raises(UnauthenticatedError) as caught:
        client.sign_in(ADMIN_EMAIL, "a wrong password of some length")
    assert "a wrong password" not in str(caught.value)


def test_a_member_changes_their_password(server, session):
    with Mortise(server.url, None, **PATIENT) as client:
        member = client.with_session(session)
        with pytest.raises(InvalidRequestError) as caught:
            member.change_password(current="not the password", new=ADMIN_PASSWORD)
        assert caught.value.faults[0].place == "/current_password"
        member.change_password(current=ADMIN_PASSWORD, new=ADMIN_PASSWORD)


def test_a_key_has_no_session_to_end(connect, server):
    with pytest.raises(ForbiddenError):
        connect(server.url, server.admin, **PATIENT).sign_out()


def test_a_session_is_renewed_when_its_token_is_refused(connect, server, session, faults):
    proxy = faults(forward(server.url))
    refused = SecretToken("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")
    member = connect(proxy.url, None, **PATIENT).with_session(replace(session, access_token=refused))
    # A change, too: a refused credential means that nothing was done.
    with pytest.raises(NotFoundError):
        member.service_keys("default").disable("01a215b7-106e-74a2-8d41-7ea83076b032")
    assert member.me().user.email == ADMIN_EMAIL
    targets = [request.target.rpartition("/")[2] for request in proxy.requests]
    assert targets == ["disable", "refresh", "disable", "me"]
    assert "authorization" not in proxy.requests[1].headers


def test_threads_share_one_renewal(server, session, faults):
    proxy = faults(forward(server.url))
    with Mortise(proxy.url, None, **PATIENT) as client:
        member = client.with_session(replace(session, expires_in=0))
        names = []
        threads = [threading.Thread(target=lambda: names.append(member.me().user.email)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert names == [ADMIN_EMAIL] * 8
    assert [request.target for request in proxy.requests].count("/v1/sessions/refresh") == 1


def test_tasks_share_one_renewal(server, session, faults):
    proxy = faults(forward(server.url))

    async def run():
        async with AsyncMortise(proxy.url, None, **PATIENT) as client:
            member = client.with_session(replace(session, expires_in=0))
            return await asyncio.gather(*(member.me() for _ in range(8)))

    assert [me.user.email for me in asyncio.run(run())] == [ADMIN_EMAIL] * 8
    assert [request.target for request in proxy.requests].count("/v1/sessions/refresh") == 1


def test_a_cancelled_call_does_not_lose_the_renewed_session(server, session, faults):
    arrived, go_on = threading.Event(), threading.Event()
    pass_on = forward(server.url)

    def held(proxy, connection, request):
        if request.target == "/v1/sessions/refresh":
            arrived.set()
            go_on.wait(30)
        pass_on(proxy, connection, request)

    proxy = faults(held)

    async def run():
        async with AsyncMortise(proxy.url, None, **PATIENT) as client:
            member = client.with_session(replace(session, expires_in=0))
            call = asyncio.create_task(member.me())
            await asyncio.to_thread(arrived.wait, 30)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            go_on.set()
            return await member.me()

    assert asyncio.run(run()).user.email == ADMIN_EMAIL
    assert [request.target for request in proxy.requests].count("/v1/sessions/refresh") == 1


def test_a_renewal_that_was_sent_is_not_sent_again(connect, faults):
    user = User("u1", "a@example.com", None, has_password=True)
    now = datetime.now(timezone.utc)
    session = Session(SecretToken("a"), "Bearer", 0, now, SecretToken("r"), "s1", "o1", user, ())
    server = faults(cut)
    with pytest.raises(UnreachableError):
        connect(server.url, None).with_session(session).me()
    assert len(server.requests) == 1


def test_a_session_whose_new_token_is_refused_is_renewed_once(connect, faults):
    tokens = {
        "access_token": "a2",
        "token_type": "Bearer",
        "expires_in": 900,
        "expires_at": "2026-01-02T03:04:05Z",
        "refresh_token": "r2",
        "session_id": "s1",
        "organization_id": "o1",
        "user": MEMBER["user"],
        "memberships": [],
    }
    server = faults(reply(201, tokens), problem(401), reply(200, tokens | {"access_token": "a3"}), problem(401))
    member = connect(server.url, None).sign_in("a@example.com", "a password")
    with pytest.raises(UnauthenticatedError):
        member.me()
    assert [request.headers.get("authorization") for request in server.requests] == [
        None,
        "Bearer a2",
        None,
        "Bearer a3",
    ]
    assert server.requests[2].json == {"refresh_token": "r2"}
