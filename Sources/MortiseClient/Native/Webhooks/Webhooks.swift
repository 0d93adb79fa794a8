import JSON

extension Mortise {
    /// The calls for the webhooks of an organization.
    ///
    /// They require an admin key or a member's session with the permission `webhooks:read` or `webhooks:write`.
    public struct Webhooks: Sendable {
        let transport: Transport
        let organization: String

        /// Lists the webhooks, newest first.
        ///
        /// Requires the permission `webhooks:read`.
        ///
        /// - Parameter limit: The number of webhooks per page, 1 to 100.
        /// - Returns: The webhooks.
        public func list(limit: Int = 50) -> PageSequence<Webhook> {
            transport.list(path(), [], limit: limit)
        }

        /// Gets a webhook.
        ///
        /// Requires the permission `webhooks:read`.
        ///
        /// - Parameter id: The id of the webhook.
        /// - Returns: The webhook.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func get(_ id: String) async throws(MortiseError) -> Webhook {
            try await transport.read(.get(path(id)))
        }

        /// Creates a webhook.
        ///
        /// Requires the permissions `webhooks:write` and `events:read`. The call is retried under its idempotency key.
        ///
        /// - Parameters:
        ///   - url: The URL: https, or http on the server's own machine.
        ///   - eventTypes: The types of events, such as `key.revoked`, `key.*` or `*`.
        ///   - workspaceID: The id of the only workspace whose events are sent. `nil` means the whole organization.
        ///   - description: A description, at most 2000 characters.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The webhook and its signing secret.
        /// - Throws: ``MortiseError``, for example with the reason `.invalidRequest` for another URL.
        public func create(
            url: String,
            eventTypes: [String],
            workspaceID: String? = nil,
            description: String? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> RevealedWebhook {
            var body = JSONObject()
            body.add("url", url)
            body.add("event_types", eventTypes)
            body.add("workspace_id", workspaceID)
            body.add("description", description)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key))
        }

        /// Changes the settings of a webhook.
        ///
        /// Requires the permissions `webhooks:write` and `events:read`. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - id: The id of the webhook.
        ///   - url: The new URL, or `nil` to keep the URL.
        ///   - eventTypes: The new types of events, or `nil` to keep them.
        ///   - description: The change of the description.
        /// - Returns: The webhook.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func update(
            _ id: String,
            url: String? = nil,
            eventTypes: [String]? = nil,
            description: Change<String> = .keep
        ) async throws(MortiseError) -> Webhook {
            var body = JSONObject()
            body.add("url", url)
            body.add("event_types", eventTypes)
            body.add("description", description, JSONValue.string)
            return try await transport.read(.patch(path(id), body))
        }

        /// Deletes a webhook with its deliveries.
        ///
        /// Requires the permission `webhooks:write`. The call is retried only if nothing was sent.
        ///
        /// - Parameter id: The id of the webhook.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func delete(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)))
        }

        /// Enables a webhook.
        ///
        /// Requires the permissions `webhooks:write` and `events:read`. Events of the time in between can be missing.
        ///
        /// - Parameter id: The id of the webhook.
        /// - Returns: The webhook.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func enable(_ id: String) async throws(MortiseError) -> Webhook {
            try await transport.read(.post(path(id, "enable")))
        }

        /// Disables a webhook.
        ///
        /// Requires the permission `webhooks:write`.
        ///
        /// - Parameter id: The id of the webhook.
        /// - Returns: The webhook.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func disable(_ id: String) async throws(MortiseError) -> Webhook {
            try await transport.read(.post(path(id, "disable")))
        }

        /// Rotates the signing secret of a webhook.
        ///
        /// Requires the permission `webhooks:write`. For 24 hours, the old secret signs, too. The call is retried under its
        /// idempotency key.
        ///
        /// - Parameters:
        ///   - id: The id of the webhook.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The webhook and its new signing secret.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the webhook does not exist.
        public func rotateSecret(
            _ id: String,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> RevealedWebhook {
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(id, "rotate-secret"), idempotencyKey: key))
        }

        /// Sends an event of the type `webhook.test`.
        ///
        /// Requires the permission `webhooks:write`.
        ///
        /// - Parameter id: The id of the webhook.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the webhook is disabled.
        public func test(_ id: String) async throws(MortiseError) {
            try await transport.run(.post(path(id, "test")))
        }

        /// Lists the deliveries of a webhook, newest first.
        ///
        /// Requires the permission `webhooks:read`. Deliveries are kept for 30 days.
        ///
        /// - Parameters:
        ///   - id: The id of the webhook.
        ///   - limit: The number of deliveries per page, 1 to 100.
        /// - Returns: The deliveries.
        public func deliveries(of id: String, limit: Int = 50) -> PageSequence<WebhookDelivery> {
            transport.list(path(id, "deliveries"), [], limit: limit)
        }

        /// Sends a delivery again, also after its last attempt.
        ///
        /// Requires the permission `webhooks:write`.
        ///
        /// - Parameters:
        ///   - delivery: The id of the delivery.
        ///   - id: The id of the webhook.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the webhook is disabled.
        public func retry(_ delivery: String, of id: String) async throws(MortiseError) {
            try await transport.run(.post(path(id, "deliveries", delivery, "retry")))
        }

        private func path(_ more: String...) -> [String] {
            ["v1", "organizations", organization, "webhooks"] + more
        }
    }
}
