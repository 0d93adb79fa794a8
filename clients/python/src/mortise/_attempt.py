"""The parts of an attempt that need no input or output: its deadline, its answer and its failures."""

from __future__ import annotations

import ssl
import time
from typing import Any

import httpx

from ._exchange import Answer, Failure, Send

# A page of 100 keys, each with 16 KiB of metadata, needs about 2 MiB.
_ANSWER_LIMIT = 16 * 1024 * 1024
_CONNECT_LIMIT = 10.0


class AnswerTooLargeError(Exception):
    """The response is larger than any response of Mortise."""


class AttemptTimeoutError(Exception):
    """The attempt reached its deadline while the response arrived."""


class Deadline:
    """The deadline of one attempt.

    HTTPX limits each step of an attempt by itself. So the limits are reduced at the start of each step to the time that
    is left.
    """

    def __init__(self, limit: float) -> None:
        self._end = time.monotonic() + limit
        self._timeouts: dict[str, float] = {}
        self.reduce()

    @property
    def extensions(self) -> dict[str, Any]:
        """The request extensions of HTTPX, of which the timeouts change during the attempt."""
        return {"timeout": self._timeouts}

    def reduce(self) -> None:
        """Sets the limits of the next steps to the time that is left."""
        left = max(self._end - time.monotonic(), 0.001)
        self._timeouts.update(connect=min(left, _CONNECT_LIMIT), read=left, write=left, pool=left)

    def check(self) -> None:
        """Raises `AttemptTimeoutError` after the deadline."""
        if time.monotonic() > self._end:
            raise AttemptTimeoutError


class Body:
    """Collects the body of a response within its limits."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Adds the next part of the body."""
        self._content += chunk
        if len(self._content) > _ANSWER_LIMIT:
            raise AnswerTooLargeError
        self._deadline.check()

    def answer(self, response: httpx.Response) -> Answer:
        """Returns the response with the collected body."""
        return Answer(response.status_code, response.headers, bytes(self._content))


def build_request(client: httpx.Client | httpx.AsyncClient, send: Send, extensions: dict[str, Any]) -> httpx.Request:
    """Returns the request of an attempt."""
    content = None if send.content is None else send.content.reveal()
    return client.build_request(
        send.method, send.url, headers=dict(send.headers), content=content, extensions=extensions
    )


FAILURES = (httpx.HTTPError, httpx.StreamError, AnswerTooLargeError, AttemptTimeoutError)
"""The errors of an attempt without a response."""


def failure(error: BaseException) -> Failure:
    """Returns the reason why an attempt has no response.

    The reason is a value, not the error: the frames of HTTPX hold the credential, and an error that is raised from this
    one would show them.
    """
    match error:
        case AttemptTimeoutError() | httpx.ReadTimeout() | httpx.WriteTimeout():
            return Failure("did not respond in time.", is_timeout=True)
        case httpx.PoolTimeout():
            return Failure("was not called: all connections of the client are in use.", is_before_sending=True)
        case httpx.ConnectTimeout():
            return Failure("cannot be reached: the connection was not established in time.", is_before_sending=True)
        case httpx.ConnectError() if _certificate_fault(error) is not None:
            reason = f"has a certificate that is not accepted: {_certificate_fault(error)}."
            return Failure(reason, is_before_sending=True, is_passing=False)
        case httpx.ConnectError():
            return Failure(f"cannot be reached: {error}.", is_before_sending=True)
        case httpx.ProxyError() | httpx.UnsupportedProtocol():
            return Failure(f"cannot be reached: {error}.", is_before_sending=True, is_passing=False)
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return Failure("closed the connection before the response was complete.")
        case AnswerTooLargeError():
            return Failure("sent a response that is larger than any response of Mortise.", is_passing=False)
        case _:
            return Failure(f"does not follow the protocol: {type(error).__name__}.", is_passing=False)


def _certificate_fault(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
