"""The client against a server that fails: every answer and every break comes over a real socket."""

from __future__ import annotations

import email.utils
import socket
import time

import pytest

from mortise import (
    ConflictError,
    CredentialError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    SecretToken,
    TimedOutError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)

from .fault_server import cut, cut_and_stop, cut_answer, drip, hang, problem, reply

TIME = "2026-01-02T03:04:05.678901Z"
ORGANIZATION = {
    "id": "o1",
    "name": "Acme",
    "slug": "acme",
    "token_prefix": None,
    "default_workspace_id": None,
    "created_at": TIME,
    "updated_at": TIME,
}
MEMBER = {
    "id": "m1",
    "user": {"id": "u1", "email": "a@example.com", "name": None, "has_password": True},
    "organization_id": "o1",
    "workspace_id": None,
    "role": "owner",
    "created_at": TIME,
    "updated_at": TIME,
}
VERDICT = {"valid": True, "code": "valid", "key": None, "rate_limit": None}

found = reply(200, ORGANIZATION)
added = reply(201, MEMBER)


def test_a_read_is_sent_again_after_an_outage(connect, faults):
    server = faults(problem(503), found)
    client = connect(server.url, "t", random=lambda: 1.0)
    assert client.organizations.get("acme").slug == "acme"
    assert len(server.requests) == 2
    assert connect.pauses == [0.25]


def test_the_waits_double_and_are_spread(connect, faults):
    server = faults(problem(502), problem(504), problem(408), found)
    client = connect(server.url, "t", max_retries=3, random=lambda: 0.0)
    client.organizations.get("acme")
    assert connect.pauses == [0.125, 0.25, 0.5]


def test_retry_after_is_obeyed_in_both_forms(connect, faults):
    date = email.utils.formatdate(time.time() + 20, usegmt=True)
    server = faults(problem(429, Retry_After="7"), problem(503, Retry_After=date), found)
    connect(server.url, "t").organizations.get("acme")
    first, second = connect.pauses
    assert first == 7
    assert 10 < second <= 20


def test_a_wait_that_does_not_fit_into_the_timeout_ends_the_call(connect, faults):
    server = faults(problem(429, Retry_After="60"), found)
    with pytest.raises(RateLimitedError) as caught:
        connect(server.url, "t").organizations.get("acme")
    assert caught.value.retry_after == 60
    assert len(server.requests) == 1


@pytest.mark.parametrize("max_retries", [0, 2])
def test_retries_are_bounded(connect, faults, max_retries):
    server = faults(problem(503, code="service_unavailable"))
    with pytest.raises(UnavailableError) as caught:
        connect(server.url, "t", max_retries=max_retries).organizations.get("acme")
    assert len(server.requests) == max_retries + 1
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (503, "service_unavailable", "r1")
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize("fault", [cut, cut_answer, problem(503), problem(409, Retry_After="1")])
def test_a_creation_is_sent_again_with_the_same_key_and_bytes(connect, faults, fault):
    server = faults(fault, added)
    member = connect(server.url, "t").members("acme").add("a@example.com", "owner", password="p" * 12)
    assert member.user.email == "a@example.com"
    first, second = server.requests
    assert len(first.headers["idempotency-key"]) == 36
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert first.json == {"email": "a@example.com", "role": "owner", "password": "p" * 12}


