"""The exchange of a call: attempts, retries and the reading of the answer, without input or output.

`exchange` is a generator. It yields the next step, and the connection performs the step and sends the result back. So
both clients have the same behavior, and only the few lines that perform a step exist twice.
"""

from __future__ import annotations

import email.utils
import json
import logging
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from ._calls import Call
from ._decode import DecodeError
from ._encode import body_text
from ._errors import (
    CredentialError,
    Fault,
    MortiseError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
    error_type,
)
from ._secret import SecretToken, is_sendable

Result = TypeVar("Result")

logger = logging.getLogger("mortise")

_RETRY_AFTER_LIMIT = 86_400


@dataclass(frozen=True)
class Policy:
    """The deadline, the retries and the user agent of a client."""

    url: str
    timeout: float
    attempt_timeout: float
    max_retries: int
    user_agent: str
    random: Callable[[], float]


@dataclass(frozen=True)
class Authorize:
    """Asks for the credential, other than the token that the server has just refused."""

    rejected: SecretToken | None


@dataclass(frozen=True, repr=False)
class Send:
    """Asks for one attempt, which ends after a number of seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: SecretToken | None
    limit: float


@dataclass(frozen=True)
class Pause:
    """Asks for a wait between two attempts."""

    seconds: float


@dataclass(frozen=True, repr=False)
class Answer:
    """The response of a server."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_uncertain(self) -> bool:
        """True if the server may have done what the call asked for, although it refused the call.

        A response 4xx means that nothing was done. A conflict with Retry-After is an exception: a duplicate request, or
        another change of the same resource, is still running.
        """
        return self.status < 300 or self.status >= 500 or (self.status == 409 and "retry-after" in self.headers)

    def json(self) -> Any:
        """Returns the body as JSON, or None if the body is not JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def retry_after(self) -> float | None:
        """Returns the time to wait from `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(min(int(text[:12]), _RETRY_AFTER_LIMIT))
        try:
            wait = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
        return min(max(wait, 0.0), float(_RETRY_AFTER_LIMIT))


@dataclass(frozen=True)
class Failure:
    """An attempt without a response."""

    predicate: str
    """The predicate of a sentence about the server."""
    is_before_sending: bool = False
    """True if the attempt failed before anything was sent."""
    is_passing: bool = True
    """True if a new connection can succeed."""
    is_timeout: bool = False
    """True if the server did not respond in time."""

    @property
    def is_uncertain(self) -> bool:
        """True if the server may have done what the call asked for."""
        return not self.is_before_sending


Step = Authorize | Send | Pause


def exchange(call: Call[Result], policy: Policy) -> Generator[Step, Any, Result]:
    """Makes attempts until one succeeds or the retry policy gives up, and returns the result of the call."""
    started = time.monotonic()
    content = None if call.body is None else body_text(call.body)
    rejected: SecretToken | None = None
    retries = 0
    is_uncertain = False
    while True:
        token: SecretToken | None = yield Authorize(rejected)
        left = policy.timeout - (time.monotonic() - started)
        outcome: Answer | Failure = yield _request(call, token, content, policy, _limit(call, policy, left))
        is_uncertain = is_uncertain or outcome.is_uncertain
        # A refused credential means that nothing was done. If the credential can be renewed, any call is sent again,
        # once.
        if isinstance(outcome, Answer) and outcome.status == 401 and token is not None and rejected is None:
            renewed: SecretToken | None = yield Authorize(token)
            if renewed is not None:
                rejected = token
                continue
        delay = _delay(call, outcome, retries, policy)
        if delay is None or delay >= policy.timeout - (time.monotonic() - started):
            break
        retries += 1
        cause = f"status {outcome.status}" if isinstance(outcome, Answer) else "a server that " + outcome.predicate
        logger.info("retrying %s in %.2f s after %s", call, delay, cause)
        yield Pause(delay)
    if isinstance(outcome, Failure):
        error = _failed(outcome, policy)
    else:
        result = _read(call, outcome, policy)
        if not isinstance(result, MortiseError):
            return result
        error = result
    error.may_have_taken_effect = is_uncertain and not call.is_read
    error.idempotency_key = call.idempotency_key
    raise error


def _limit(call: Call[Any], policy: Policy, left: float) -> float:
    # An attempt that hangs is worth a second one only if the call can be repeated.
    return max(min(left, policy.attempt_timeout) if call.is_safe_to_repeat else left, 0.001)


def _request(
    call: Call[Any], token: SecretToken | None, content: SecretToken | None, policy: Policy, limit: float
) -> Send:
    headers = {"User-Agent": policy.user_agent, "Accept": "application/json"}
    if token is not None:
        if not is_sendable(token):
            raise CredentialError("The credential is not a token. A token is 1 to 8192 visible ASCII characters.")
        headers["Authorization"] = f"Bearer {token.reveal()}"
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    if content is not None:
        headers["Content-Type"] = "application/json"
    query = "?" + urlencode(call.query, quote_via=quote, safe="") if call.query else ""
    return Send(call.method, policy.url + call.path + query, headers, content, limit)


def _delay(call: Call[Any], outcome: Answer | Failure, retries: int, policy: Policy) -> float | None:
    """Returns the seconds to wait before the call is sent again, or None if it is not.

    Reads, and calls with an idempotency key, can be repeated. Any other call can be repeated only if nothing was sent,
    because otherwise the first attempt may have taken effect.
    """
    if retries >= policy.max_retries:
        return None
    # Doubles from 0.25 to 8 seconds, less up to half at random, which spreads clients that failed together.
    backoff = 0.25 * 2 ** min(retries, 5) * (0.5 + min(max(policy.random(), 0.0), 1.0) / 2)
    if isinstance(outcome, Failure):
        repeatable = outcome.is_before_sending or call.is_safe_to_repeat
        return backoff if outcome.is_passing and repeatable else None
    if not call.is_safe_to_repeat or not _is_passing(outcome):
        return None
    retry_after = outcome.retry_after()
    return backoff if retry_after is None else retry_after


def _is_passing(answer: Answer) -> bool:
    """Returns true if the same request can get another response a little later."""
    if answer.headers.get("x-should-retry") == "false":
        return False
    # A conflict with Retry-After is with a request that is running, not with the state of a resource.
    return answer.status in (408, 429, 502, 503, 504) or (answer.status == 409 and "retry-after" in answer.headers)


def _failed(failure: Failure, policy: Policy) -> MortiseError:
    if failure.is_timeout:
        return TimedOutError(f"{policy.url} did not answer within {policy.timeout:g} s.")
    return UnreachableError(f"{policy.url} {failure.predicate}")


def _read(call: Call[Result], answer: Answer, policy: Policy) -> Result | MortiseError:
    """Returns the result of a call, or the error of its answer.

    The error is a value, because a traceback of this function would show the body, which can hold a token.
    """
    if 300 <= answer.status < 400:
        return _unexpected(answer, f"{policy.url} redirects. Use the URL of the Mortise server itself.")
    is_empty = answer.status == 204 or (answer.status == 202 and not answer.content)
    body = None if is_empty else answer.json()
    if not 200 <= answer.status < 300 and isinstance(body, dict):
        return _refusal(answer, body)
    if answer.status >= 400 or (body is None and not is_empty):
        sentence = f"{policy.url} sent a response that is not Mortise's (status {answer.status}). Check the URL."
        return _unexpected(answer, sentence)
    try:
        return call.read(body)
    except DecodeError as fault:
        return _unexpected(answer, f"The response of the server is malformed: {fault}.")


def _unexpected(answer: Answer, message: str) -> MortiseError:
    # A proxy reports an outage or a rate limit in its own format, but with HTTP's status.
    is_outage = answer.status in (429, 502, 503, 504)
    return (error_type(answer.status) if is_outage else UnexpectedAnswerError)(
        message,
        status=answer.status,
        request_id=answer.headers.get("x-request-id"),
        retry_after=answer.retry_after(),
    )


def _refusal(answer: Answer, problem: Mapping[str, Any]) -> MortiseError:
    """Returns the error that a problem (RFC 9457) describes."""
    return error_type(answer.status)(
        _text(problem, "detail") or _text(problem, "title") or "The server refused the request.",
        status=answer.status,
        code=_text(problem, "code"),
        request_id=_text(problem, "request_id") or answer.headers.get("x-request-id"),
        faults=_faults(problem.get("errors")),
        retry_after=answer.retry_after(),
    )


def _faults(errors: Any) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            _text(error, "pointer") or _text(error, "parameter") or _text(error, "header"),
            _text(error, "detail") or "not valid",
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) and value else None
