public import Keys
import People

/// The member that the settings of a first start name.
///
/// The password does not print. A member without one signs in with the identity provider.
public struct FirstMember: Sendable, Equatable, Redacted {
    let email: EmailAddress
    let password: String?

    /// Creates a member.
    ///
    /// - Throws: `FirstMemberFault`, which does not repeat the password.
    public init(email: String, password: String?) throws(FirstMemberFault) {
        guard let address = EmailAddress(email) else { throw .badEmail }
        if let password {
            do throws(Refusal) { try UserInput.check(password: password) } catch { throw .badPassword }
        }
        self.email = address
        self.password = password
    }
}

/// A fault of the first member that the settings name.
public enum FirstMemberFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The address is not an e-mail address.
    case badEmail
    /// The password is too short or too long, or one that attackers try first.
    case badPassword

    /// A sentence for the operator.
    public var description: String {
        switch self {
        case .badEmail: "MORTISE_ADMIN_EMAIL is not an e-mail address."
        case .badPassword:
            """
            MORTISE_ADMIN_PASSWORD must have \(NewPassword.length.lowerBound) to \(NewPassword.length.upperBound) characters, \
            and must not be one of the passwords that attackers try first.
            """
        }
    }
}
