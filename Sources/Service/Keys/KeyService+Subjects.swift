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
    /// Up to ``largestBatch`` keys are changed together, each with its event. An interrupted call can be repeated.
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
        while true {
            let page = try await context.withConnection(to: keys.workspace?.facts) { connection in
                try await KeyStore(connection)
                    .list(in: keys.keyOwner, KeyFilter(isUsable: true), at: position, limit: Self.largestBatch)
            }
            count += page.filter(\.status.isUsable).count
            try await retire(page.map(\.id), in: keys, fate, by: caller)
            guard page.count == Self.largestBatch, let last = page.last else { return count }
            position = .after(KeyCursor(createdAt: last.createdAt, id: last.id))
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
