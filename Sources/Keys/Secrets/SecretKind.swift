/// The kinds of secrets in a secrets file; the raw value is the first word of a line.
public enum SecretKind: String, Sendable, Hashable, CaseIterable {
    /// Turns tokens into digests.
    case pepper
    /// Replays tokens to idempotent requests.
    case idempotency
    /// Makes the passwords of database roles.
    case role
    /// Signs the access tokens of members' sessions.
    case session
}
