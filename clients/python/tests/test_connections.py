"""Connections: TLS, given HTTP clients, and the environment."""

from __future__ import annotations

import ssl
import subprocess

import httpx
import pytest

from mortise import AsyncMortise, Mortise, UnreachableError

from .fault_server import reply
from .test_faults import ORGANIZATION, found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file, "-out", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + done.stdout)
    return file


@pytest.fixture
def tls_server(faults, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return faults(found, tls=context)


def test_an_unknown_certificate_is_refused_and_not_tried_again(connect, tls_server):
    with pytest.raises(UnreachableError, match="certificate") as caught:
        connect(tls_server.url, "t").members("acme").add("a@example.com", "owner")
    assert tls_server.requests == []
    assert connect.pauses == []
    assert not caught.value.may_have_taken_effect


def test_a_given_http_client_is_used_and_stays_open(connect, tls_server, certificate):
    settings = {"verify": ssl.create_default_context(cafile=certificate)}
    http = httpx.AsyncClient(**settings) if connect.is_async else httpx.Client(**settings)
    client = connect(tls_server.url, "t", http=http)
    client.close()
    assert client.organizations.get("acme").slug == "acme"
    assert not http.is_closed
    if connect.is_async:
        connect.loop.run_until_complete(http.aclose())
    else:
        http.close()


def test_the_end_of_a_block_closes_the_connections(faults):
    server = faults(reply(200, ORGANIZATION))
    with Mortise(server.url, "t") as client:
        client.organizations.get("acme")
    with pytest.raises(RuntimeError, match="closed"):
        client.organizations.get("acme")


@pytest.mark.parametrize("cls", [Mortise, AsyncMortise])
def test_the_environment_names_the_server_and_the_token(cls, monkeypatch):
    monkeypatch.delenv("MORTISE_URL", raising=False)
    monkeypatch.delenv("MORTISE_TOKEN", raising=False)
    with pytest.raises(ValueError, match="MORTISE_TOKEN"):
        cls.from_environment()
    monkeypatch.setenv("MORTISE_TOKEN", "t")
    assert repr(cls.from_environment()) == f"{cls.__name__}('http://127.0.0.1:8080')"
    monkeypatch.setenv("MORTISE_URL", "https://keys.example.com/")
    assert repr(cls.from_environment()) == f"{cls.__name__}('https://keys.example.com')"
    assert repr(cls.from_environment("http://127.0.0.1:1")) == f"{cls.__name__}('http://127.0.0.1:1')"
