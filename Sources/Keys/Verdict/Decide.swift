/// Decides whether a key may do what is asked of it at `now`.
///
/// The first refusal of a fixed order is the verdict: not found, workspace unavailable, revoked, expired, disabled,
/// wrong mode, wrong address, wrong namespace, insufficient scope. ``VerdictCode/malformed`` comes before, by
/// ``TokenParser``, and ``VerdictCode/rateLimited`` after, by ``RateLimits``: a refused key uses nothing up.
///
/// - Parameters:
///   - key: The key that the token opens, or `nil` where there is none.
///   - request: What is asked of it.
///   - now: The database's time, read after the request was received.
/// - Returns: The verdict as far as no count is needed for it.
public func decide(_ key: KeyState?, _ request: VerificationRequest, at now: Timestamp) -> VerdictCode {
    guard let key, key.kind.isVerifiable, request.kind.map({ $0 == key.kind }) ?? true else { return .notFound }
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
