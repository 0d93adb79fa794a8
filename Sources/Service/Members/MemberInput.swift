public import FoundationEssentials
import Keys
public import People

/// A member to be added.
public struct NewMember: Sendable {
    /// The user's address.
    public var email: String
    /// The role.
    public var role: MemberRole
    /// The workspace; `nil` is the whole organization.
    public var workspaceID: UUID?
    /// The name of a user who is new here.
    public var name: String?
    /// The password of a user who is new here.
    ///
    /// Without one the user can sign in only with the identity provider, until an admin sets one.
    public var password: String?

    /// Creates a member.
    public init(
        email: String,
        role: MemberRole,
        workspaceID: UUID? = nil,
        name: String? = nil,
        password: String? = nil
    ) {
        self.email = email
        self.role = role
        self.workspaceID = workspaceID
        self.name = name
        self.password = password
    }
}

/// A change of a member.
///
/// A property that is `nil` stays.
public struct MemberChange: Sendable {
    /// The new role.
    public var role: MemberRole?
    /// The new name; `.some(nil)` removes it.
    public var name: String??
    /// The new password, which ends the member's sessions.
    public var password: String?

    /// Creates a change.
    public init(role: MemberRole? = nil, name: String?? = nil, password: String? = nil) {
        self.role = role
        self.name = name
        self.password = password
    }
}

/// Checks input about users.
enum UserInput {
    /// Throws all faults of a user's settings together.
    ///
    /// - Parameters:
    ///   - email: The address; `nil` if it is not given.
    ///   - name: The name; `nil` if it is not given.
    ///   - password: The password; `nil` if it is not given.
    /// - Throws: `Refusal.invalid`.
    static func check(email: String? = nil, name: String?, password: String?) throws(Refusal) {
        let faults = [
            email.flatMap { EmailAddress($0) == nil ? emailFault : nil }, name.flatMap(fault(ofName:)),
            password.flatMap { fault(ofPassword: $0, "/password") },
        ]
        .compactMap(\.self)
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    static func email(_ text: String) throws(Refusal) -> EmailAddress {
        guard let email = EmailAddress(text) else { throw .invalid([emailFault]) }
        return email
    }

    private static let emailFault = InvalidField(
        pointer: "/email",
        detail: "Must be an e-mail address such as ada@example.com, of ASCII characters only."
    )

    /// Throws if a new password is too short or too long, or one that attackers try first.
    ///
    /// There are no rules about kinds of characters. They make passwords harder to remember and no harder to guess
    /// (NIST SP 800-63B section 5.1.1.2).
    static func check(password: String, _ pointer: String = "/password") throws(Refusal) {
        if let fault = fault(ofPassword: password, pointer) { throw .invalid([fault]) }
    }

    private static func fault(ofPassword password: String, _ pointer: String) -> InvalidField? {
        guard NewPassword.length.contains(password.unicodeScalars.count) else {
            let detail = "Must have \(NewPassword.length.lowerBound) to \(NewPassword.length.upperBound) characters."
            return InvalidField(pointer: pointer, detail: detail)
        }
        guard CommonPassword.matches(password) else { return nil }
        return InvalidField(pointer: pointer, detail: "Must not be one of the passwords that attackers try first.")
    }

    private static func fault(ofName name: String) -> InvalidField? {
        guard !(1...255).contains(name.unicodeScalars.count) || name.utf8.contains(0) else { return nil }
        return InvalidField(pointer: "/name", detail: "Must have 1 to 255 characters and no NUL.")
    }
}