def test_two_creations_have_two_keys_and_a_given_key_is_sent(connect, faults):
    server = faults(added)
    members = connect(server.url, "t").members("acme")
    members.add("a@example.com", "owner")
    members.add("a@example.com", "owner")
    members.add("a@example.com", "owner", idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


@pytest.mark.parametrize("key", ["", "line\nbreak", "ä"])
def test_a_key_that_cannot_be_sent_is_refused_before_anything_is_sent(connect, faults, key):
    server = faults(added)
    with pytest.raises(ValueError, match="idempotency key"):
        connect(server.url, "t").members("acme").add("a@example.com", "owner", idempotency_key=key)
    assert server.requests == []


def test_a_lost_creation_says_so_and_has_its_key(connect, faults):
    server = faults(cut)
    with pytest.raises(UnreachableError) as caught:
        connect(server.url, "t").members("acme").add("a@example.com", "owner", idempotency_key="mine")
    assert caught.value.may_have_taken_effect
    assert caught.value.idempotency_key == "mine"
    assert len(server.requests) == 3


def test_an_error_tells_of_what_an_earlier_attempt_may_have_done(connect, faults):
    server = faults(cut_and_stop)
    with pytest.raises(UnreachableError) as caught:
        connect(server.url, "t").members("acme").add("a@example.com", "owner")
    assert "cannot be reached" in str(caught.value)
    assert caught.value.may_have_taken_effect


@pytest.mark.parametrize("fault", [cut, cut_answer, problem(503), problem(429, Retry_After="1")])
def test_a_call_without_a_key_is_not_sent_again_once_it_was_sent(connect, faults, fault):
    server = faults(fault, reply(200, VERDICT))
    with pytest.raises((UnreachableError, UnavailableError, RateLimitedError)) as caught:
        connect(server.url, "t").verify("mks_live_x")
    assert len(server.requests) == 1
    assert connect.pauses == []
    assert caught.value.may_have_taken_effect == (not isinstance(caught.value, RateLimitedError))


def test_any_call_is_sent_again_if_no_connection_was_established(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError) as caught:
        connect(f"http://127.0.0.1:{port}", "t").verify("mks_live_x")
    assert len(connect.pauses) == 2
    assert not caught.value.may_have_taken_effect


def test_a_conflict_with_the_state_of_a_resource_is_not_sent_again(connect, faults):
    server = faults(problem(409, code="conflict"))
    with pytest.raises(ConflictError) as caught:
        connect(server.url, "t").members("acme").add("a@example.com", "owner")
    assert len(server.requests) == 1
    assert not caught.value.may_have_taken_effect


def test_the_server_can_forbid_another_attempt(connect, faults):
    server = faults(problem(503, X_Should_Retry="false"))
    with pytest.raises(UnavailableError):
        connect(server.url, "t").organizations.get("acme")
    assert len(server.requests) == 1


def test_a_redirection_is_refused_and_the_credential_stays(connect, faults):
    other = faults(found)
    server = faults(reply(307, Location=other.url + "/v1/organizations/acme"))
    with pytest.raises(UnexpectedAnswerError, match="redirects"):
        connect(server.url, "t").organizations.get("acme")
    assert other.connections == 0


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (reply(200, b"<html>", "text/html"), UnexpectedAnswerError),
        (reply(404, b"<html>", "text/html"), UnexpectedAnswerError),
        (reply(502, b"<html>", "text/html"), UnavailableError),
        (reply(429, b"<html>", "text/html"), RateLimitedError),
        (reply(200, b'{"id"'), UnexpectedAnswerError),
        (reply(200, b"[" * 100_000), UnexpectedAnswerError),
        (reply(200, [ORGANIZATION]), UnexpectedAnswerError),
        (problem(418), RefusedError),
        (problem(500), RefusedError),
        (problem(422), InvalidRequestError),
        (problem(404), NotFoundError),
        (problem(401), UnauthenticatedError),
    ],
)
def test_each_answer_has_its_error(connect, faults, step, error):
    server = faults(step)
    with pytest.raises(error) as caught:
        connect(server.url, "t").organizations.get("acme")
    assert type(caught.value) is error


def test_unknown_members_are_ignored(connect, faults):
    server = faults(reply(200, ORGANIZATION | {"color": "red", "nested": {"a": [1]}}))
    assert connect(server.url, "t").organizations.get("acme").name == "Acme"


