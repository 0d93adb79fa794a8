"""Asks Mortise with the gRPC library of Python, whose HTTP/2 is another one than Envoy's."""

from __future__ import annotations

import concurrent.futures

import grpc

CHECK = "/envoy.service.auth.v3.Authorization/Check"
HEALTH = "/grpc.health.v1.Health/Check"


def varint(number: int) -> bytes:
    """Encodes a number as Protocol Buffers do."""
    more, last = [], number
    while last > 127:
        more.append(last & 127 | 128)
        last >>= 7
    return bytes([*more, last])


def field(number: int, content: bytes | str) -> bytes:
    """Encodes a text or a submessage."""
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def request(token: str, **extensions: str) -> bytes:
    """Encodes a CheckRequest."""
    headers = field(3, field(1, "x-api-key") + field(2, token))
    configured = b"".join(field(10, field(1, name) + field(2, value)) for name, value in extensions.items())
    return field(1, field(4, field(2, headers)) + configured)


def check(keys, address: str) -> None:
    """Checks the answers to calls, and the errors of calls that are wrong."""
    key, token = keys.create("grpc")
    options = [("grpc.enable_retries", 0)]
    with grpc.insecure_channel(address, options) as channel:
        ask = channel.unary_unary(CHECK)
        answer = ask(request(token, organization="default", scope="read:orders"), timeout=20)
        assert field(1, field(1, "x-mortise-key-id") + field(2, key)) in answer, answer
        assert b"insufficient_scope" in ask(request(token, organization="default", scope="write:orders"), timeout=20)
        assert b"not_found" in ask(request(token, organization="nobody"), timeout=20)
        assert b"invalid_request" in ask(b"", timeout=20)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: ask(request(token, organization="default"), timeout=60), range(2000)))
        assert all(key.encode() in answer for answer in answers)
        assert channel.unary_unary(HEALTH)(b"", timeout=20) == b"\x08\x01"
        assert code(channel.unary_unary("/envoy.service.auth.v3.Authorization/Other")) == grpc.StatusCode.UNIMPLEMENTED
        assert code(channel.unary_unary(HEALTH), field(1, "other")) == grpc.StatusCode.NOT_FOUND
        compressed = channel.unary_unary(CHECK)
        large = request(token, organization="default") + field(9, "x" * 10_000)
        assert code(compressed, large, grpc.Compression.Gzip) == grpc.StatusCode.UNIMPLEMENTED
        assert b"at most" in ask(field(9, b"x" * 2_000_000), timeout=20)
        keys.revoke(key)
        assert b"revoked" in ask(request(token, organization="default"), timeout=20)
    print("  the gRPC library of Python: checks, health, errors, and a revoked key")


def code(call, message: bytes = b"", compression: grpc.Compression | None = None) -> grpc.StatusCode:
    """Returns the status of a call that fails."""
    try:
        call(message, timeout=20, compression=compression)
    except grpc.RpcError as error:
        return error.code()
    raise AssertionError("the call did not fail")
