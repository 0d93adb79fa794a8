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
        self.lastApplied = rows.last?.name
        for file in line.files {
            guard let row = known.removeValue(forKey: file.name) else {
                self.pending.append(file)
                if let last = self.lastApplied, file.name.precedes(last) { self.outOfOrder.append(file) }
                continue
            }
            if row.checksum == file.checksum {
                self.applied.append(row)
            } else {
                self.changed.append(Change(name: file.name, expected: file.checksum, found: row.checksum))
            }
        }
        self.missing = known.values.sorted { $0.name.precedes($1.name) }
        self.lastOwn = line.files.last?.name
    }

    private let lastOwn: String?

    /// Whether the database has everything that this program has, and perhaps more.
    public var isUpToDate: Bool { self.pending.isEmpty && self.fault == nil }

    /// Whether a later release has migrated the database: every unknown file comes after this program's last.
    ///
    /// That is no fault. Releases expand first, so the program of the release before runs on the new schema.
    public var isNewer: Bool {
        guard let first = self.missing.first else { return false }
        return self.lastOwn.map { $0.precedes(first.name) } ?? true
    }

    /// What forbids applying anything.
    public var fault: MigrationError? {
        if !self.changed.isEmpty { return .changed(line: self.line, self.changed) }
        if !self.missing.isEmpty, !self.isNewer {
            return .unknownFiles(line: self.line, files: self.missing.map(\.name))
        }
        if !self.outOfOrder.isEmpty, let last = self.lastApplied {
            return .outOfOrder(line: self.line, files: self.outOfOrder.map(\.name), lastApplied: last)
        }
        return nil
    }
}
