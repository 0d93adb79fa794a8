public import FoundationEssentials
import KeyStore
import Keys
public import People

/// A member's own sessions: their list, and their end.
public struct OwnSessions: Sendable {
    let context: ServiceDependencies
    let access: AccessControl

    /// Returns the caller's own sessions that have not ended, newest first, at most 100.
    ///
    /// - Throws: `Refusal.forbidden` for a key, which has no sessions.
    public func list(_ caller: Caller) async throws -> [SessionSummary] {
        let member = try Self.member(caller)
        return try await context.readPeople { try await $0.sessions(of: member.userID, in: nil) }
    }

    /// Ends one of the caller's own sessions.
    ///
    /// - Throws: `Refusal.notFound` for a session that has ended or is somebody else's, and for a key, which has none.
    public func end(_ id: UUID, by caller: Caller) async throws {
        guard let member = caller.principal.member else { throw Refusal.notFound }
        guard try await end(.one(id), of: member.userID, by: caller) == 1 else { throw Refusal.notFound }
    }

    /// Ends the caller's own sessions, except the one of the request.
    ///
    /// - Returns: The number of sessions that ended.
    /// - Throws: `Refusal.forbidden` for a key.
    public func endOthers(_ caller: Caller) async throws -> Int {
        let member = try Self.member(caller)
        return try await end(.allExcept(member.sessionID), of: member.userID, by: caller)
    }

    private func end(_ selection: SessionSelection, of user: UUID, by caller: Caller) async throws -> Int {
        try await context.changeControl { transaction in
            _ = try await access.recheck(caller.principal, in: transaction)
            return try await context.people(in: transaction)
                .endSessions(selection, of: user, .signedOut, by: caller.attribution)
        }
    }

    private static func member(_ caller: Caller) throws(Refusal) -> MemberIdentity {
        guard let member = caller.principal.member else { throw Refusal.forbiddenKind("Only members have sessions.") }
        return member
    }
}
