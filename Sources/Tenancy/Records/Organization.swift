public import FoundationEssentials
public import Keys

/// The reaction to a leaked token.
public enum LeakAction: String, Sendable, Hashable, CaseIterable {
    /// The history and the webhooks are told of it, and the key goes on.
    case notify
    /// The key goes on from the addresses that used it in the last 30 days.
    case quarantine
    /// The key is revoked.
    case revoke
}

/// An owner of workspaces.
public struct Organization: Sendable, Hashable {
    /// The organization's id, version 7.
    public var id: UUID
    /// The name, 1 to 255 characters.
    public var name: String
    /// The slug, unique in the installation.
    public var slug: String
    /// The prefix of its workspaces' tokens in place of the built-in one.
    public var tokenPrefix: String?
    /// The days before the end of a key at which the organization is told; `nil` for the standard.
    public var expiryNoticeDays: [Int64]?
    /// The days without a use after which the organization is told of a key; `nil` for the standard, zero for never.
    public var unusedAfterDays: Int64?
    /// The reaction to a leaked token of a workspace's key; `nil` notifies about test keys and publishable keys, and revokes other live
    /// keys.
    public var leakAction: LeakAction?
    /// The default workspace, for requests that name none.
    public var defaultWorkspaceID: UUID?
    /// The time of the organization's creation.
    public var createdAt: Timestamp
    /// The time of the last change.
    public var updatedAt: Timestamp
}

/// The settings of an organization to be created.
public struct NewOrganization: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The slug; `nil` derives one from the name.
    public var slug: String?
    /// The token prefix: a letter, then up to three letters or digits, lower case; `nil` for the built-in one.
    public var tokenPrefix: String?

    /// Creates settings.
    public init(name: String, slug: String? = nil, tokenPrefix: String? = nil) {
        self.name = name
        self.slug = slug
        self.tokenPrefix = tokenPrefix
    }
}

/// A change of an organization.
///
/// A property that is `nil` stays.
public struct OrganizationChange: Sendable, Hashable {
    /// The new name.
    public var name: String?
    /// The new slug.
    public var slug: String?
    /// The new token prefix; `.some(nil)` restores the built-in one.
    public var tokenPrefix: String??
    /// The new days of notices before an end; `.some(nil)` restores the standard.
    public var expiryNoticeDays: [Int64]??
    /// The new days without a use; `.some(nil)` restores the standard.
    public var unusedAfterDays: Int64??
    /// The new reaction to a leaked token; `.some(nil)` restores the default.
    public var leakAction: LeakAction??

    /// True if nothing else changes than the reaction to a leaked token and the notices.
    package var isOfNotices: Bool { name == nil && slug == nil && tokenPrefix == nil }

    /// Creates a change.
    public init(name: String? = nil, slug: String? = nil, tokenPrefix: String?? = nil) {
        self.name = name
        self.slug = slug
        self.tokenPrefix = tokenPrefix
    }
}
