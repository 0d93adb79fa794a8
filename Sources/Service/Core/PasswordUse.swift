/// The use of passwords in an installation.
public enum PasswordUse: Sendable, Equatable {
    /// Members can sign in with passwords.
    case on
    /// Members sign in only with the identity provider.
    case off
}

extension ServiceDependencies {
    /// Throws if passwords are off.
    func requirePasswords() throws(Refusal) {
        guard passwordUse == .on else {
            throw .forbiddenKind(
                "Passwords are off in this installation. Sign in with the identity provider: open the console, or run `mortise login --browser`."
            )
        }
    }
}
