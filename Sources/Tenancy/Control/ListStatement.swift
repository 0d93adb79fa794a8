import KeyStore
import Keys
package import Postgres

/// A list in two directions over the same columns and conditions.
///
/// Parameters 1 to 3 are the time and the id of the cursor, and the limit. Those of the conditions begin at 4. A list
/// always has a cursor, so that PostgreSQL can use the index for the comparison.
package struct ListStatement: Sendable {
    private let forward: Statement
    private let backward: Statement

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - select: The statement up to its conditions.
    ///   - alias: The name of the table whose rows are listed.
    ///   - condition: The conditions besides the cursor's.
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

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - request: The page.
    ///   - parameters: The parameters of the conditions.
    ///   - connection: The connection.
    ///   - cursor: Returns an element's cursor.
    ///   - decode: Reads a row.
    /// - Returns: The page. One row more is read, which tells whether another page follows.
    /// - Throws: The database's errors, and the errors of `decode`.
    package func page<Element: Sendable>(
        _ request: PageRequest,
        _ parameters: [any PostgresEncodable],
        on connection: PostgresConnection,
        cursor: (Element) -> PageCursor,
        decode: (Row) throws -> Element
    ) async throws -> Page<Element> {
        let (statement, start, isBackward) =
            switch request.position {
            case .first: (forward, PageCursor.newest, false)
            case .after(let cursor): (forward, cursor, false)
            case .before(let cursor): (backward, cursor, true)
            }
        let rows = try await connection.query(
            statement,
            [start.createdAt.stored, start.id, request.limit + 1] + parameters
        )
        let elements = try rows.map(decode)
        return Page(isBackward ? elements.reversed() : elements, of: request, cursor: cursor)
    }
}
