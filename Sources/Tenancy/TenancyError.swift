/// A rule of organizations, workspaces or clusters that a call violates.
///
/// Faults of a server are `PostgresError`s, faults of the schema `MigrationError`s. The message is safe to print.
public struct TenancyError: Error, Sendable, Hashable {
    /// The kind of fault.
    ///
    /// An open set: code that switches over it needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// The organization does not exist.
        public static let unknownOrganization = Code(description: "unknownOrganization")
        /// The workspace does not exist, or not for this caller, who cannot tell the two apart.
        public static let unknownWorkspace = Code(description: "unknownWorkspace")
        /// The cluster does not exist.
        public static let unknownCluster = Code(description: "unknownCluster")
        /// Another organization, or another workspace of the organization, has the slug.
        public static let slugTaken = Code(description: "slugTaken")
        /// Another cluster has the name.
        public static let clusterNameTaken = Code(description: "clusterNameTaken")
        /// The organization has a default workspace already.
        public static let defaultExists = Code(description: "defaultExists")
        /// The default workspace can be neither archived nor deleted.
        public static let defaultWorkspace = Code(description: "defaultWorkspace")
        /// The workspace's state does not allow it.
        public static let wrongState = Code(description: "wrongState")
        /// An operator suspended or archived the workspace, and only an operator can undo that.
        public static let heldByOperator = Code(description: "heldByOperator")
        /// A value is not acceptable.
        ///
        /// `field` says which.
        public static let invalid = Code(description: "invalid")
        /// Another change of the same workspace is under way and did not end in time.
        public static let busy = Code(description: "busy")
        /// A database session that does not belong to Mortise holds a lock that a change needs.
        public static let blocked = Code(description: "blocked")
        /// The workspace's database does not exist, lacks tables of this release, or cannot be reached.
        public static let databaseUnusable = Code(description: "databaseUnusable")
        /// Every database connection that this node may have on the cluster, or every place for heavy work, is in use.
        public static let capacityExceeded = Code(description: "capacityExceeded")
        /// The installation was restored from a backup, and no operator has released it.
        public static let held = Code(description: "held")
        /// The server or the database cannot be used by this program.
        public static let incompatible = Code(description: "incompatible")
    }

    /// The kind of fault.
    public let code: Code
    /// A sentence that is safe to print.
    public let message: String
    /// The field whose value is wrong, or `nil`.
    public let field: String?

    /// Creates an error.
    public init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    static let unknownOrganization = TenancyError(.unknownOrganization, "there is no such organization")
    static let unknownWorkspace = TenancyError(.unknownWorkspace, "there is no such workspace")
    static let heldByOperator = TenancyError(
        .heldByOperator,
        "an operator suspended or archived the workspace, and only an operator can undo that; ask the operator of this installation"
    )
    static let unknownCluster = TenancyError(.unknownCluster, "there is no such cluster")
}

extension TenancyError: CustomStringConvertible {
    /// The kind and the message.
    public var description: String { "TenancyError(\(code)): \(message)" }
}
