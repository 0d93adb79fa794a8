/// Why something about organizations, workspaces or clusters cannot be done.
///
/// Trouble with a server is thrown as `PostgresError`, trouble with the schema as `MigrationError`. The message is safe to print.
public struct TenancyError: Error, Sendable, Hashable {
    /// The kind of fault.
    ///
    /// An open set: code that switches over it needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name, as `description` prints it.
        public let description: String

        /// No such organization.
        public static let unknownOrganization = Code(description: "unknownOrganization")
        /// No such workspace, or not for this caller, who cannot tell the two apart.
        public static let unknownWorkspace = Code(description: "unknownWorkspace")
        /// No such cluster.
        public static let unknownCluster = Code(description: "unknownCluster")
        /// The slug is taken: by another organization, or by another workspace of the organization.
        public static let slugTaken = Code(description: "slugTaken")
        /// The cluster's name is taken.
        public static let clusterNameTaken = Code(description: "clusterNameTaken")
        /// The organization has a default workspace already.
        public static let defaultExists = Code(description: "defaultExists")
        /// The default workspace can be neither archived nor deleted.
        public static let defaultWorkspace = Code(description: "defaultWorkspace")
        /// The workspace's state does not allow it.
        public static let wrongState = Code(description: "wrongState")
        /// A value is not acceptable; `field` says which.
        public static let invalid = Code(description: "invalid")
        /// Another change of the same workspace is under way and did not end in time.
        public static let busy = Code(description: "busy")
        /// Every database connection that this node may have on the cluster is in use.
        public static let capacityExceeded = Code(description: "capacityExceeded")
        /// The server or the database cannot be used by this program.
        public static let incompatible = Code(description: "incompatible")
    }

    /// The kind of fault.
    public let code: Code
    /// One safe sentence.
    public let message: String
    /// The value at fault, where it is one.
    public let field: String?

    /// Creates an error.
    public init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    static let unknownOrganization = TenancyError(.unknownOrganization, "there is no such organization")
    static let unknownWorkspace = TenancyError(.unknownWorkspace, "there is no such workspace")
    static let unknownCluster = TenancyError(.unknownCluster, "there is no such cluster")
}

extension TenancyError: CustomStringConvertible {
    /// The kind and the sentence.
    public var description: String { "TenancyError(\(code)): \(message)" }
}
