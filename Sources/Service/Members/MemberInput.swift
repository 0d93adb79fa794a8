public import FoundationEssentials
import Keys
public import People
import Tenancy

/// A member to be added.
public struct NewMember: Sendable {
    /// The user's address.
    public var email: String
    /// What they may do.
    public var role: MemberRole
    /// Where; `nil` is the whole organization.
    public var workspaceID: UUID?
    /// What people call them, for a user who is new here.
    public var name: String?
    /// Their password, for a user who is new here; without one they cannot sign in until they are given one.
    public var password: String?

    /// Describes a member.
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

/// A change to a member; what is `nil` stays.
public struct MemberChange: Sendable {
    /// What they may do from now on.
    public var role: MemberRole?
    /// What people call them; `.some(nil)` takes the name away.
    public var name: String??
    /// A new password, which ends their sessions.
    public var password: String?

    /// Describes a change.
    public init(role: MemberRole? = nil, name: String?? = nil, password: String? = nil) {
        self.role = role
        self.name = name
        self.password = password
    }
}

/// Checks what people write about users.
enum UserInput {
    static func email(_ text: String) throws(Refusal) -> EmailAddress {
        guard let email = EmailAddress(text) else {
            throw .invalid([InvalidField(pointer: "/email", detail: "Must be an e-mail address in ASCII.")])
        }
        return email
    }

    /// Refuses a new password that is too short or too long.
    ///
    /// No rules about kinds of characters: they make passwords harder to remember and no harder to guess (NIST SP
    /// 800-63B section 5.1.1.2).
    static func check(password: String, _ pointer: String = "/password") throws(Refusal) {
        guard NewPassword.length.contains(password.unicodeScalars.count) else {
            let detail = "Must have \(NewPassword.length.lowerBound) to \(NewPassword.length.upperBound) characters."
            throw .invalid([InvalidField(pointer: pointer, detail: detail)])
        }
    }

    static func check(name: String?) throws(Refusal) {
        guard let name else { return }
        guard (1...255).contains(name.unicodeScalars.count), !name.utf8.contains(0) else {
            throw .invalid([InvalidField(pointer: "/name", detail: "Must have 1 to 255 characters and no NUL.")])
        }
    }
}
