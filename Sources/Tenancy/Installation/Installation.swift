import Keys

/// The names by which one installation knows its own things on a server that others use too.
public struct Installation: Sendable, Hashable {
    /// What every database's name begins with.
    public let prefix: String
    /// The role that the service connects as.
    public var runtimeRole: String { "\(prefix)_runtime" }

    /// The installation that has a server to itself: prefix `mortise`.
    public static let standard = Installation(unchecked: "mortise")

    /// Names an installation.
    ///
    /// - Parameter prefix: a letter, then up to 23 letters, digits and underscores, all lower case.
    /// - Throws: `invalid`.
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

    /// The database of a workspace.
    ///
    /// Refs tell upper from lower case, and so do quoted names.
    func workspaceDatabase(_ ref: WorkspaceRef) -> String { "\(prefix)_w_\(ref.text)" }

    /// What the names of all template databases begin with.
    var templatePrefix: String { "\(prefix)_template_" }

    /// The template database of one state of the schema, at most 52 bytes.
    func templateDatabase(checksum: String) -> String { templatePrefix + checksum.prefix(16) }
}
