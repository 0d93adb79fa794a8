public import FoundationEssentials
import JSON
public import KeyStore
package import Keys
import Tenancy
import Verification

/// The use cases of keys.
///
/// ``AccessControl`` has checked that the caller reaches the collection. Every change goes through ``KeyChanges``.
public struct KeyService: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let changes: KeyChanges

    /// Returns a key.
    ///
    /// - Throws: `Refusal.notFound`, `Refusal.workspaceUnavailable`, or the database's errors.
    public func get(_ id: UUID, in keys: KeyCollection) async throws -> KeyRecord {
        try await context.withConnection(to: keys.workspace?.facts) { connection in
            guard let key = try await KeyStore(connection).find(id, in: keys.keyOwner) else { throw Refusal.notFound }
            return withUses(key)
        }
    }

    /// Returns a key with the uses that this node has counted and not written yet.
    func withUses(_ key: KeyRecord) -> KeyRecord { key.merging(usesBy: context.usage.lastUse) }

    /// Creates a key.
    ///
    /// - Parameters:
    ///   - draft: The settings.
    ///   - keys: The collection that the key belongs to.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and the same
    ///     token.
    ///   - answer: Renders the key as JSON text without a token: the answer of repeated requests.
    /// - Returns: The answer and the token.
    /// - Throws: `Refusal`, or the database's errors.
    public func create(
        _ draft: KeyDraft,
        in keys: KeyCollection,
        by caller: Caller,
        answer: @Sendable (KeyRecord) -> String
    ) async throws -> IssuedKey {
        let draft = try draft.resolved(in: keys)
        try KeyRules(draft, in: keys).enforce()
        let prefix = draft.tokenPrefix ?? keys.tokenPrefix(draft.kind)
        return try await changes.issue(.new, recordedAs: .newKey, in: keys, by: caller) { _, change in
            if !draft.acceptsPastExpiry { try draft.expiry.requireFuture(change.now) }
            let (key, token) = try await change.create(draft) { key in
                try change.token(TokenForm(prefix: prefix, mode: key.mode), for: key.id)
            }
            return IssuedKey(answer: answer(key), token: token, isReplay: false, keyID: key.id)
        }
    }

    /// Gives a key a new secret.
    ///
    /// The old secret works until the grace period ends, and any older one ends at once.
    ///
    /// The key keeps its id, its settings and its expiry. Concurrent rotations are harmless: each is atomic, and a
    /// revocation beats them.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - grace: The grace period of the present secret.
    ///   - seen: The newest secret as the caller saw it. `nil` replaces whatever the newest secret is.
    ///   - keys: The collection that contains the key.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and the same
    ///     token.
    ///   - answer: Renders the key as JSON text without a token: the answer of repeated requests.
    /// - Returns: The answer and the token.
    /// - Throws: `Refusal.conflict` also if the newest secret is not the one that the caller saw; `Refusal`, or the database's errors.
    package func rotate(
        _ id: UUID,
        grace: GracePeriod,
        replacing seen: UUID? = nil,
        in keys: KeyCollection,
        by caller: Caller,
        answer: @Sendable (KeyRecord) -> String
    ) async throws -> IssuedKey {
        try await changes.issue(.existing(id), recordedAs: .target, in: keys, by: caller) { target, change in
            let key = try target.required()
            try key.requireAlive("rotated", at: change.now)
            if let seen, seen != key.secrets.first?.id {
                throw Refusal.conflict(
                    "Somebody rotated the key meanwhile. Nothing was changed. Rotate it again to replace the newest token."
                )
            }
            let ends = try key.ends(ofSecretsAfter: grace, at: change.now)
            let token = try change.token(key.tokenForm(in: keys), for: id)
            var details = EventChanges()
            details.add("prefix", from: key.prefix, to: token.parsed.displayPrefix.text)
            details.add("grace_period_seconds", Int(grace.seconds))
            let rotated = try await change.rotate(key, to: token, ending: ends, details)
            return IssuedKey(answer: answer(withUses(rotated)), token: token, isReplay: false, keyID: id)
        }
    }
}

extension KeyRecord {
    /// Returns the ends of the key's secrets when a new secret replaces them.
    fileprivate func ends(
        ofSecretsAfter grace: GracePeriod,
        at now: Timestamp
    ) throws -> [(secretID: UUID, end: GraceEnd)] {
        try secrets.enumerated()
            .map { index, secret in
                // The newest secret gets the grace period. Older ones have had their own.
                guard index == 0 else { return (secret.id, .atOnce) }
                let lifetime = SecretLifetime(endsAt: secret.endsAt)
                return (
                    secret.id,
                    try RotationRule.endOfReplacedSecret(lifetime, of: lifecycle, grace: grace, at: now)
                )
            }
    }
}
