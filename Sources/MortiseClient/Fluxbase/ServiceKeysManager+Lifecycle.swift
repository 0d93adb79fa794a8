import JSON

extension Fluxbase.ServiceKeysManager {
    /// Switches a service key off until it is enabled again.
    ///
    /// ```swift
    /// try await client.admin.serviceKeys.disable("0198c0de-0000-7000-8000-000000000001")
    /// ```
    public func disable(_ id: String) async throws(MortiseError) {
        try await transport.run(.post(path(id, "disable"), JSONObject()).of(.fluxbase))
    }

    /// Switches a disabled service key on again.
    ///
    /// ```swift
    /// try await client.admin.serviceKeys.enable("0198c0de-0000-7000-8000-000000000001")
    /// ```
    public func enable(_ id: String) async throws(MortiseError) {
        try await transport.run(.post(path(id, "enable"), JSONObject()).of(.fluxbase))
    }

    /// Revokes a service key at once and for good.
    ///
    /// ```swift
    /// try await client.admin.serviceKeys.revoke("0198c0de-0000-7000-8000-000000000001", reason: "Key was compromised")
    /// ```
    ///
    /// - Parameters:
    ///   - id: the key's id.
    ///   - reason: why, for its history.
    /// - Throws: `MortiseError`.
    public func revoke(_ id: String, reason: String? = nil) async throws(MortiseError) {
        var body = JSONObject()
        body.add("reason", reason)
        try await transport.run(.post(path(id, "revoke"), body).of(.fluxbase))
    }

    /// Lets a service key work for a while yet, and then no more.
    ///
    /// ```swift
    /// let deprecation = try await client.admin.serviceKeys.deprecate(
    ///     "0198c0de-0000-7000-8000-000000000001",
    ///     reason: "Rotating to new key",
    ///     gracePeriodHours: 48
    /// )
    /// print(deprecation.gracePeriodEndsAt)
    /// ```
    ///
    /// - Parameters:
    ///   - id: the key's id.
    ///   - reason: why, for people.
    ///   - gracePeriodHours: how long it works yet, up to 720 hours; 24 when absent.
    /// - Returns: Until when it works.
    /// - Throws: `MortiseError`.
    public func deprecate(
        _ id: String,
        reason: String? = nil,
        gracePeriodHours: Int? = nil
    ) async throws(MortiseError) -> Fluxbase.Deprecation {
        var body = JSONObject()
        body.add("reason", reason)
        body.add("grace_period_hours", gracePeriodHours)
        return try await transport.read(.post(path(id, "deprecate"), body).of(.fluxbase))
    }

    /// Puts a new key with the same settings in the place of a service key, which works for a while yet.
    ///
    /// ```swift
    /// let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
    /// try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    /// print(rotated.serviceKey.id, rotated.serviceKey.deprecatedAt ?? rotated.serviceKey.createdAt)
    /// ```
    ///
    /// - Parameters:
    ///   - id: the old key's id.
    ///   - gracePeriodHours: how long the old key works yet, up to 720 hours; 24 when absent.
    ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
    /// - Returns: The new key and its token, with the old key's `deprecatedAt` and `gracePeriodEndsAt`.
    /// - Throws: `MortiseError`.
    public func rotate(
        _ id: String,
        gracePeriodHours: Int? = nil,
        idempotencyKey: String? = nil
    ) async throws(MortiseError) -> Fluxbase.ServiceKeyWithKey {
        var body = JSONObject()
        body.add("grace_period_hours", gracePeriodHours)
        let key = idempotencyKey ?? Call.newIdempotencyKey()
        return try await transport.read(.post(path(id, "rotate"), body, idempotencyKey: key).of(.fluxbase))
    }

    /// When, by whom and why a service key was revoked, also after its deletion.
    ///
    /// ```swift
    /// let history = try await client.admin.serviceKeys.getRevocationHistory("0198c0de-0000-7000-8000-000000000001")
    /// print(history.revokedBy, history.revocationReason)
    /// ```
    public func getRevocationHistory(_ id: String) async throws(MortiseError) -> Fluxbase.RevocationHistory {
        try await transport.read(.get(path(id, "revocations")).of(.fluxbase))
    }
}
