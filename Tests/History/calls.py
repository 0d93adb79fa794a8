"""Checks of Envoy over gRPC, on HTTP/2 connections that carry one call at a time.

Of HTTP/2 (RFC 9113), the connections speak what a call needs. They send headers as literals that enter no table (RFC 7541, 6.2.2), and do not
read those of the answer, because the message says it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from connections import Answer, Connection, Lost

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4


class CallConnection(Connection):
    """A connection that sends one call of `Authorization/Check` at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = -1
        self.message = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 9:
            end = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < end:
                return
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big")
            content = bytes(self.buffer[9:end])
            del self.buffer[:end]
            self._receive(kind, flags, stream, content)

    def _receive(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind in (SETTINGS, PING) and not flags & ACK:
            self._write(frame(kind, ACK, 0, content if kind == PING else b""))
        elif kind == GOAWAY:
            # The call that is under way is still answered.
            self.is_open = False
        elif stream == self.stream and kind == RST_STREAM:
            self._end(None)
        elif stream == self.stream and kind in (DATA, HEADERS):
            if kind == DATA and content:
                self.message += content
                self._write(frame(WINDOW_UPDATE, 0, 0, len(content).to_bytes(4, "big")))
            if flags & END_STREAM:
                self._end(answer_of(self.message))

    def _end(self, answer: Answer | None) -> None:
        if not self.waiter or self.waiter.done():
            return
        if answer:
            self.waiter.set_result(answer)
        else:
            self.waiter.set_exception(Lost())

    def _write(self, data: bytes) -> None:
        assert self.transport
        self.transport.write(data)

    async def send(self, request: bytes, timeout: float) -> Answer:
        """Sends a message, and returns the answer as a gateway over HTTP has it."""
        self.stream += 2
        self.message = b""
        message = b"\0" + len(request).to_bytes(4, "big") + request
        call = frame(HEADERS, END_HEADERS, self.stream, CALL) + frame(DATA, END_STREAM, self.stream, message)
        return await super().send(call, timeout)


def frame(kind: int, flags: int, stream: int = 0, content: bytes = b"") -> bytes:
    """Returns the bytes of a frame."""
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def literal(name: str, value: str) -> bytes:
    """Encodes a header whose name and value have less than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


# The headers of each call.
CALL = b"".join([
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", "/envoy.service.auth.v3.Authorization/Check"),
    literal(":authority", "mortise"),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
])


def varint(number: int) -> bytes:
    """Encodes a number as Protocol Buffers do."""
    more = []
    while number > 127:
        more.append(number & 127 | 128)
        number >>= 7
    return bytes([*more, number])


def field(number: int, content: bytes | str) -> bytes:
    """Encodes a text or a submessage."""
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def check(token: str, **extensions: str) -> bytes:
    """Encodes a `CheckRequest`: the header `x-api-key`, and context extensions."""
    headers = field(3, field(1, "x-api-key") + field(2, token))
    configured = b"".join(field(10, field(1, name) + field(2, value)) for name, value in extensions.items())
    return field(1, field(4, field(2, headers)) + configured)


def fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The fields of a message: their number, and a value that is a number or bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 0:
            yield tag >> 3, value, b""
        else:
            yield tag >> 3, 0, data[at : at + value]
            at += value


def answer_of(message: bytes) -> Answer:
    """The answer in a `CheckResponse`, or status 0 for a call that ended with an error of gRPC, which a refusal never is."""
    for number, _, content in fields(message[5:]):
        # CheckResponse.ok_response
        if number == 3:
            return Answer(200, b"")
        # CheckResponse.denied_response
        if number == 2:
            return denied(content)
    return Answer(0, b"")


def denied(response: bytes) -> Answer:
    """The answer in a `DeniedHttpResponse`."""
    status, head = 0, b""
    for number, _, content in fields(response):
        if number == 1:
            status = next(value for _, value, _ in fields(content))
        elif number == 2:
            # HeaderValueOption.header
            header = next(value for inner, _, value in fields(content) if inner == 1)
            texts = {inner: value for inner, _, value in fields(header)}
            head += b"\r\n" + texts.get(1, b"") + b": " + texts.get(2, b"")
    return Answer(status, b"", head)
