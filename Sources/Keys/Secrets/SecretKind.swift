/// The kind of a secret in the secrets file.
///
/// The raw value is the first word of the secret's line.
public enum SecretKind: String, Sendable, Hashable, CaseIterable {
    /// A pepper, which turns tokens into digests.
    case pepper
    /// A secret that replays tokens for idempotent requests.
    case idempotency
    /// A secret that derives the passwords of database roles.
    case role
    /// A secret that signs the access tokens of members' sessions.
    case session
}
