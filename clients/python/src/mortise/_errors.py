from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request."""

    place: str | None
    """A JSON pointer into the body, or the name of a parameter or header. None if the fault has no place."""
    detail: str
    """The fault, as a clause or sentence for people."""


class MortiseError(Exception):
    """The error of a failed call.

    The subclass tells what to do about the error. The attributes tell what happened. No part of an error holds a token,
    so an error can be logged.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        faults: tuple[Fault, ...] = (),
        retry_after: float | None = None,
        may_have_taken_effect: bool = False,
        idempotency_key: str | None = None,
    ) -> None:
        """Creates an error."""
        super().__init__(message)
        self.message = message
        """A sentence for people, partly from the server."""
        self.status = status
        """The HTTP status of the response, or None if there was none."""
        self.code = code
        """The server's stable code, such as `not_found`."""
        self.request_id = request_id
        """The id of the request in the server's log, if the response had one."""
        self.faults = faults
        """The faults of the request that the server named, each with its place."""
        self.retry_after = retry_after
        """The seconds to wait before the next attempt, as the server asked for: 0 to 86400."""
        self.may_have_taken_effect = may_have_taken_effect
        """True if the server may have done what the call asked for. Always false for reads."""
        self.idempotency_key = idempotency_key
        """The idempotency key that the call carried.

        Repeat the same call with this key to get the lost answer. The server does nothing twice within 24 hours.
        """

    def __str__(self) -> str:
        request = f"request {self.request_id}" if self.request_id else None
        marks = ", ".join(str(mark) for mark in (self.status, self.code, request) if mark is not None)
        # The server's sentence about a single fault has its place and its detail.
        faults = self.faults if len(self.faults) != 1 or self.faults[0].detail not in self.message else ()
        places = "".join(f"; {fault.place}: {fault.detail}" if fault.place else f"; {fault.detail}" for fault in faults)
        return self.message + (f" ({marks})" if marks else "") + places

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), self.__dict__)


class InvalidRequestError(MortiseError):
    """The request is not valid (status 400, 413 or 422). `faults` has the details."""


class UnauthenticatedError(MortiseError):
    """There is no credential, or the server does not accept it (401)."""


class ForbiddenError(MortiseError):
    """The credential lacks a permission, or its kind cannot make this call (403)."""


class NotFoundError(MortiseError):
    """The resource does not exist, or belongs to another organization (404)."""


class ConflictError(MortiseError):
    """The state of the resource forbids the change, or a name is taken (409)."""


class RateLimitedError(MortiseError):
    """A rate limit is reached (429). `retry_after` has the time to wait."""


class UnavailableError(MortiseError):
    """The server, or the database of the workspace, is unavailable (502, 503 or 504)."""


class RefusedError(MortiseError):
    """The server refused the request with another status."""


class UnreachableError(MortiseError):
    """No server was reached, or the connection broke."""


class TimedOutError(MortiseError):
    """The call took longer than the timeout of the client."""


class UnexpectedAnswerError(MortiseError):
    """The response is not one that Mortise sends. A proxy, or another server, may have answered."""


class CredentialError(MortiseError):
    """The credential cannot be sent. Nothing was sent."""


_BY_STATUS: dict[int, type[MortiseError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def error_type(status: int) -> type[MortiseError]:
    """Returns the type of the error for the status of a response."""
    return _BY_STATUS.get(status, RefusedError)
