import JSON

/// The calls that change the status of a key.
///
/// All require the permission `keys:write`. When one returns, every later verification on every node sees the change.
/// All but ``rotate(_:gracePeriod:idempotencyKey:)`` are retried only if nothing was sent.
extension Mortise.Keys {
    /// Disables a key until it is enabled.
    ///
    /// Requires the permission `keys:write`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "disable")
    ///
    /// - Parameter id: The id of the key.
    /// - Returns: The key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
    public func disable(_ id: String) async throws(MortiseError) -> Mortise.Key {
        try await transport.read(.post(collection.path(id, "disable")))
    }

    /// Enables a disabled key.
    ///
    /// Requires the permission `keys:write`. An expired key stays expired.
    ///
    /// - Parameter id: The id of the key.
    /// - Returns: The key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
    public func enable(_ id: String) async throws(MortiseError) -> Mortise.Key {
        try await transport.read(.post(collection.path(id, "enable")))
    }

    /// Deprecates a key: it works until the grace period ends.
    ///
    /// Requires the permission `keys:write`. Calling it again can shorten the grace period, never extend it.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "deprecate")
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - reason: The reason, for people, at most 2000 characters.
    ///   - gracePeriod: The grace period, 0 seconds to 30 days. Fractions of a second are dropped. `nil` means 24
    ///     hours.
    /// - Returns: The key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
    public func deprecate(
        _ id: String,
        reason: String? = nil,
        gracePeriod: Duration? = nil
    ) async throws(MortiseError) -> Mortise.Key {
        var body = JSONObject()
        body.add("reason", reason)
        body.add("grace_period_seconds", gracePeriod.map { Int($0.components.seconds) })
        return try await transport.read(.post(collection.path(id, "deprecate"), body))
    }

    /// Gives a key a new token.
    ///
    /// The token before it works until the grace period ends. Requires the permission `keys:write`.
    ///
    /// The key keeps its id. Any token older than those two stops working at once. The call is retried under its
    /// idempotency key.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "rotate")
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - gracePeriod: The grace period, 0 seconds to 30 days. Fractions of a second are dropped. `nil` means 24
    ///     hours.
    ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a random
    ///     one.
    /// - Returns: The key and its new token. No later response contains the token.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked or expired.
    public func rotate(
        _ id: String,
        gracePeriod: Duration? = nil,
        idempotencyKey: String? = nil
    ) async throws(MortiseError) -> Mortise.IssuedKey {
        var body = JSONObject()
        body.add("grace_period_seconds", gracePeriod.map { Int($0.components.seconds) })
        let key = idempotencyKey ?? Call.newIdempotencyKey()
        return try await transport.read(.post(collection.path(id, "rotate"), body, idempotencyKey: key))
    }

    /// Revokes a key at once and forever.
    ///
    /// Requires the permission `keys:write`. Revoking a revoked key returns the key and keeps the first reason.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "revoke")
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - reason: The reason, for people, at most 2000 characters.
    /// - Returns: The key.
    /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
    public func revoke(_ id: String, reason: String? = nil) async throws(MortiseError) -> Mortise.Key {
        var body = JSONObject()
        body.add("reason", reason)
        return try await transport.read(.post(collection.path(id, "revoke"), body))
    }

    /// Revokes several keys at once and forever: all of them, or none.
    ///
    /// Requires the permission `keys:write`. Revoking a revoked key returns the key and keeps the first reason.
    ///
    /// - Parameters:
    ///   - ids: The ids of the keys, 1 to 100, each once.
    ///   - reason: The reason, for people, at most 2000 characters.
    /// - Returns: The keys, in the order of the ids.
    /// - Throws: ``MortiseError``, with the reason `.notFound` if a key does not exist. Its faults name the keys because of
    ///   which nothing was changed.
    public func revoke(_ ids: [String], reason: String? = nil) async throws(MortiseError) -> [Mortise.Key] {
        var body = JSONObject()
        body["ids"] = .array(ids.map { .string($0) })
        body.add("reason", reason)
        return try await readAll(.post(collection.path("batch", "revoke"), body))
    }

    /// Disables several keys until they are enabled: all of them, or none.
    ///
    /// Requires the permission `keys:write`.
    ///
    /// - Parameter ids: The ids of the keys, 1 to 100, each once.
    /// - Returns: The keys, in the order of the ids.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if a key is revoked. Its faults name the keys because of
    ///   which nothing was changed.
    public func disable(_ ids: [String]) async throws(MortiseError) -> [Mortise.Key] {
        var body = JSONObject()
        body["ids"] = .array(ids.map { .string($0) })
        return try await readAll(.post(collection.path("batch", "disable"), body))
    }

    private func readAll(_ call: Call) async throws(MortiseError) -> [Mortise.Key] {
        try await transport.read(call) { body throws(AnswerFault) in
            let keys: [Mortise.Key] = try AnswerReader(body).objects("data")
            return keys
        }
    }
}
