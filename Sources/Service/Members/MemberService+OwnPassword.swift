import Keys
import People
import Postgres
import Tenancy

/// How members change their own passwords.
extension MemberService {
    /// Changes the caller's own password and ends the caller's other sessions.
    ///
    /// - Parameters:
    ///   - current: the password as it is.
    ///   - new: the password as it is to be.
    ///   - caller: who asks; a member.
    /// - Throws: `Refusal.invalid` when `current` is wrong, `tooManyAttempts` after too many of those; `unauthenticated` where the session
    ///   ended meanwhile, as by a reset; `conflict` where the password was renewed meanwhile; `overloaded`, `CancellationError`.
    public func changePassword(current: String, new: String, by caller: Caller) async throws {
        guard let me = caller.principal.member, let organization = caller.principal.organizationID else {
            throw Refusal.forbiddenKind("Only members have a password.")
        }
        try UserInput.check(password: new, "/new_password")
        let compared = try await platform.guesses.counting(account: me.email, from: caller.network) {
            let stored = try await platform.databases.control.pool.withConnection { connection in
                try await platform.peopleStore(connection).credentials(of: me.userID)
            }
            guard current.utf8.count <= SessionLimits.passwordBytes,
                try await platform.passwords.matches(current, stored?.passwordHash, from: caller.network)
            else { return String?.none }
            return stored?.passwordHash
        }
        guard let compared else {
            throw Refusal.invalid([InvalidField(pointer: "/current_password", detail: "Must be the password.")])
        }
        let hash = try await platform.passwords.hash(new, from: caller.network)
        try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            let user = try await store.lockUser(me.userID)
            // Whoever knows an old password must not have the last word when it is reset.
            guard try await store.session(me.sessionID)?.isAlive == true else { throw Refusal.unauthenticated }
            guard user?.passwordHash == compared else {
                throw Refusal.conflict("The password was changed at the same moment; try again.")
            }
            try await store.setPassword(hash.text, of: me.userID)
            try await store.endSessions(of: me.userID, except: me.sessionID, .passwordChanged)
            try await noteNewPassword(of: me.userID, organization: organization, caller, store)
        }
    }
}
