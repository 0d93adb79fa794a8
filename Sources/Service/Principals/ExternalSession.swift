public import FoundationEssentials
import JSON
public import Keys
import People

/// A session of an organization's own application, whose signature and times have been verified.
public struct ExternalSession: Sendable {
    /// The id of the session issuer.
    public let issuerID: UUID
    /// The issuer's name, as its tokens spell it.
    public let issuer: String
    /// The organization whose application it is.
    public let organizationID: UUID
    /// The application's user.
    public let userID: String
    /// The application's name for the session.
    public let sessionID: String?
    /// The application's organization that the user acts for at the moment.
    public let activeOrganization: ActiveOrganization?
    private let organizationAccess: OrganizationAccess

    /// The access of the session to the keys of its active organization.
    private enum OrganizationAccess: Comparable {
        case none, read, manage
    }

    /// Reads the claims of Clerk's session tokens, of version 2 (`o`) or 1 (`org_id`, `org_role`).
    init?(_ claims: JSONObject, _ issuer: SessionIssuer) {
        guard let user = claims["sub"]?.string, Self.isName(user), user.unicodeScalars.count <= Self.longestUser else {
            return nil
        }
        // A session with a task left, such as choosing an organization, counts as signed out.
        if claims["sts"]?.string == "pending" { return nil }
        issuerID = issuer.id
        self.issuer = issuer.issuer
        organizationID = issuer.organizationID
        userID = user
        sessionID = claims["sid"]?.string
        activeOrganization = ActiveOrganization(claims)
        let role = activeOrganization?.role
        func hasRole(_ roles: [String]) -> Bool {
            role.map { roles.map(ActiveOrganization.bare).contains($0) } ?? false
        }
        organizationAccess = hasRole(issuer.manageRoles) ? .manage : hasRole(issuer.readRoles) ? .read : .none
    }

    /// The maximum length of a user's name: with its prefix it must still fit into an actor.
    private static let longestUser = 240

    static func isName(_ text: String) -> Bool {
        (1...255).contains(text.unicodeScalars.count) && !text.utf8.contains(0)
    }

    /// The subject of a request that names none: the active organization, or else the user.
    public var defaultSubject: String { activeOrganization?.id ?? userID }

    /// Returns true if the session has a permission over a subject's keys.
    public func allows(_ permission: Permission, over subject: String) -> Bool { own(subject, permission) != nil }

    /// Returns the subject as the session spells it, if the session has a permission over the subject's keys.
    ///
    /// The comparison is byte for byte, as in the database. `==` takes the Kelvin sign for a K, and the two have
    /// different keys.
    func own(_ subject: String, _ permission: Permission) -> String? {
        let needed: OrganizationAccess
        switch permission {
        case .keysRead: needed = .read
        case .keysWrite: needed = .manage
        default: return nil
        }
        if subject.utf8.elementsEqual(userID.utf8) { return userID }
        guard organizationAccess >= needed, let id = activeOrganization?.id, subject.utf8.elementsEqual(id.utf8) else {
            return nil
        }
        return id
    }
}

/// The application's organization that a session acts for.
public struct ActiveOrganization: Sendable, Hashable {
    /// The organization's id.
    public let id: String
    /// The organization's slug.
    public let slug: String?
    /// The user's role in the organization, without the prefix `org:`.
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