def test_an_unknown_error_body_is_tolerated(connect, faults):
    body = {"status": "no number", "errors": [1, {"pointer": "/a"}, {"detail": 5}], "code": None}
    server = faults(reply(400, body, "application/problem+json"))
    with pytest.raises(InvalidRequestError) as caught:
        connect(server.url, "t").organizations.get("acme")
    assert [fault.place for fault in caught.value.faults] == ["/a", None]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": None}, "/id is not a string"),
        ({"name": 5}, "/name is not a string"),
        ({"created_at": "yesterday-secret"}, "/created_at is not a time"),
        ({"created_at": "2026-02-30T00:00:00Z"}, "/created_at is not a time"),
        ({"updated_at": "0001-01-01T00:00:00+01:00"}, "/updated_at is not a time"),
    ],
)
def test_a_malformed_answer_names_the_place_and_not_the_value(connect, faults, change, place):
    server = faults(reply(200, ORGANIZATION | change))
    with pytest.raises(UnexpectedAnswerError) as caught:
        connect(server.url, "t").organizations.get("acme")
    assert place in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "microsecond", "hour"),
    [("05Z", 0, 3), ("05.1Z", 100_000, 3), ("05.123456789+02:00", 123_456, 1), ("05.5-00:30", 500_000, 3)],
)
def test_times_of_every_length_are_read(connect, faults, text, microsecond, hour):
    server = faults(reply(200, ORGANIZATION | {"created_at": f"2026-01-02T03:04:{text}"}))
    created = connect(server.url, "t").organizations.get("acme").created_at
    assert (created.microsecond, created.hour, created.utcoffset().total_seconds()) == (microsecond, hour, 0)


def test_a_verdict_for_another_number_of_tokens_is_refused(connect, faults):
    from mortise import Verification

    server = faults(reply(200, {"verdicts": [VERDICT]}))
    with pytest.raises(UnexpectedAnswerError, match="/verdicts"):
        connect(server.url, "t").verify_batch([Verification("a"), Verification("b")])


def test_a_server_that_hangs_ends_the_call_at_the_timeout(connect, faults):
    server = faults(hang)
    with pytest.raises(TimedOutError) as caught:
        # The request must have arrived by then, on a busy machine, too.
        connect(server.url, "t", timeout=2).verify("mks_live_x")
    assert caught.value.may_have_taken_effect
    assert len(server.requests) == 1


def test_an_attempt_that_hangs_is_repeated_if_that_is_safe(connect, faults):
    server = faults(hang, added)
    # The second attempt must be answered in time, on a busy machine, too.
    connect(server.url, "t", attempt_timeout=2).members("acme").add("a@example.com", "owner")
    assert len(server.requests) == 2


def test_an_answer_that_never_ends_ends_the_call_at_the_timeout(connect, faults):
    server = faults(drip)
    with pytest.raises(TimedOutError):
        connect(server.url, "t", timeout=0.5, max_retries=0).organizations.get("acme")


def test_an_answer_without_bound_is_refused(connect, faults):
    server = faults(reply(200, b" " * (17 * 1024 * 1024)))
    with pytest.raises(UnreachableError, match="larger"):
        connect(server.url, "t").organizations.get("acme")
    assert len(server.requests) == 1


def test_a_list_that_repeats_its_cursor_is_refused(connect, faults):
    page = {"data": [ORGANIZATION], "next_cursor": "again"}
    server = faults(reply(200, page))
    with pytest.raises(UnexpectedAnswerError, match="same page"):
        connect(server.url, "t").organizations.list().all()
    assert len(server.requests) == 2


def test_a_list_sends_nothing_before_it_is_iterated(connect, faults):
    server = faults(reply(200, {"data": [ORGANIZATION], "next_cursor": None}))
    organizations = connect(server.url, "t").organizations.list(query="a&b=c", page_size=7)
    assert server.requests == []
    assert [organization.id for organization in organizations] == ["o1"]
    assert [organization.id for organization in organizations] == ["o1"]
    assert [request.target for request in server.requests] == ["/v1/organizations?query=a%26b%3Dc&limit=7"] * 2


