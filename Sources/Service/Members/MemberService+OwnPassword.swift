import FoundationEssentials
import KeyStore
import Keys
import People

extension MemberService {
    /// Changes the caller's own password and ends the caller's other sessions.
    ///
    /// - Parameters:
    ///   - current: The present password.
    ///   - new: The new password.
    ///   - repeated: The new password once more, as a person entered it; `nil` if nobody was asked.
    ///   - caller: The caller, a member.
    /// - Throws: `Refusal.invalid` with all faults if `current` is wrong, `new` is not accepted or `repeated` differs;
    ///   `tooManyAttempts` after too many wrong ones; `unauthenticated` if the session ended meanwhile, for example by a reset;
    ///   `conflict` if the password was changed meanwhile; `forbiddenKind` if passwords are off; `overloaded`, `CancellationError`.
    public func changePassword(
        current: String,
        new: String,
        repeated: String? = nil,
        by caller: Caller
    ) async throws {
        guard let me = caller.principal.member, let organization = caller.principal.organizationID else {
            throw Refusal.forbiddenKind("Only members have a password.")
        }
        try context.requirePasswords()
        var faults: [InvalidField] = []
        do throws(Refusal) {
            try UserInput.check(password: new, "/new_password")
        } catch {
            guard case .invalid(let found) = error else { throw error }
            faults += found
        }
        if let repeated, repeated != new {
            faults.append(InvalidField(pointer: "/repeated_password", detail: "The two passwords differ."))
        }
        let compared = try await compare(current, of: me, in: organization, by: caller)
        if compared == nil {
            faults.insert(InvalidField(pointer: "/current_password", detail: "Must be the current password."), at: 0)
        }
        guard let compared, faults.isEmpty else { throw Refusal.invalid(faults) }
        let hash = try await passwords.hash(new, from: caller.network)
        try await context.changeControl { transaction in
            let people = context.people(in: transaction)
            let user = try await people.lockUser(me.userID)
            // A caller who knows an old password must not have the last word when the password is reset.
            guard try await people.store.session(me.sessionID)?.isAlive == true else { throw Refusal.unauthenticated }
            guard user?.passwordHash == compared else {
                throw Refusal.conflict("The password was changed at the same moment; try again.")
            }
            try await people.setPassword(hash.text, of: me.userID)
            try await people.endSessions(of: me.userID, except: me.sessionID, .passwordChanged)
            try await people.recordNewPassword(of: me.userID, organization: organization, by: caller.attribution)
        }
    }

    /// Compares a password with the caller's own one as one guess, and records a refusal.
    ///
    /// - Returns: The hash of the password; `nil` if it is another one.
    /// - Throws: `Refusal.tooManyAttempts`, `overloaded`; the database's errors.
    private func compare(
        _ password: String,
        of me: MemberIdentity,
        in organization: UUID,
        by caller: Caller
    ) async throws -> String? {
        do {
            let compared = try await guesses.counting(account: me.email, from: caller.network) {
                let stored = try await context.readPeople { try await $0.credentials(of: me.userID) }
                guard password.utf8.count <= SessionLimits.passwordBytes,
                    try await passwords.matches(password, stored?.passwordHash, from: caller.network)
                else { return String?.none }
                return stored?.passwordHash
            }
            if compared == nil { await sessions.record(.wrongCredentials, of: me, in: organization, by: caller) }
            return compared
        } catch let refusal as Refusal {
            if case .tooManyAttempts = refusal {
                await sessions.record(.tooManyAttempts, of: me, in: organization, by: caller)
            }
            throw refusal
        }
    }
}
