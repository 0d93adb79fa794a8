import FoundationEssentials
import KeyStore
import Keys
import Tenancy

/// The outcome for the client keys of a subject that is gone.
public enum ClientKeyTreatment: String, Sendable, CaseIterable {
    /// The keys stay as they are.
    case keep
    /// The keys are disabled. An administrator can enable them again.
    case disable
    /// The keys are revoked for good.
    case revoke
}

extension KeyService {
    /// Disables or revokes the client keys of one subject.
    ///
    /// Up to ``largestBatch`` keys are changed together, each with its event. An interrupted call can be repeated. Keys that are revoked
    /// already are among those that it revokes: an earlier call that was answered with 503 can have revoked them without a standby that
    /// knows it, and after the end of its fences (decision 0014, rules 30 and 31).
    ///
    /// - Parameters:
    ///   - keys: The client keys of the subject.
    ///   - fate: The outcome for the keys.
    ///   - caller: The caller.
    /// - Returns: The number of keys that worked before the call.
    /// - Throws: `Refusal`, or the database's errors.
    public func retire(_ keys: KeyCollection, _ fate: ClientKeyTreatment, by caller: Caller) async throws -> Int {
        var count = 0
        var position = KeyPosition.newest(offset: 0)
        // Disabled keys are among those that are neither revoked nor expired. They are disabled once more, by administration: otherwise a
        // subject that comes back could enable what it had disabled itself.
        let filter = fate == .revoke ? KeyFilter() : KeyFilter(isUsable: true)
        while true {
            let page = try await page(of: keys, filter, at: position)
            count += page.filter(\.status.isUsable).count
            try await retire(page.filter { $0.status != .expired }.map(\.id), in: keys, fate, by: caller)
            guard page.count == Self.largestBatch, let last = page.last else { return count }
            position = .after(KeyCursor(createdAt: last.createdAt, id: last.id))
        }
    }

    /// Reads a page in a transaction that waits for the standby: a server that was replaced must not say that there are no keys, and what
    /// an unanswered call has changed must be safe.
    private func page(of keys: KeyCollection, _ filter: KeyFilter, at position: KeyPosition) async throws -> [KeyRecord]
    {
        let workspace = keys.workspace?.facts
        return try await context.translating {
            try await context.withConnection(to: workspace) { connection in
                try await connection.auditedTransaction { transaction in
                    try await KeyStore(transaction.connection)
                        .list(in: keys.keyOwner, filter, at: position, limit: Self.largestBatch)
                }
            }
        }
    }

    private func retire(_ ids: [UUID], in keys: KeyCollection, _ fate: ClientKeyTreatment, by caller: Caller)
        async throws
    {
        var ids = ids
        while !ids.isEmpty {
            do {
                switch fate {
                case .keep: return
                case .disable: _ = try await disable(ids, in: keys, by: caller)
                case .revoke: _ = try await revoke(ids, reason: Self.retirementReason, in: keys, by: caller)
                }
                return
            } catch Refusal.ofKeys(let positions, let refusal) {
                switch refusal {
                case .notFound, .conflict:
                    // These keys were deleted or revoked meanwhile. The others are changed without them.
                    ids = ids.indices.filter { !positions.contains($0) }.map { ids[$0] }
                default: throw refusal
                }
            }
        }
    }

    private static let retirementReason = "The owner of the key is gone."
}