def test_the_head_of_a_request(connect, faults):
    server = faults(reply(200, VERDICT), found)
    connect(server.url, "t0ken").verify("mks_live_x", scopes=["read:a"], mode="live")
    head = server.requests[0].headers
    assert head["authorization"] == "Bearer t0ken"
    assert head["accept"] == "application/json"
    assert head["content-type"] == "application/json"
    assert head["user-agent"].startswith("mortise-python/")
    assert "idempotency-key" not in head
    assert server.requests[0].json == {"token": "mks_live_x", "scopes": ["read:a"], "mode": "live"}
    connect(server.url, None, user_agent="mine").organizations.get("acme")
    assert "authorization" not in server.requests[1].headers
    assert server.requests[1].headers["user-agent"] == "mine"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../admin", "..%2Fadmin"),
        ("%2e", "%252e"),
        ("ä b", "%C3%A4%20b"),
        ("a\r\nb", "a%0D%0Ab"),
    ],
)
def test_no_id_names_another_path(connect, faults, name, target):
    server = faults(found)
    connect(server.url + "/base/", "t").organizations.get(name)
    assert server.requests[0].target == f"/base/v1/organizations/{target}"


def test_an_empty_id_is_refused_before_anything_is_sent(connect, faults):
    server = faults(found)
    with pytest.raises(ValueError, match="must not be empty"):
        connect(server.url, "t").organizations.get("")
    assert server.requests == []


@pytest.mark.parametrize("token", ["", "a b", "line\nbreak", "ä", "x" * 8193])
def test_a_credential_that_cannot_be_sent_is_refused_before_anything_is_sent(connect, faults, token):
    server = faults(found)
    with pytest.raises(CredentialError):
        connect(server.url, token).organizations.get("acme")
    assert server.requests == []


def test_a_provided_credential_is_asked_before_each_attempt(connect, faults):
    server = faults(problem(503), found)
    tokens = iter(["first", SecretToken("second")])
    connect(server.url, lambda: next(tokens)).organizations.get("acme")
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer first", "Bearer second"]


def test_connections_are_used_again(connect, faults):
    server = faults(found)
    client = connect(server.url, "t")
    for _ in range(5):
        client.organizations.get("acme")
    assert server.connections == 1


@pytest.mark.parametrize(
    "url",
    ["", "keys.example.com", "ftp://a", "https://", "https://u:p@a", "https://a?x=1", "https://a#f", "https://a?"],
)
def test_a_url_that_names_no_server_is_refused(connect, url):
    with pytest.raises(ValueError, match="URL") as caught:
        connect(url, "t")
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"attempt_timeout": -1}, {"max_retries": -1}, {"user_agent": "\n"}]
)
def test_an_option_out_of_range_is_refused(connect, options):
    with pytest.raises(ValueError, match="must"):
        connect("http://127.0.0.1:1", "t", **options)


def test_one_text_is_not_a_list_of_texts(connect, faults):
    server = faults(found)
    with pytest.raises(TypeError, match="scopes must be a list"):
        connect(server.url, "t").verify("mks_live_x", scopes="read:a")
    assert server.requests == []


def test_the_only_fault_of_a_request_is_said_once(connect, faults):
    detail = "must be a scope"
    one = {"detail": f'"/scopes/0" {detail}.', "errors": [{"pointer": "/scopes/0", "detail": detail}]}
    two = {
        "detail": "The request has 2 faults.",
        "errors": [*one["errors"], {"pointer": "/name", "detail": "is empty"}],
    }
    server = faults(*(reply(400, body, "application/problem+json") for body in (one, two)))
    mortise = connect(server.url, "t")
    with pytest.raises(InvalidRequestError) as caught:
        mortise.organizations.get("acme")
    assert str(caught.value).count(detail) == 1
    assert caught.value.faults[0].place == "/scopes/0"
    with pytest.raises(InvalidRequestError) as caught:
        mortise.organizations.get("acme")
    assert f"/scopes/0: {detail}" in str(caught.value)
    assert "/name: is empty" in str(caught.value)
