#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The calls for one collection of keys.
    ///
    /// Reading requires the permission `keys:read`, changes require `keys:write`, and events require `events:read`. A
    /// member without these permissions can manage the client keys whose subject is the member's own user id. Operator
    /// keys manage operator keys and admin keys, but no keys of a workspace.
    public struct Keys: Sendable {
        let transport: Transport
        /// The collection of the keys.
        public let collection: KeyCollection

        /// Creates a key.
        ///
        /// Requires the permission `keys:write`. The call is retried under its idempotency key, so a broken connection
        /// cannot create two keys.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "create")
        ///
        /// - Parameters:
        ///   - draft: The settings of the key.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The key and its token. No later response contains the token.
        /// - Throws: ``MortiseError``, for example with the reason `.invalidRequest`, or `.conflict` if the name is
        ///   taken or the workspace is not active.
        public func create(
            _ draft: KeyDraft,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> IssuedKey {
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(collection.path(), draft.body, idempotencyKey: key))
        }

        /// Lists the keys, newest first by default.
        ///
        /// Requires the permission `keys:read`. A key that is renamed or used while its list is read can appear twice or
        /// not at all in that order.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "list")
        ///
        /// - Parameters:
        ///   - query: A part of the name or the description, or the beginning of a token, 1 to 255 characters.
        ///   - status: The status of the keys.
        ///   - type: The type of the service keys, `service` or `anon`. Other collections do not have this filter.
        ///   - subject: The subject of the client keys. Other collections do not have this filter.
        ///   - unusedSince: The time before which the keys were created, and since which they were not used.
        ///   - expiresBefore: The time before which the keys end, by expiry or a grace period. Only keys that work now
        ///     are listed.
        ///   - sort: The order; `nil` means newest first.
        ///   - limit: The number of keys per page, 1 to 100.
        /// - Returns: The keys that pass all filters.
        public func list(
            query: String? = nil,
            status: Key.Status? = nil,
            type: String? = nil,
            subject: String? = nil,
            unusedSince: Date? = nil,
            expiresBefore: Date? = nil,
            sort: Key.Sort? = nil,
            limit: Int = 50
        ) -> PageSequence<Key> {
            let filters: [(String, String?)] = [
                ("query", query), ("status", status?.rawValue), ("type", type), ("subject", subject),
                ("unused_since", unusedSince?.rfc3339), ("expires_before", expiresBefore?.rfc3339),
                ("sort", sort?.rawValue),
            ]
            return transport.list(collection.path(), filters, limit: limit)
        }

        /// Gets a key.
        ///
        /// Requires the permission `keys:read`.
        ///
        /// - Parameter id: The id of the key.
        /// - Returns: The key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func get(_ id: String) async throws(MortiseError) -> Key {
            try await transport.read(.get(collection.path(id)))
        }

        /// Changes the settings of a key.
        ///
        /// Requires the permission `keys:write`. When the call returns, no node of the server uses the old settings.
        /// The call is retried only if nothing was sent.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "update")
        ///
        /// - Parameters:
        ///   - id: The id of the key.
        ///   - changes: The settings to change.
        /// - Returns: The key with the new settings.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the key is revoked or the name is
        ///   taken.
        public func update(_ id: String, _ changes: KeyChanges) async throws(MortiseError) -> Key {
            try await transport.read(.patch(collection.path(id), changes.body))
        }

        /// Deletes a key.
        ///
        /// Requires the permission `keys:write`. The key stops working at once and forever, and disappears from lists.
        /// Its events stay. The call is retried only if nothing was sent.
        ///
        /// - Parameter id: The id of the key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func delete(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(collection.path(id)))
        }

        /// Lists the events of a key, newest first, also after its deletion.
        ///
        /// Requires the permission `events:read`.
        ///
        /// - Parameters:
        ///   - id: The id of the key.
        ///   - filter: The events to list.
        ///   - limit: The number of events per page, 1 to 100.
        /// - Returns: The events that pass the filter.
        public func events(
            _ id: String,
            _ filter: EventFilter = EventFilter(),
            limit: Int = 50
        ) -> PageSequence<Event> {
            transport.list(collection.path(id, "events"), filter.parameters, limit: limit)
        }

        /// Reports the verifications of a key, in the order of time.
        ///
        /// Requires the permission `keys:read`. A step without a verification has no row. The server writes counts every
        /// second, so a report can lack the last two seconds.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "usage")
        ///
        /// - Parameters:
        ///   - id: The id of the key.
        ///   - query: The interval, the step and the rows. The last 24 hours by default.
        ///   - limit: The number of rows per page, 1 to 100.
        /// - Returns: The rows.
        public func usage(_ id: String, _ query: UsageQuery = UsageQuery(), limit: Int = 100) -> PageSequence<UsageRow>
        {
            transport.list(collection.path(id, "usage"), query.parameters, limit: limit)
        }
    }
}
