public import Postgres

extension PostgresError {
    /// Whether the database lacks a table or a column that this release knows: it has not been migrated.
    public var isOfOutdatedSchema: Bool { [.undefinedTable, .undefinedColumn].contains(sqlState) }
}
