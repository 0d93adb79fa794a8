/// What a line's files and a database's ledger say about each other.
///
/// A pure comparison: making one reads and changes nothing.
public struct MigrationPlan: Sendable, Hashable {
    /// A file whose bytes are not the ones that were applied.
    public struct Change: Sendable, Hashable {
        /// The file's name.
        public let name: String
        /// The checksum of this program's file.
        public let expected: String
        /// The checksum in the ledger.
        public let found: String
    }

    /// The line's name.
    public let line: String
    /// Files that were applied as they are.
    public private(set) var applied: [AppliedMigration] = []
    /// Files to apply, in order.
    public private(set) var pending: [MigrationFile] = []
    /// Files that were applied with other contents.
    public private(set) var changed: [Change] = []
    /// Applied files that this program does not have.
    public private(set) var missing: [AppliedMigration] = []
    /// The pending files that come before one that is applied.
    public private(set) var outOfOrder: [MigrationFile] = []
    private var lastApplied: String?

    /// Compares.
    ///
    /// - Parameters:
    ///   - line: this program's files.
    ///   - ledger: the database's rows, in any order; those of other lines are passed over.
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

    /// Whether the database has everything that this program has, and perhaps more.
    public var isUpToDate: Bool { pending.isEmpty && fault == nil }

    /// Whether a later release has migrated the database: every unknown file comes after this program's last.
    ///
    /// That is no fault. Releases expand first, so the program of the release before runs on the new schema.
    public var isNewer: Bool {
        guard let first = missing.first else { return false }
        return lastOwn.map { $0.precedes(first.name) } ?? true
    }

    /// What forbids applying anything.
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
