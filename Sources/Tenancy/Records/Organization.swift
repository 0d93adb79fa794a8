public import FoundationEssentials
public import Keys

/// An owner of workspaces.
public struct Organization: Sendable, Hashable {
    /// Its id, version 7.
    public var id: UUID
    /// What people call it: 1 to 255 characters.
    public var name: String
    /// Its name in addresses, unique in the installation.
    public var slug: String
    /// What its tokens begin with instead of the built-in prefix.
    public var tokenPrefix: String?
    /// The workspace that is meant when none is named.
    public var defaultWorkspaceID: UUID?
    /// When it was made.
    public var createdAt: Timestamp
    /// When it was last changed.
    public var updatedAt: Timestamp
}

/// What an organization is made from.
public struct NewOrganization: Sendable, Hashable {
    /// What people will call it.
    public var name: String
    /// Its name in addresses; `nil` derives one from the name.
    public var slug: String?
    /// What its tokens are to begin with: a letter, then up to three letters or digits, lower case.
    public var tokenPrefix: String?

    /// Describes an organization.
    public init(name: String, slug: String? = nil, tokenPrefix: String? = nil) {
        self.name = name
        self.slug = slug
        self.tokenPrefix = tokenPrefix
    }
}

/// What is to be changed of an organization; what is `nil` stays.
public struct OrganizationChange: Sendable, Hashable {
    /// The new name.
    public var name: String?
    /// The new slug.
    public var slug: String?
    /// The new token prefix; `.some(nil)` goes back to the built-in one.
    public var tokenPrefix: String??

    /// Describes a change.
    public init(name: String? = nil, slug: String? = nil, tokenPrefix: String?? = nil) {
        self.name = name
        self.slug = slug
        self.tokenPrefix = tokenPrefix
    }
}
