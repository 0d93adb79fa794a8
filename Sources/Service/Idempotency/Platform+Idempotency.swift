import FoundationEssentials
import KeyStore
import Keys
import Postgres

/// What an `Idempotency-Key` means for a request that is being carried out.
enum IdempotentAttempt {
    /// There is none: the token is random.
    case none
    /// This is the first of its twins.
    case first(IdempotencyRecord)
    /// A twin came first.
    case replay(IdempotencyRecord)
}

/// What a token to be made says openly beside its workspace.
struct TokenForm {
    let prefix: TokenPrefix
    let mode: KeyMode
}

extension Platform {
    /// Claims the caller's `Idempotency-Key` in the transaction of what it makes.
    ///
    /// - Throws: `Refusal.idempotencyKeyReused` when it was used for something else.
    func claim(
        _ caller: Caller,
        _ home: KeyHome,
        resource: UUID,
        _ connection: PostgresConnection
    ) async throws -> IdempotentAttempt {
        guard let request = caller.idempotency, let secret = secrets.idempotency.first else { return .none }
        let principal = caller.principal.actor
        let fingerprint = RequestFingerprint.make(
            principal: principal,
            method: request.method,
            path: request.path,
            workspace: home.ref,
            query: request.query,
            body: request.body
        )
        let store = IdempotencyStore(connection)
        // While secrets rotate, a twin may have been remembered under an older one.
        for older in secrets.idempotency.dropFirst() {
            let mac = older.mac(of: request.key, principal: principal).bytes
            if let record = try await store.find(principal: principal, keyMAC: mac) {
                return try Self.replay(record, older.mac(of: fingerprint))
            }
        }
        let kept = secret.mac(of: fingerprint)
        let record = IdempotencyRecord(
            principal: principal,
            keyMAC: secret.mac(of: request.key, principal: principal).bytes,
            fingerprint: kept.bytes,
            nonce: randomness.bytes(IdempotencySecret.nonceByteCount),
            secretID: secret.id.text,
            resourceID: resource
        )
        guard let twin = try await store.claim(record) else { return .first(record) }
        return try Self.replay(twin, kept)
    }

    private static func replay(
        _ record: IdempotencyRecord,
        _ fingerprint: Digest
    ) throws(Refusal) -> IdempotentAttempt {
        guard Digest(bytes: record.fingerprint) == fingerprint else { throw .idempotencyKeyReused }
        return .replay(record)
    }

    /// Keeps the answer for a twin.
    func complete(
        _ attempt: IdempotentAttempt,
        answer: String,
        resource: UUID? = nil,
        _ connection: PostgresConnection
    ) async throws {
        guard case .first(var record) = attempt else { return }
        record.resourceID = resource ?? record.resourceID
        try await IdempotencyStore(connection).complete(record, answer: answer)
    }

    /// Makes something in the control database once for an `Idempotency-Key`.
    ///
    /// - Parameters:
    ///   - caller: whose request it is.
    ///   - connection: with the transaction of what is made.
    ///   - permits: refuses who may not do it as they are now, after any wait for a twin; a twin is asked, too. `nil` where that was
    ///     decided under a lock which twins share.
    ///   - isThere: whether what a twin made is there still.
    ///   - make: makes it, and says its id and the answer as JSON text.
    /// - Returns: the answer; a twin's where it came first.
    /// - Throws: `Refusal.idempotencyKeyReused`, `Refusal.conflict` where what a twin made has been deleted since, what `make` throws.
    func once(
        _ caller: Caller,
        _ connection: PostgresConnection,
        permits: ((Principal) throws -> Void)?,
        isThere: (UUID) async throws -> Bool,
        make: () async throws -> (id: UUID, answer: String)
    ) async throws -> StoredAnswer {
        let placeholder = newID(at: try await KeyStore(connection).now())
        let attempt = try await claim(caller, KeyHome(owner: .platform), resource: placeholder, connection)
        if let permits { try permits(try await access.current(caller.principal, connection)) }
        if case .replay(let record) = attempt {
            guard let answer = record.answer, try await isThere(record.resourceID) else {
                throw Refusal.conflict("What this Idempotency-Key made has been deleted since.")
            }
            return StoredAnswer(answer: answer, isReplay: true, resourceID: record.resourceID)
        }
        let made = try await make()
        try await complete(attempt, answer: made.answer, resource: made.id, connection)
        return StoredAnswer(answer: made.answer, isReplay: false, resourceID: made.id)
    }

    /// Makes a token: derived where a twin must be able to get it again, random otherwise.
    func makeToken(
        _ home: KeyHome,
        _ form: TokenForm,
        key: UUID,
        _ attempt: IdempotentAttempt,
        _ caller: Caller
    ) throws -> Token {
        guard case .first(var record) = attempt else {
            var randomness = self.randomness
            return Token.make(
                prefix: form.prefix,
                mode: form.mode,
                workspace: home.ref,
                using: &randomness
            )
        }
        record.resourceID = key
        return try derivedToken(home, form, record, caller)
    }

    /// The token that a remembered request made.
    func derivedToken(
        _ home: KeyHome,
        _ form: TokenForm,
        _ record: IdempotencyRecord,
        _ caller: Caller
    ) throws(Refusal) -> Token {
        guard let request = caller.idempotency, let id = SecretID(record.secretID),
            let secret = secrets.idempotencySecret(id),
            let body = secret.tokenBody(
                nonce: record.nonce,
                idempotencyKey: request.key,
                workspace: home.ref,
                keyID: record.resourceID,
                principal: record.principal
            )
        else { throw .conflict("The secret that this Idempotency-Key needs is no longer in the secrets file.") }
        return Token.make(prefix: form.prefix, mode: form.mode, workspace: home.ref, body: body)
    }
}
