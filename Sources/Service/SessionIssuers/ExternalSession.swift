public import FoundationEssentials
import JSON
import Keys
import People
import Tenancy

/// A session of an organization's own application, after its issuer's signature and its times were checked.
public struct ExternalSession: Sendable {
    /// The issuer's id here.
    public let issuerID: UUID
    /// The issuer, as its tokens say.
    public let issuer: String
    /// The organization here whose application it is.
    public let organizationID: UUID
    /// The application's user.
    public let userID: String
    /// The application's name for the session.
    public let sessionID: String?
    /// The application's organization that the user acts for at the moment.
    public let activeOrganization: ActiveOrganization?
    private let mayReadOrganization: Bool
    private let mayManageOrganization: Bool

    /// Reads the claims of Clerk's session tokens, of version 2 (`o`) or 1 (`org_id`, `org_role`).
    init?(_ claims: JSONObject, _ issuer: SessionIssuer) {
        guard let user = claims["sub"]?.string, Self.isName(user), user.unicodeScalars.count <= Self.longestUser else {
            return nil
        }
        // A session with a task left, such as to choose an organization, counts as signed out.
        if claims["sts"]?.string == "pending" { return nil }
        issuerID = issuer.id
        self.issuer = issuer.issuer
        organizationID = issuer.organizationID
        userID = user
        sessionID = claims["sid"]?.string
        activeOrganization = ActiveOrganization(claims)
        let role = activeOrganization?.role
        func isNamed(_ roles: [String]) -> Bool {
            role.map { roles.map(ActiveOrganization.bare).contains($0) } ?? false
        }
        mayManageOrganization = isNamed(issuer.manageRoles)
        mayReadOrganization = isNamed(issuer.readRoles) || mayManageOrganization
    }

    /// With what stands before it in the history it must still be an actor.
    private static let longestUser = 240

    static func isName(_ text: String) -> Bool {
        (1...255).contains(text.unicodeScalars.count) && !text.utf8.contains(0)
    }

    /// Whose keys are meant when none is named: the active organization's, else the user's.
    public var defaultSubject: String { activeOrganization?.id ?? userID }

    /// Whether it may see a subject's keys.
    public func mayRead(_ subject: String) -> Bool { own(subject, .keysRead) != nil }

    /// Whether it may make and revoke a subject's keys.
    public func mayManage(_ subject: String) -> Bool { own(subject, .keysWrite) != nil }

    /// The subject as the session spells it, where it may do this with the subject's keys.
    ///
    /// Byte for byte, as the database compares: `==` takes the Kelvin sign for a K, and the keys of the one are not those of the other.
    func own(_ subject: String, _ permission: Permission) -> String? {
        let mayAsOrganization: Bool
        switch permission {
        case .keysRead: mayAsOrganization = mayReadOrganization
        case .keysWrite: mayAsOrganization = mayManageOrganization
        default: return nil
        }
        if subject.utf8.elementsEqual(userID.utf8) { return userID }
        guard mayAsOrganization, let id = activeOrganization?.id, subject.utf8.elementsEqual(id.utf8) else {
            return nil
        }
        return id
    }
}

/// The application's organization that a session acts for.
public struct ActiveOrganization: Sendable, Hashable {
    /// Its id.
    public let id: String
    /// Its short name.
    public let slug: String?
    /// The user's role in it, without the prefix `org:`.
    public let role: String?

    fileprivate init?(_ claims: JSONObject) {
        let (id, slug, role) =
            if case .object(let organization)? = claims["o"] {
                (organization["id"]?.string, organization["slg"]?.string, organization["rol"]?.string)
            } else {
                (claims["org_id"]?.string, claims["org_slug"]?.string, claims["org_role"]?.string)
            }
        guard let id, ExternalSession.isName(id) else { return nil }
        self.id = id
        self.slug = slug
        self.role = role.map(Self.bare)
    }

    fileprivate static func bare(_ role: String) -> String {
        role.hasPrefix("org:") ? String(role.dropFirst(4)) : role
    }
}
