import FoundationEssentials
import KeyStore
public import Keys

/// One change of keys in its open transaction, after the locks were taken and the caller was authorized.
///
/// Only ``KeyChanges`` creates one.
struct KeyChange {
    /// The keys that the change is about.
    let keys: KeyCollection
    /// The caller with its permissions at this moment.
    let caller: Caller
    /// The id for a key that the change creates.
    let newID: UUID
    /// Writes keys, each with its events.
    let writer: KeyWriter

    let idempotency: Idempotency
    let claim: IdempotencyClaim

    /// The database's time after the locks were taken.
    var now: Timestamp { writer.now }

    /// Returns a new token for a key.
    func token(_ form: TokenForm, for key: UUID) throws -> Token {
        try idempotency.token(form, for: key, workspace: keys.ref, claim, caller)
    }

    /// Returns what is stored of a token.
    func secret(of token: Token) -> NewSecret { idempotency.context.secret(of: token, at: now) }
}

/// A key that was created or rotated: the answer, and the token, which no other answer contains.
public struct IssuedKey: Sendable {
    /// The answer as JSON text, as the surface rendered it for the first request with the same `Idempotency-Key`.
    public let answer: String
    /// The token.
    public let token: Token
    /// A Boolean value that indicates whether an earlier request with the same `Idempotency-Key` issued the token.
    public let isReplay: Bool
    /// The key.
    let keyID: UUID
}
