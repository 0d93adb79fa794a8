"""Webhooks of a real server, verified by the library of standardwebhooks.com."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from .mortise_server import PATIENT


class Receiver(http.server.ThreadingHTTPServer):
    """A receiver that remembers the bodies and headers of its requests."""

    def __init__(self) -> None:
        self.requests: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.requests.put((body, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_published_library_verifies_the_requests(connect, server, receiver):
    admin = connect(server.url, server.admin, **PATIENT)
    organization = admin.me().organization_id
    webhooks = admin.webhooks(organization)
    created = webhooks.create(receiver.url, ["key.*"], description="test")
    assert created.webhook.enabled
    assert created.webhook.id in [found.id for found in webhooks.list()]
    webhooks.test(created.webhook.id)
    body, headers = receiver.requests.get(timeout=600)
    event = Webhook(created.secret.reveal()).verify(body, headers)
    assert event["type"] == "webhook.test"
    assert event["data"]["organization_id"] == organization
    with pytest.raises(WebhookVerificationError):
        Webhook(created.secret.reveal()).verify(body + b" ", headers)
    # Both secrets verify during the overlap.
    rotated = webhooks.rotate_secret(created.webhook.id)
    webhooks.test(created.webhook.id)
    body, headers = receiver.requests.get(timeout=600)
    for secret in (created.secret, rotated.secret):
        assert Webhook(secret.reveal()).verify(body, headers)["type"] == "webhook.test"
    changed = webhooks.update(created.webhook.id, description=None, event_types=["key.revoked"])
    assert (changed.description, changed.event_types) == (None, ("key.revoked",))
    deliveries = webhooks.deliveries(created.webhook.id).all()
    assert {delivery.type for delivery in deliveries} == {"webhook.test"}
    webhooks.retry(created.webhook.id, deliveries[0].id)
    assert not webhooks.disable(created.webhook.id).enabled
    assert webhooks.enable(created.webhook.id).enabled
    assert webhooks.get(created.webhook.id).id == created.webhook.id
    webhooks.delete(created.webhook.id)
    assert created.webhook.id not in [found.id for found in webhooks.list()]
