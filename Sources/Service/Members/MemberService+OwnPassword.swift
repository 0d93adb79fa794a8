import KeyStore
import Keys
import People

extension MemberService {
    /// Changes the caller's own password and ends the caller's other sessions.
    ///
    /// - Parameters:
    ///   - current: The present password.
    ///   - new: The new password.
    ///   - caller: The caller, a member.
    /// - Throws: `Refusal.invalid` if `current` is wrong, `tooManyAttempts` after too many wrong ones;
    ///   `unauthenticated` if the session ended meanwhile, for example by a reset; `conflict` if the password was
    ///   changed meanwhile; `forbiddenKind` if passwords are off; `overloaded`, `CancellationError`.
    public func changePassword(current: String, new: String, by caller: Caller) async throws {
        guard let me = caller.principal.member, let organization = caller.principal.organizationID else {
            throw Refusal.forbiddenKind("Only members have a password.")
        }
        try context.requirePasswords()
        try UserInput.check(password: new, "/new_password")
        let compared = try await guesses.counting(account: me.email, from: caller.network) {
            let stored = try await context.readPeople { try await $0.credentials(of: me.userID) }
            guard current.utf8.count <= SessionLimits.passwordBytes,
                try await passwords.matches(current, stored?.passwordHash, from: caller.network)
            else { return String?.none }
            return stored?.passwordHash
        }
        guard let compared else {
            throw Refusal.invalid([InvalidField(pointer: "/current_password", detail: "Must be the current password.")])
        }
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
}
