public import FoundationEssentials
public import Keys

/// A tenant: one database on one cluster.
public struct Workspace: Sendable {
    /// The id of the root tenant, which is the control database.
    ///
    /// It is the same in every installation.
    public static let rootID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0))

    /// The workspace's id, version 7.
    public var id: UUID
    /// The organization that owns the workspace.
    public var organizationID: UUID
    /// The reference in the workspace's tokens.
    ///
    /// No other workspace ever gets it.
    public var ref: WorkspaceRef
    /// The slug, unique in the organization.
    public var slug: String
    /// The name.
    public var name: String?
    /// The cluster.
    public var clusterID: UUID
    /// The name of the database.
    public var database: String
    /// The state.
    public var state: WorkspaceState
    /// The requested state, while a change of state has begun and not ended.
    public var targetState: WorkspaceState?
    /// True if the workspace is the organization's default, for requests that name none.
    public var isDefault: Bool
    /// The retention of the tenant's data, as the text of a JSON object.
    ///
    /// Mortise stores and shows it, and does not act on it.
    public var dataRetention: String
    /// The time of the workspace's creation.
    public var createdAt: Timestamp
    /// The time of the last change.
    public var updatedAt: Timestamp
    /// The time at which the workspace was archived.
    public var archivedAt: Timestamp?
    /// The owner's data, as the text of a JSON object.
    public var metadata: String
    /// The scopes that members can give to their own client keys; `nil` allows every scope without a wildcard.
    public var memberScopes: [String]?
    /// True if only an operator can resume or restore the workspace, because an operator suspended or archived it.
    public var isHeldByOperator: Bool

    /// The facts, which never change.
    public var facts: WorkspaceFacts {
        WorkspaceFacts(
            workspaceID: id,
            organizationID: organizationID,
            ref: ref,
            clusterID: clusterID,
            database: database
        )
    }
}

/// The facts of a workspace that never change and so can be cached for ever: everything that is needed to reach its
/// database.
public struct WorkspaceFacts: Sendable, Hashable {
    /// The workspace's id.
    public let workspaceID: UUID
    /// The organization.
    public let organizationID: UUID
    /// The reference in the workspace's tokens.
    public let ref: WorkspaceRef
    /// The cluster.
    public let clusterID: UUID
    /// The name of the database.
    public let database: String
}

/// The settings of a workspace to be created.
public struct NewWorkspace: Sendable {
    /// The organization that owns the workspace.
    public var organizationID: UUID
    /// The name.
    public var name: String?
    /// The slug; `nil` derives one from the name.
    public var slug: String?
    /// The name of the cluster; `nil` is the control database's own server.
    public var cluster: String?
    /// True for the organization's default workspace, of which it has one.
    public var isDefault: Bool
    /// The data retention, as the text of a JSON object; `nil` is seven days.
    public var dataRetention: String?
    /// The owner's data, as the text of a JSON object; `nil` is an empty one.
    public var metadata: String?

    /// Creates settings.
    public init(
        organizationID: UUID,
        name: String? = nil,
        slug: String? = nil,
        cluster: String? = nil,
        isDefault: Bool = false,
        dataRetention: String? = nil,
        metadata: String? = nil
    ) {
        self.organizationID = organizationID
        self.name = name
        self.slug = slug
        self.cluster = cluster
        self.isDefault = isDefault
        self.dataRetention = dataRetention
        self.metadata = metadata
    }
}

/// A change of a workspace.
///
/// A property that is `nil` stays.
public struct WorkspaceChange: Sendable {
    /// The new name; `.some(nil)` removes it.
    public var name: String??
    /// The new slug.
    public var slug: String?
    /// The new data retention, as the text of a JSON object.
    public var dataRetention: String?
    /// The new metadata, as the text of a JSON object.
    public var metadata: String?
    /// The new scopes that members can give to their own client keys; `.some(nil)` allows every scope without a
    /// wildcard.
    public var memberScopes: [String]??

    /// True if everything stays.
    public var isEmpty: Bool {
        name == nil && slug == nil && dataRetention == nil && metadata == nil && memberScopes == nil
    }

    /// Creates a change.
    public init(name: String?? = nil, slug: String? = nil, dataRetention: String? = nil, metadata: String? = nil) {
        self.name = name
        self.slug = slug
        self.dataRetention = dataRetention
        self.metadata = metadata
    }
}
