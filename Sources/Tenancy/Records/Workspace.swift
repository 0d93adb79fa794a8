public import FoundationEssentials
public import Keys

/// A tenant: one database on one cluster.
public struct Workspace: Sendable {
    /// The id of the root tenant, which is the control database; the same in every installation.
    public static let rootID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0))

    /// Its id, version 7.
    public var id: UUID
    /// Its owner.
    public var organizationID: UUID
    /// What its tokens carry; never given to another workspace, not even after this one is gone.
    public var ref: WorkspaceRef
    /// Its name in addresses, unique in its organization.
    public var slug: String
    /// What people call it.
    public var name: String?
    /// The server that holds it.
    public var clusterID: UUID
    /// Its database's name.
    public var database: String
    /// Where in its life it is.
    public var state: WorkspaceState
    /// The state it is on its way to, when a change was begun and is not finished.
    public var targetState: WorkspaceState?
    /// Whether it is meant when none is named.
    public var isDefault: Bool
    /// How long the tenant's services keep data: the text of a JSON object that is stored and shown, not acted upon.
    public var dataRetention: String
    /// When it was made.
    public var createdAt: Timestamp
    /// When it was last changed.
    public var updatedAt: Timestamp
    /// When it was archived.
    public var archivedAt: Timestamp?
    /// The owner's own data: the text of a JSON object.
    public var metadata: String

    /// What of it never changes.
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

/// What of a workspace never changes, and so can be remembered for ever: everything needed to reach its database.
public struct WorkspaceFacts: Sendable, Hashable {
    /// Its id.
    public let workspaceID: UUID
    /// Its owner.
    public let organizationID: UUID
    /// What its tokens carry.
    public let ref: WorkspaceRef
    /// The server that holds it.
    public let clusterID: UUID
    /// Its database's name.
    public let database: String
}

/// What a workspace is made from.
public struct NewWorkspace: Sendable {
    /// Its owner.
    public var organizationID: UUID
    /// What people will call it.
    public var name: String?
    /// Its name in addresses; `nil` derives one from the name.
    public var slug: String?
    /// The name of the cluster to put it on; `nil` is the control database's own server.
    public var cluster: String?
    /// Whether it is meant when none is named; an organization has one such workspace.
    public var isDefault: Bool
    /// The text of a JSON object; `nil` is seven days.
    public var dataRetention: String?
    /// The owner's own data: the text of a JSON object; `nil` is an empty one.
    public var metadata: String?

    /// Describes a workspace.
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

/// What is to be changed of a workspace; what is `nil` stays.
public struct WorkspaceChange: Sendable {
    /// The new name; `.some(nil)` takes the name away.
    public var name: String??
    /// The new slug.
    public var slug: String?
    /// The new data retention, the text of a JSON object.
    public var dataRetention: String?
    /// The new metadata, the text of a JSON object.
    public var metadata: String?

    /// Whether everything stays.
    public var isEmpty: Bool {
        name == nil && slug == nil && dataRetention == nil && metadata == nil
    }

    /// Describes a change.
    public init(name: String?? = nil, slug: String? = nil, dataRetention: String? = nil, metadata: String? = nil) {
        self.name = name
        self.slug = slug
        self.dataRetention = dataRetention
        self.metadata = metadata
    }
}
