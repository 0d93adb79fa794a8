/// The comparison of a migration line with the ledger of a database.
///
/// A plan is a value: creating one reads and changes no database.
public struct MigrationPlan: Sendable, Hashable {
    /// A file whose bytes differ from the ones that were applied.
    public struct Change: Sendable, Hashable {
        /// The name of the file.
        public let name: String
        /// The checksum of the file in this program.
        public let expected: String
        /// The checksum in the ledger.
        public let found: String
    }

    /// The name of the migration line.
    public let line: String
    /// The files that were applied with the same contents.
    public private(set) var applied: [AppliedMigration] = []
    /// The files to apply, in their order.
    public private(set) var pending: [MigrationFile] = []
    /// The files that were applied with other contents.
    public private(set) var changed: [Change] = []
    /// The applied files that this program does not have.
    public private(set) var missing: [AppliedMigration] = []
    /// The pending files that come before an applied file.
    public private(set) var outOfOrder: [MigrationFile] = []
    private var lastApplied: String?

    /// Creates a plan.
    ///
    /// - Parameters:
    ///   - line: The files of this program.
    ///   - ledger: The rows of the database's ledger, in any order. Rows of other lines are ignored.
    public init(_ line: MigrationLine, ledger: [AppliedMigration]) {
        self.line = line.name
        let rows = ledger.filter { $0.line == line.name }.sorted { $0.name.precedes($1.name) }
        var known: [String: AppliedMigration] = [:]
        for row in rows { known[row.name] = row }
        lastApplied = rows.last?.name
        for file in line.files {
            guard let row = known.removeValue(forKey: file.name) else {
                pending.append(file)
                if let last = lastApplied, file.name.precedes(last) { outOfOrder.append(file) }
                continue
            }
            if row.checksum == file.checksum {
                applied.append(row)
            } else {
                changed.append(Change(name: file.name, expected: file.checksum, found: row.checksum))
            }
        }
        missing = known.values.sorted { $0.name.precedes($1.name) }
        lastOwn = line.files.last?.name
    }

    private let lastOwn: String?

    /// True if the database has every file of this program, and possibly more.
    public var isUpToDate: Bool { pending.isEmpty && fault == nil }

    /// True if a later release has migrated the database: every unknown file comes after the last file of this program.
    ///
    /// This is not a fault. A release first expands the schema, so the program of the release before runs on the new schema.
    public var isNewer: Bool {
        guard let first = missing.first else { return false }
        return lastOwn.map { $0.precedes(first.name) } ?? true
    }

    /// The error that prevents the files from being applied, or `nil`.
    public var fault: MigrationError? {
        if !changed.isEmpty { return .changed(line: line, changed) }
        if !missing.isEmpty, !isNewer {
            return .unknownFiles(line: line, files: missing.map(\.name))
        }
        if !outOfOrder.isEmpty, let last = lastApplied {
            return .outOfOrder(line: line, files: outOfOrder.map(\.name), lastApplied: last)
        }
        return nil
    }
}
