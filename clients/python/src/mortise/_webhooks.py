from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._calls import (
    AsyncGroup,
    Call,
    Listing,
    Segments,
    SyncGroup,
    create,
    get,
    listing,
    operation,
    patch,
    post,
    run,
)
from ._encode import KEEP, Keep, changes, members, texts
from ._models import RevealedWebhook, Webhook, WebhookDelivery

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection


class _WebhookCalls:
    _organization: str

    @operation
    def create(
        self,
        url: str,
        event_types: Sequence[str],
        *,
        workspace_id: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[RevealedWebhook]:
        """Creates a webhook. The answer contains the signing secret, which no other answer contains.

        It requires `events:read`, too. The call is retried under its idempotency key.

        Args:
            url: The URL: `https`, or `http` to the server's own machine.
            event_types: The types of events, such as `key.revoked`, `key.*` or `*`.
            workspace_id: The id of the only workspace whose events are sent. None means the whole organization.
            description: A description, at most 2000 characters.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(
            url=url,
            event_types=texts("event_types", event_types),
            workspace_id=workspace_id,
            description=description,
        )
        return create(self._path(), RevealedWebhook, body, idempotency_key)

    @listing
    def list(self, *, page_size: int = 50) -> Listing[Webhook]:
        """Lists the webhooks, newest first.

        Args:
            page_size: The number of webhooks per page, 1 to 100.
        """
        return Listing(self._path(), Webhook, (), page_size)

    @operation
    def get(self, id: str) -> Call[Webhook]:
        """Gets a webhook."""
        return get(self._path(id), Webhook)

    @operation
    def update(
        self,
        id: str,
        *,
        url: str | Keep = KEEP,
        event_types: Sequence[str] | Keep = KEEP,
        description: str | Keep | None = KEEP,
    ) -> Call[Webhook]:
        """Changes the settings of a webhook.

        It requires `events:read`, too. The call is retried only if nothing was sent.

        Args:
            id: The id of the webhook.
            url: The new URL.
            event_types: The new types of events.
            description: The new description. None removes the description.
        """
        types = event_types if isinstance(event_types, Keep) else texts("event_types", event_types)
        return patch(self._path(id), Webhook, changes(url=url, event_types=types, description=description))

    @operation
    def delete(self, id: str) -> Call[None]:
        """Deletes a webhook with its deliveries. The call is retried only if nothing was sent."""
        return run("DELETE", self._path(id))

    @operation
    def enable(self, id: str) -> Call[Webhook]:
        """Enables a webhook. Events of the time in between can be missing."""
        return post(self._path(id, "enable"), Webhook)

    @operation
    def disable(self, id: str) -> Call[Webhook]:
        """Disables a webhook until it is enabled again."""
        return post(self._path(id, "disable"), Webhook)

    @operation
    def rotate_secret(self, id: str, *, idempotency_key: str | None = None) -> Call[RevealedWebhook]:
        """Rotates the signing secret of a webhook. For 24 hours, the old secret signs, too.

        The call is retried under its idempotency key.

        Args:
            id: The id of the webhook.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        return create(self._path(id, "rotate-secret"), RevealedWebhook, None, idempotency_key)

    @operation
    def test(self, id: str) -> Call[None]:
        """Sends an event of the type `webhook.test`."""
        return run("POST", self._path(id, "test"))

    @listing
    def deliveries(self, id: str, *, page_size: int = 50) -> Listing[WebhookDelivery]:
        """Lists the deliveries of a webhook, newest first.

        Deliveries are kept for 30 days.

        Args:
            id: The id of the webhook.
            page_size: The number of deliveries per page, 1 to 100.
        """
        return Listing(self._path(id, "deliveries"), WebhookDelivery, (), page_size)

    @operation
    def retry(self, id: str, delivery: str) -> Call[None]:
        """Sends a delivery again, also after its last attempt.

        Args:
            id: The id of the webhook.
            delivery: The id of the delivery.
        """
        return run("POST", self._path(id, "deliveries", delivery, "retry"))

    def _path(self, *more: str) -> Segments:
        return ["v1", "organizations", self._organization, "webhooks", *more]


class Webhooks(_WebhookCalls, SyncGroup):
    """The calls for the webhooks of an organization. They require `webhooks:read` or `webhooks:write`."""

    def __init__(self, connection: SyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization


class AsyncWebhooks(_WebhookCalls, AsyncGroup):
    """The calls for the webhooks of an organization. They require `webhooks:read` or `webhooks:write`."""

    def __init__(self, connection: AsyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization
