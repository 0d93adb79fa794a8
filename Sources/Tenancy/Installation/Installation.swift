import Keys

/// The names of one installation's databases and role on a server that it shares with others.
public struct Installation: Sendable, Hashable {
    /// The beginning of every database's name.
    public let prefix: String
    /// The name of the runtime role, as which the service connects.
    public var runtimeRole: String { "\(prefix)_runtime" }

    /// The installation with the prefix `mortise`, which has a server to itself.
    public static let standard = Installation(unchecked: "mortise")

    /// Creates an installation.
    ///
    /// - Parameter prefix: A letter, then up to 23 letters, digits and underscores, all lower case.
    /// - Throws: `invalid` for any other prefix.
    public init(prefix: String) throws(TenancyError) {
        let isWellFormed =
            (1...24).contains(prefix.utf8.count) && prefix.utf8.first.map(Self.isLetter) == true
            && prefix.utf8.allSatisfy {
                Self.isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
            }
        guard isWellFormed else {
            throw TenancyError(
                .invalid,
                "an installation's prefix is a letter and up to 23 letters, digits and underscores, in lower case",
                field: "prefix"
            )
        }
        self.prefix = prefix
    }

    private init(unchecked prefix: String) { self.prefix = prefix }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    /// Returns the name of a workspace's database.
    ///
    /// References are case-sensitive, and so are quoted names.
    func workspaceDatabase(_ ref: WorkspaceRef) -> String { "\(prefix)_w_\(ref.text)" }

    /// The name of the database with the leases and fences of a cluster, on each cluster.
    public var clusterDatabase: String { "\(prefix)_cluster" }

    /// The name of the control database until a restoration is complete.
    var restoringDatabase: String { "\(prefix)_restore" }

    /// The beginning of every template database's name.
    var templatePrefix: String { "\(prefix)_template_" }

    /// Returns the name of the template database for one version of the schema, at most 52 bytes.
    func templateDatabase(checksum: String) -> String { templatePrefix + checksum.prefix(16) }
}
