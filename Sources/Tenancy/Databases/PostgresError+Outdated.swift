public import Postgres

extension PostgresError {
    /// True if the database lacks a table or a column of this release, because it was not migrated.
    public var isOfOutdatedSchema: Bool { [.undefinedTable, .undefinedColumn].contains(sqlState) }
}
