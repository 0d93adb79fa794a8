"""No secret is printed: not by a value, an error, a traceback with local variables, or a log of any level."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback

import pytest

from mortise import (
    KEEP,
    IssuedKey,
    MortiseError,
    SecretToken,
    UnauthenticatedError,
    Verification,
)

from .fault_server import cut, hang, problem, reply
from .test_faults import MEMBER

CREDENTIAL = "mka_live_" + "c" * 40
TOKEN = "mks_live_" + "t" * 40
PASSWORD = "correct horse battery staple"
ANSWERED = "mks_live_" + "a" * 40
SECRETS = (CREDENTIAL, TOKEN, PASSWORD, ANSWERED)


def assert_clean(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert secret[9:] not in text


def test_a_secret_does_not_print():
    secret = SecretToken(TOKEN)
    percent = "%s" % secret  # noqa: UP031 - an old way to print
    for text in (percent, str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", repr([secret])):
        assert_clean(text)
    assert secret.reveal() == TOKEN
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)


def test_a_secret_is_a_value():
    secret = SecretToken(TOKEN)
    assert secret == SecretToken(TOKEN)
    assert secret != SecretToken(PASSWORD)
    assert secret != TOKEN
    assert len({secret, SecretToken(TOKEN), SecretToken("ä\ud800")}) == 2
    assert copy.deepcopy(secret) == copy.copy(secret) == secret
    with pytest.raises(TypeError, match="str"):
        SecretToken(secret)  # type: ignore[arg-type]


def test_values_with_a_secret_do_not_print_it():
    assert_clean(repr(Verification(TOKEN)))
    issued = IssuedKey(key=None, token=SecretToken(TOKEN))  # type: ignore[arg-type]
    assert_clean(repr(issued))
    assert_clean(repr(dataclasses.asdict(issued)))
    assert repr(KEEP) == "KEEP"


def test_clients_and_what_they_hand_out_do_not_print_a_secret(connect):
    client = connect("http://127.0.0.1:1", CREDENTIAL)
    for value in (client, client.service_keys("x"), client.service_keys("x").list(), client.members("x")):
        assert_clean(repr(getattr(value, "target", value)))
        assert_clean(repr(vars(getattr(value, "target", value))))


def assert_error_is_clean(error: MortiseError) -> None:
    assert_clean(repr(error) + str(error) + repr(vars(error)) + repr(pickle.loads(pickle.dumps(error))))
    assert error.__context__ is None
    assert error.__cause__ is None
    # The frames of this file hold the secrets.
    stack = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in stack.stack if "/tests/" not in frame.filename]
    assert any("/mortise/" in frame.filename for frame in frames)
    assert_clean("\n".join(f"{frame.name} {frame.locals}" for frame in frames))


def calls(client):
    return [
        lambda: client.verify(TOKEN),
        lambda: client.verify_batch([Verification(TOKEN)]),
        lambda: client.sign_in("a@example.com", PASSWORD),
        lambda: client.sessions.refresh(TOKEN),
        lambda: client.members("acme").add("a@example.com", "owner", password=PASSWORD),
        lambda: client.members("acme").update("m", password=PASSWORD),
        lambda: client.change_password(current=PASSWORD, new=TOKEN),
        lambda: client.service_keys("w").create("x", idempotency_key="k"),
    ]


MALFORMED = {"key": {}, "token": ANSWERED, "access_token": ANSWERED, "refresh_token": ANSWERED, "verdicts": [{}, {}]}


@pytest.mark.parametrize(
    "step",
    [problem(401), problem(503), cut, hang, reply(200, MALFORMED), reply(200, ANSWERED.encode(), "text/html")],
    ids=["refused", "unavailable", "cut", "hanging", "malformed", "foreign"],
)
def test_no_error_traceback_or_log_holds_a_secret(connect, faults, caplog, step):
    caplog.set_level(logging.DEBUG)
    server = faults(step)
    client = connect(server.url, CREDENTIAL, max_retries=1, timeout=0.2)
    for call in calls(client):
        try:
            result = call()
        except MortiseError as error:
            assert_error_is_clean(error)
        else:
            # Only a removal and a change of the password ignore the content of an answer.
            assert result is None
    assert_clean(caplog.text)
    assert any(record.name.startswith("httpcore") for record in caplog.records)


def test_a_traceback_shows_what_the_test_looks_for():
    def leaking(text: str) -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011
        leaking(TOKEN)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    with pytest.raises(AssertionError):
        assert_clean("\n".join(str(frame.locals) for frame in stack.stack))


def test_a_retry_is_logged_with_its_cause(connect, faults, caplog):
    caplog.set_level(logging.INFO, "mortise")
    server = faults(problem(503), cut, reply(201, MEMBER))
    connect(server.url, CREDENTIAL).members("acme").add("a@example.com", "owner")
    messages = [record.getMessage() for record in caplog.records if record.name == "mortise"]
    assert "status 503" in messages[0]
    assert "closed the connection" in messages[1]
    assert all("POST /v1/organizations/acme/members" in message for message in messages)


def test_an_error_shows_nothing_of_the_server_s_html(connect, faults):
    server = faults(reply(401, b"<html>" + CREDENTIAL.encode(), "text/html"))
    with pytest.raises(MortiseError) as caught:
        connect(server.url, CREDENTIAL).me()
    assert not isinstance(caught.value, UnauthenticatedError)
    assert_clean(str(caught.value))
