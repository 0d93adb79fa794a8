import FoundationEssentials
public import Postgres

/// The rows of organizations, workspaces and clusters, over one connection to the control database.
///
/// Every change is one statement that also writes its audit event, so it is whole inside a caller's transaction and without one. What
/// is changed here is facts; databases and states are the `Provisioner`'s.
public struct ControlStore: Sendable {
    let connection: PostgresConnection
    let installation: Installation
    let identifiers: IdentifierSource

    /// Works on a connection, which may have a transaction open.
    public init(
        _ connection: PostgresConnection,
        installation: Installation,
        identifiers: IdentifierSource = .system
    ) {
        self.connection = connection
        self.installation = installation
        self.identifiers = identifiers
    }

    /// The parameters of an event: its id and who it is attributed to.
    func event(_ attribution: Attribution) -> [any PostgresEncodable] {
        [identifiers.id(), attribution.actor, attribution.address, attribution.requestID]
    }

    /// Refuses a name that is empty, too long or holds NUL, which PostgreSQL's text cannot.
    static func check(name: String) throws(TenancyError) {
        guard (1...255).contains(name.unicodeScalars.count), !name.utf8.contains(0) else {
            throw TenancyError(.invalid, "a name has 1 to 255 characters and no NUL", field: "name")
        }
    }

    /// Up to six tries to find a slug that is free: the wanted one, or variations of one that was derived.
    ///
    /// - Parameters:
    ///   - wanted: what the caller asked for, which is tried alone.
    ///   - name: what a slug is derived from otherwise.
    ///   - fallback: the slug of a name without letters or digits.
    ///   - insert: returns `nil` when the slug is taken.
    /// - Returns: what `insert` returned for the slug that was free.
    /// - Throws: `slugTaken`, `invalid`, and what `insert` throws.
    func withSlug<T>(
        _ wanted: String?,
        name: String?,
        fallback: String,
        _ insert: (Slug) async throws -> T?
    ) async throws -> T {
        if let wanted {
            if let made = try await insert(Slug(validating: wanted)) { return made }
            throw TenancyError(.slugTaken, "the slug is taken", field: "slug")
        }
        let derived = try name.flatMap(Slug.derived(from:)) ?? Slug(validating: fallback)
        if let made = try await insert(derived) { return made }
        for _ in 0..<5 {
            // The last bytes of an id are random; a suffix need not be a secret, only rarely the same.
            let random = identifiers.id().uuid
            let suffix = String(UInt32(random.13) << 16 | UInt32(random.14) << 8 | UInt32(random.15), radix: 36)
            if let made = try await insert(derived.suffixed(suffix)) { return made }
        }
        throw TenancyError(.slugTaken, "no free slug was found; choose one", field: "slug")
    }
}

/// A list in two directions, from the same columns and conditions.
///
/// Parameters 1 to 3 are the time and the id of the place and the limit; those of the conditions begin at 4. There is always a place, so that
/// the comparison can use the index.
package struct ListStatement: Sendable {
    private let forward: Statement
    private let backward: Statement

    package init(_ select: String, alias: String, where condition: String = "true") {
        func statement(_ comparison: String, _ order: String) -> Statement {
            Statement(
                """
                \(select) WHERE (\(alias).created_at, \(alias).id) \(comparison) ($1, $2) AND \(condition)
                ORDER BY \(alias).created_at \(order), \(alias).id \(order) LIMIT $3
                """
            )
        }
        forward = statement("<", "DESC")
        backward = statement(">", "ASC")
    }

    /// Reads a page and one row more, which tells whether there is another page.
    package func page<Element: Sendable>(
        _ request: PageRequest,
        _ parameters: [any PostgresEncodable],
        on connection: PostgresConnection,
        place: (Element) -> PageCursor,
        decode: (Row) throws -> Element
    ) async throws -> Page<Element> {
        let (statement, cursor, isBackward) =
            switch request.position {
            case .first: (forward, PageCursor.newest, false)
            case .after(let cursor): (forward, cursor, false)
            case .before(let cursor): (backward, cursor, true)
            }
        let rows = try await connection.query(
            statement,
            [PostgresTimestamp(cursor.createdAt), cursor.id, request.limit + 1] + parameters
        )
        let found = try rows.prefix(request.limit).map(decode)
        let hasMore = rows.count > request.limit
        return Page(
            items: isBackward ? found.reversed() : found,
            hasMore: hasMore,
            next: hasMore ? found.last.map(place) : nil
        )
    }
}
