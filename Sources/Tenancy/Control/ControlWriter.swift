import FoundationEssentials
public import KeyStore
import Keys

/// Writes the rows of organizations, workspaces and clusters in an audited transaction, each change with its event.
public struct ControlWriter: Sendable {
    /// The rows as the transaction sees them.
    public let store: ControlStore

    let transaction: AuditedTransaction
    let installation: Installation
    let identifiers: IdentifierSource

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - transaction: The open transaction.
    ///   - installation: The installation, whose prefix the names of databases have.
    ///   - identifiers: The source of ids and workspace references.
    public init(
        _ transaction: AuditedTransaction,
        installation: Installation,
        identifiers: IdentifierSource = .system
    ) {
        self.transaction = transaction
        self.installation = installation
        self.identifiers = identifiers
        store = ControlStore(transaction.connection)
    }

    /// Records the event of a change.
    func record(
        _ type: EventType,
        id: UUID? = nil,
        workspace: UUID? = nil,
        organization: UUID? = nil,
        _ changes: EventChanges,
        by attribution: Attribution
    ) async throws {
        try await transaction.record(
            EventRecord(
                type,
                id: id ?? identifiers.id(),
                workspaceID: workspace,
                organizationID: organization,
                changes: changes,
                by: attribution,
                at: try await transaction.now()
            )
        )
    }

    /// Throws if a name is empty, too long, or contains NUL, which PostgreSQL's text cannot hold.
    package static func check(name: String) throws(TenancyError) {
        guard (1...255).contains(name.unicodeScalars.count), !name.utf8.contains(0) else {
            throw TenancyError(.invalid, "a name has 1 to 255 characters and no NUL", field: "name")
        }
    }

    /// Inserts a row under a slug that is free: the requested one, or one of up to six that derive from the name.
    ///
    /// - Parameters:
    ///   - requested: The slug that the caller requested, which is tried alone.
    ///   - name: The name that a slug derives from otherwise.
    ///   - fallback: The slug for a name without letters or digits.
    ///   - insert: Inserts the row; `nil` if the slug is taken.
    /// - Returns: The value that `insert` returned for the free slug.
    /// - Throws: `slugTaken`, `invalid`, and the errors of `insert`.
    func withSlug<T>(
        _ requested: String?,
        name: String?,
        fallback: String,
        _ insert: (Slug) async throws -> T?
    ) async throws -> T {
        if let requested {
            if let created = try await insert(Slug(validating: requested)) { return created }
            throw TenancyError(.slugTaken, "the slug is taken", field: "slug")
        }
        let derived = try name.flatMap(Slug.derived(from:)) ?? Slug(validating: fallback)
        if let created = try await insert(derived) { return created }
        for _ in 0..<5 {
            // The last bytes of an id are random. A suffix need not be a secret, only rarely the same.
            let random = identifiers.id().uuid
            let suffix = String(UInt32(random.13) << 16 | UInt32(random.14) << 8 | UInt32(random.15), radix: 36)
            if let created = try await insert(derived.suffixed(suffix)) { return created }
        }
        throw TenancyError(.slugTaken, "no free slug was found; choose one", field: "slug")
    }
}
