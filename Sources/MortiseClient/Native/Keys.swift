import JSON

extension Mortise {
    /// The keys of one place.
    ///
    /// ```swift
    /// let keys = client.keys(.service(workspace: "shop"))
    /// for try await key in keys.list(status: .active) { print(keys.collection, key.name, key.prefix) }
    /// ```
    public struct Keys: Sendable {
        let transport: Transport
        /// Where the keys are.
        public let collection: KeyCollection

        /// Makes a key.
        ///
        /// Should the connection break, the call is repeated under the same idempotency key, so that one key is made.
        ///
        /// ```swift
        /// let issued = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "CI"))
        /// try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - draft: the key's settings.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The key and its token, which is shown this once.
        /// - Throws: `MortiseError`.
        public func create(
            _ draft: KeyDraft,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> IssuedKey {
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(collection.path(), draft.body, idempotencyKey: key))
        }

        /// The keys, newest first.
        ///
        /// ```swift
        /// for try await key in client.keys(.service(workspace: "shop")).list(query: "CI") { print(key.name) }
        /// ```
        ///
        /// - Parameters:
        ///   - query: only those with this text in the name, the description or the prefix.
        ///   - status: only those of this status.
        ///   - type: only those of this type.
        ///   - subject: only the client keys of this subject.
        ///   - limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func list(
            query: String? = nil,
            status: Key.Status? = nil,
            type: String? = nil,
            subject: String? = nil,
            limit: Int = 50
        ) -> PageSequence<Key> {
            let filters = [("query", query), ("status", status?.rawValue), ("type", type), ("subject", subject)]
            return transport.list(collection.path(), filters, limit: limit)
        }

        /// One key.
        ///
        /// ```swift
        /// let key = try await client.keys(.operator).get("0198c0de-0000-7000-8000-000000000001")
        /// print(key.permissions)
        /// ```
        public func get(_ id: String) async throws(MortiseError) -> Key {
            try await transport.read(.get(collection.path(id)))
        }

        /// Changes the settings of a key.
        ///
        /// When it returns, no node decides by the old settings any more.
        ///
        /// ```swift
        /// var changes = Mortise.KeyChanges()
        /// changes.rateLimitPerMinute = .set(600)
        /// let keys = client.keys(.service(workspace: "shop"))
        /// let key = try await keys.update("0198c0de-0000-7000-8000-000000000001", changes)
        /// print(key.rateLimitPerMinute ?? 0)
        /// ```
        public func update(_ id: String, _ changes: KeyChanges) async throws(MortiseError) -> Key {
            try await transport.read(.patch(collection.path(id), changes.body))
        }

        /// Deletes a key; its events stay.
        ///
        /// ```swift
        /// try await client.keys(.service(workspace: "shop")).delete("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func delete(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(collection.path(id)))
        }

        /// What happened to a key, newest first, also after its deletion.
        ///
        /// ```swift
        /// for try await event in client.keys(.operator).events("0198c0de-0000-7000-8000-000000000001") {
        ///     print(event.type, event.actor)
        /// }
        /// ```
        ///
        /// - Parameters:
        ///   - id: the key's id.
        ///   - filter: which events are wanted.
        ///   - limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func events(
            _ id: String,
            _ filter: EventFilter = EventFilter(),
            limit: Int = 50
        ) -> PageSequence<Event> {
            transport.list(collection.path(id, "events"), filter.parameters, limit: limit)
        }
    }
}
