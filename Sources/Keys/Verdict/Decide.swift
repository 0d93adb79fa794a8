/// Decides whether a key may do what a request asks for.
///
/// The first refusal in a fixed order is the verdict: not found, workspace unavailable, revoked, expired, disabled, wrong mode,
/// wrong address, wrong namespace, insufficient scope. ``VerdictCode/malformed`` comes before, from ``TokenParser``.
/// ``VerdictCode/rateLimited`` comes after, from ``RateLimits``, so a refused key uses up no limit.
///
/// - Parameters:
///   - key: The key that the token opens. `nil` if there is none.
///   - request: The request.
///   - now: The database's time, read after the request was received.
/// - Returns: The verdict before rate limits are counted.
public func decide(_ key: KeyState?, _ request: VerificationRequest, at now: Timestamp) -> VerdictCode {
    guard let key, key.kind.isVerifiable else { return .notFound }
    guard key.workspaceIsActive else { return .workspaceUnavailable }
    switch key.status(at: now) {
    case .revoked: return .revoked
    case .expired: return .expired
    case .disabled: return key.secret.hasEnded(at: now) ? .expired : .disabled
    case .active, .deprecated: if key.secret.hasEnded(at: now) { return .expired }
    }
    if let mode = request.mode, mode != key.mode { return .wrongMode }
    guard key.allows(address: request.address) else { return .wrongAddress }
    guard request.isOutsideNamespaces || key.namespaces.allows(request.namespace) else { return .wrongNamespace }
    guard key.scopes.covers(request.scopes) else { return .insufficientScope }
    return .valid
}
