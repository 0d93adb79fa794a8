import JSON

extension Fluxbase.ServiceKeysManager {
    /// Disables a service key until it is enabled.
    ///
    /// Requires the permission `keys:write`. The call is retried only if nothing was sent.
    ///
    /// - Parameter id: The id of the key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
    public func disable(_ id: String) async throws(MortiseError) {
        try await transport.run(.post(path(id, "disable"), JSONObject()).of(.fluxbase))
    }

    /// Enables a disabled service key.
    ///
    /// Requires the permission `keys:write`. An expired key stays expired. The call is retried only if nothing was
    /// sent.
    ///
    /// - Parameter id: The id of the key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
    public func enable(_ id: String) async throws(MortiseError) {
        try await transport.run(.post(path(id, "enable"), JSONObject()).of(.fluxbase))
    }

    /// Revokes a service key at once and forever.
    ///
    /// Requires the permission `keys:write`. The call is retried only if nothing was sent.
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - reason: The reason, for the history, at most 2000 characters.
    /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
    public func revoke(_ id: String, reason: String? = nil) async throws(MortiseError) {
        var body = JSONObject()
        body.add("reason", reason)
        try await transport.run(.post(path(id, "revoke"), body).of(.fluxbase))
    }

    /// Deprecates a service key: it works until the grace period ends.
    ///
    /// Requires the permission `keys:write`. Calling it again can shorten the grace period, never extend it. The call
    /// is retried only if nothing was sent.
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - reason: The reason, for people, at most 2000 characters.
    ///   - gracePeriodHours: The grace period in hours, 1 to 720. A larger number means 720. `nil`, 0 and negative
    ///     numbers mean 24.
    /// - Returns: The times of the deprecation.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the key is revoked.
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

    /// Replaces a service key by a new key with the same settings.
    ///
    /// Requires the permission `keys:write`. The new key takes over the name. The old key works until the grace period
    /// ends. The call is retried under its idempotency key.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-rotate")
    ///
    /// - Parameters:
    ///   - id: The id of the old key.
    ///   - gracePeriodHours: The grace period in hours, 1 to 720. A larger number means 720. `nil`, 0 and negative
    ///     numbers mean 24.
    ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a random
    ///     one.
    /// - Returns: The new key and its token, with `deprecatedAt` and `gracePeriodEndsAt` of the old key.
    /// - Throws: ``MortiseError``, with the reason `.conflict` if the old key is revoked or expired.
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

    /// Gets the last revocation of a service key, also after its deletion.
    ///
    /// Requires the permission `keys:read`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-revoke")
    ///
    /// - Parameter id: The id of the key.
    /// - Returns: The last revocation. Its texts are empty if there was none.
    /// - Throws: ``MortiseError``, with the reason `.notFound` if the key never existed.
    public func getRevocationHistory(_ id: String) async throws(MortiseError) -> Fluxbase.RevocationHistory {
        try await transport.read(.get(path(id, "revocations")).of(.fluxbase))
    }
}
