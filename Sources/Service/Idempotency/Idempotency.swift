import FoundationEssentials
import KeyStore
import Keys
import Postgres

/// The state of a request's `Idempotency-Key` inside the transaction that carries the request out.
enum IdempotencyClaim {
    /// The request has no key, so its token is random.
    case notRequested
    /// The request is the first with its key, so its token derives from the record.
    case claimed(IdempotencyRecord)
    /// An earlier request with the same key has been answered.
    case replay(IdempotencyRecord)
}

/// The readable parts of a token besides its workspace.
struct TokenForm {
    let prefix: TokenPrefix
    let mode: KeyMode
}

/// Claims `Idempotency-Key`s, and derives the tokens of the requests that carry one.
struct Idempotency: Sendable {
    let context: ServiceDependencies

    /// Claims the caller's `Idempotency-Key` in the transaction of what the request creates.
    ///
    /// - Parameters:
    ///   - caller: The caller.
    ///   - workspace: The workspace of what the request creates.
    ///   - resource: The id of what the request creates, as far as it is known.
    ///   - transaction: The open transaction.
    /// - Returns: The claim.
    /// - Throws: `Refusal.idempotencyKeyReused` if the key was used for another request.
    func claim(
        _ caller: Caller,
        workspace: WorkspaceRef,
        resource: UUID,
        in transaction: AuditedTransaction
    ) async throws -> IdempotencyClaim {
        guard let request = caller.idempotency, let secret = context.secrets.idempotency.first else {
            return .notRequested
        }
        let principal = caller.principal.actor
        let fingerprint = RequestFingerprint.make(
            principal: principal,
            method: request.method,
            path: request.path,
            workspace: workspace,
            query: request.query,
            body: request.body
        )
        let store = IdempotencyStore(transaction)
        // While secrets rotate, an earlier request can have been recorded under an older one.
        for older in context.secrets.idempotency.dropFirst() {
            let mac = older.mac(of: request.key, principal: principal).bytes
            if let record = try await store.find(principal: principal, keyMAC: mac) {
                return try Self.replay(record, older.mac(of: fingerprint))
            }
        }
        let mac = secret.mac(of: fingerprint)
        let record = IdempotencyRecord(
            principal: principal,
            keyMAC: secret.mac(of: request.key, principal: principal).bytes,
            fingerprint: mac.bytes,
            nonce: context.randomness.bytes(IdempotencySecret.nonceByteCount),
            secretID: secret.id.text,
            resourceID: resource
        )
        let earlier: IdempotencyRecord?
        do {
            earlier = try await store.claim(record)
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            throw Refusal.idempotencyKeyInUse
        }
        guard let earlier else { return .claimed(record) }
        return try Self.replay(earlier, mac)
    }

    private static func replay(
        _ record: IdempotencyRecord,
        _ fingerprint: Digest
    ) throws(Refusal) -> IdempotencyClaim {
        guard Digest(bytes: record.fingerprint) == fingerprint else { throw .idempotencyKeyReused }
        return .replay(record)
    }

    /// Stores the answer for repeated requests, if the request has a key.
    func complete(
        _ claim: IdempotencyClaim,
        resource: UUID,
        answer: String,
        in transaction: AuditedTransaction
    ) async throws {
        guard case .claimed(var record) = claim else { return }
        record.resourceID = resource
        try await IdempotencyStore(transaction).complete(record, answer: answer)
    }

    /// Returns a new token for a key: derived if a repeated request must get it again, random otherwise.
    func token(
        _ form: TokenForm,
        for key: UUID,
        workspace: WorkspaceRef,
        _ claim: IdempotencyClaim,
        _ caller: Caller
    ) throws -> Token {
        guard case .claimed(var record) = claim else {
            return context.newToken(form.prefix, form.mode, workspace: workspace)
        }
        record.resourceID = key
        return try derivedToken(form, workspace: workspace, record, caller)
    }

    /// Returns the token that a recorded request created.
    func derivedToken(
        _ form: TokenForm,
        workspace: WorkspaceRef,
        _ record: IdempotencyRecord,
        _ caller: Caller
    ) throws(Refusal) -> Token {
        guard let request = caller.idempotency, let id = SecretID(record.secretID),
            let secret = context.secrets.idempotencySecret(id),
            let body = secret.tokenBody(
                nonce: record.nonce,
                idempotencyKey: request.key,
                workspace: workspace,
                keyID: record.resourceID,
                principal: record.principal
            )
        else {
            throw .conflict(
                "The secret for this Idempotency-Key is no longer in the secrets file; use another Idempotency-Key."
            )
        }
        return Token.make(prefix: form.prefix, mode: form.mode, workspace: workspace, body: body)
    }
}
