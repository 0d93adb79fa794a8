import FoundationEssentials
import KeyStore
import Keys

/// Creates organizations', workspaces' and people's rows once for an `Idempotency-Key`.
struct ControlChanges: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let idempotency: Idempotency

    init(_ context: ServiceDependencies, access: AccessControl) {
        self.context = context
        self.access = access
        idempotency = Idempotency(context: context)
    }

    /// Creates a resource in the control database, and answers a repeated request as the first one.
    ///
    /// - Parameters:
    ///   - caller: The caller.
    ///   - transaction: The transaction of what the request creates.
    ///   - authorize: Throws if the principal lacks a permission now, after any wait for a concurrent request. Repeated
    ///     requests are authorized, too. `nil` if the caller was authorized under a lock that such requests share.
    ///   - exists: Returns true if the resource of an earlier request still exists.
    ///   - create: Creates the resource, and returns its id and the answer as JSON text.
    /// - Returns: The answer; of the earlier request if there was one.
    /// - Throws: `Refusal.idempotencyKeyReused`, `Refusal.conflict` if the resource of an earlier request was deleted,
    ///   and the errors of `create`.
    func createOnce(
        _ caller: Caller,
        in transaction: AuditedTransaction,
        authorize: ((Principal) throws -> Void)?,
        exists: (UUID) async throws -> Bool,
        create: () async throws -> (id: UUID, answer: String)
    ) async throws -> StoredAnswer {
        let placeholder = context.newID(at: try await transaction.now())
        let claim = try await idempotency.claim(caller, workspace: .root, resource: placeholder, in: transaction)
        if let authorize { try authorize(try await access.recheck(caller.principal, in: transaction)) }
        if case .replay(let record) = claim {
            guard let answer = record.answer, try await exists(record.resourceID) else {
                throw Refusal.resourceDeleted
            }
            return StoredAnswer(answer: answer, isReplay: true, resourceID: record.resourceID)
        }
        let created = try await create()
        try await idempotency.complete(claim, resource: created.id, answer: created.answer, in: transaction)
        return StoredAnswer(answer: created.answer, isReplay: false, resourceID: created.id)
    }
}
