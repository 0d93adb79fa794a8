import Crypto
public import Postgres

/// A migration line: a named list of files that are applied in their order.
public struct MigrationLine: Sendable, Hashable {
    /// The name of the line in the ledger.
    public let name: String
    /// The files, in the order in which they are applied.
    ///
    /// This is the order of their names.
    public let files: [MigrationFile]

    /// Creates a line.
    ///
    /// - Parameters:
    ///   - name: The name of the line in the ledger.
    ///   - files: The files, in the order of their names.
    /// - Throws: `invalidFile` if a file does not sort after the file before it. Names are compared byte by byte.
    public init(_ name: String, files: [MigrationFile]) throws(MigrationError) {
        for (before, after) in zip(files, files.dropFirst()) where !before.name.precedes(after.name) {
            let reason = "it comes after \(before.name) in the list, but sorts before it"
            throw .invalidFile(name: after.name, reason: reason)
        }
        self.name = name
        self.files = files
    }

    /// Returns the statements of all files that grant or revoke privileges, in their order.
    ///
    /// A backup that was restored without its roles has all tables and no privileges. These statements set the privileges again. Each
    /// begins on a line of its own with `GRANT` or `REVOKE`. A table that a later file drops, by a line `DROP TABLE name;`, is left out.
    ///
    /// - Parameter identifiers: The values of the placeholders.
    /// - Returns: The SQL of the statements.
    /// - Throws: `invalidFile` if a placeholder is unknown.
    public func privileges(identifiers: [String: String]) throws(MigrationError) -> String {
        var statements: [[Substring]] = []
        for file in files {
            var statement: [Substring]?
            for line in try file.scripts(identifiers: identifiers).joined(separator: "\n").split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.starts(with: ["DROP", "TABLE"]), let table = words.last {
                    statements = statements.compactMap { Self.statement($0, without: table.prefix { $0 != ";" }) }
                }
                if words.first == "GRANT" || words.first == "REVOKE" { statement = [] }
                statement? += words
                if line.hasSuffix(";"), let whole = statement {
                    statements.append(whole)
                    statement = nil
                }
            }
        }
        return statements.map { $0.joined(separator: " ") + "\n" }.joined()
    }

    /// Returns the statements of ``privileges(identifiers:)`` for the files that a database has.
    ///
    /// A database can be older than the program.
    ///
    /// - Parameters:
    ///   - identifiers: The values of the placeholders.
    ///   - connection: A connection to the database.
    /// - Returns: The SQL of the statements.
    /// - Throws: `invalidFile` if a placeholder is unknown, and the database's errors.
    public func privileges(
        identifiers: [String: String],
        appliedTo connection: PostgresConnection
    ) async throws -> String {
        let applied = Set(try await Ledger.read(connection).lazy.filter { $0.line == name }.map(\.name))
        return try MigrationLine(name, files: files.filter { applied.contains($0.name) })
            .privileges(identifiers: identifiers)
    }

    /// Returns the words of a statement without a table; `nil` if it is about no other.
    private static func statement(_ words: [Substring], without table: Substring) -> [Substring]? {
        guard let on = words.firstIndex(of: "ON"),
            let end = words[on...].firstIndex(where: { $0 == "TO" || $0 == "FROM" })
        else { return words }
        let tables = words[(on + 1)..<end].joined(separator: " ").split(separator: ", ")
        let rest = tables.filter { $0 != table }
        if rest.isEmpty { return nil }
        return words[...on] + [Substring(rest.joined(separator: ", "))] + words[end...]
    }

    /// The SHA-256 of all names and checksums.
    ///
    /// Two programs that create the same schema have the same checksum.
    public var checksum: String {
        var hash = SHA256()
        for file in files { hash.update(data: Array("\(file.name) \(file.checksum)\n".utf8)) }
        return hash.finalize().hexadecimal
    }
}

extension String {
    /// Returns true if this name of a file sorts before another one.
    ///
    /// Names are compared byte by byte in every locale, as `COLLATE "C"` does.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
