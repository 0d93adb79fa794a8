import JSON

extension Mortise.Keys {
    /// Switches a key off until it is enabled again.
    ///
    /// ```swift
    /// let key = try await client.keys(.service(workspace: "shop")).disable("0198c0de-0000-7000-8000-000000000001")
    /// print(key.status == .disabled)
    /// ```
    public func disable(_ id: String) async throws(MortiseError) -> Mortise.Key {
        try await transport.read(.post(collection.path(id, "disable")))
    }

    /// Switches a disabled key on again.
    ///
    /// ```swift
    /// let key = try await client.keys(.service(workspace: "shop")).enable("0198c0de-0000-7000-8000-000000000001")
    /// print(key.status == .active)
    /// ```
    public func enable(_ id: String) async throws(MortiseError) -> Mortise.Key {
        try await transport.read(.post(collection.path(id, "enable")))
    }

    /// Lets a key work for a while yet, and then no more.
    ///
    /// ```swift
    /// let keys = client.keys(.service(workspace: "shop"))
    /// let key = try await keys.deprecate(
    ///     "0198c0de-0000-7000-8000-000000000001",
    ///     reason: "replaced by CI2",
    ///     gracePeriod: .seconds(7 * 86_400)
    /// )
    /// print(key.gracePeriodEndsAt ?? key.updatedAt)
    /// ```
    ///
    /// - Parameters:
    ///   - id: the key's id.
    ///   - reason: why, for people.
    ///   - gracePeriod: how long it works yet, in whole seconds up to 30 days; a day when absent.
    /// - Returns: The key as it is now.
    /// - Throws: `MortiseError`.
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

    /// Gives a key a new token; the old one works for a while yet.
    ///
    /// ```swift
    /// let keys = client.keys(.service(workspace: "shop"))
    /// let issued = try await keys.rotate("0198c0de-0000-7000-8000-000000000001", gracePeriod: .seconds(3600))
    /// try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    /// ```
    ///
    /// - Parameters:
    ///   - id: the key's id, which stays.
    ///   - gracePeriod: how long the old token works yet, in whole seconds up to 30 days; a day when absent.
    ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
    /// - Returns: The key and its new token.
    /// - Throws: `MortiseError`.
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

    /// Revokes a key at once and for good.
    ///
    /// ```swift
    /// let keys = client.keys(.service(workspace: "shop"))
    /// let key = try await keys.revoke("0198c0de-0000-7000-8000-000000000001", reason: "leaked")
    /// print(key.status == .revoked)
    /// ```
    ///
    /// - Parameters:
    ///   - id: the key's id.
    ///   - reason: why, for people.
    /// - Returns: The key as it is now.
    /// - Throws: `MortiseError`.
    public func revoke(_ id: String, reason: String? = nil) async throws(MortiseError) -> Mortise.Key {
        var body = JSONObject()
        body.add("reason", reason)
        return try await transport.read(.post(collection.path(id, "revoke"), body))
    }
}
