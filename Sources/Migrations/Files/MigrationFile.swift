import Crypto
import Postgres

/// A migration: an SQL file that is applied once to each database.
public struct MigrationFile: Sendable, Hashable {
    /// The name of the file, without its extension.
    ///
    /// The ledger stores it, and files are applied in the order of their names.
    public let name: String
    /// The text of the file, with its placeholders.
    public let sql: String
    /// The SHA-256 of the bytes of the file, in 64 lower-case hexadecimal digits.
    ///
    /// The checksum is computed before the placeholders are replaced, so it is the same in every installation.
    public let checksum: String
    /// True if the file runs in one transaction with its row in the ledger.
    ///
    /// The value is false if the first line is `-- mortise:no-transaction`, which `CREATE INDEX CONCURRENTLY` and a few others need. Such a
    /// file must be repeatable: after a crash before its row is written, the file runs again.
    public let runsInTransaction: Bool

    /// Creates a migration from a file.
    ///
    /// - Parameters:
    ///   - name: The name of the file, without its extension.
    ///   - bytes: The bytes of the file.
    /// - Throws: `invalidFile` if the name does not match `[a-z][a-z0-9_]*`, or if the bytes are not UTF-8.
    public init(name: String, bytes: [UInt8]) throws(MigrationError) {
        let isNamed =
            name.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } ?? false
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
        guard isNamed else {
            throw .invalidFile(name: name, reason: "its name must begin with a letter and contain only a-z, 0-9 and _")
        }
        guard let sql = String(validating: bytes, as: UTF8.self) else {
            throw .invalidFile(name: name, reason: "it is not UTF-8")
        }
        self.name = name
        self.sql = sql
        checksum = SHA256.hash(data: bytes).hexadecimal
        runsInTransaction = sql.prefix { !$0.isNewline } != Self.noTransactionDirective[...]
    }

    static let noTransactionDirective = "-- mortise:no-transaction"
    static let nextDirective = "-- mortise:next"

    /// Returns the SQL of each message to the server: the whole file, or the parts of a file that runs outside a transaction.
    ///
    /// Several statements in one message are one implicit transaction. A file that runs outside a transaction must avoid that.
    func scripts(identifiers: [String: String]) throws(MigrationError) -> [String] {
        let text = try rendered(identifiers: identifiers)
        guard !runsInTransaction else { return [text] }
        var parts: [String] = [""]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == Self.nextDirective[...] {
                parts.append("")
            } else {
                parts[parts.count - 1] += line + "\n"
            }
        }
        return parts
    }

    /// Returns the text of the file, with a quoted identifier for each `{{name}}`.
    private func rendered(identifiers: [String: String]) throws(MigrationError) -> String {
        var rest = sql[...]
        var text = ""
        while let start = rest.firstRange(of: "{{") {
            text += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
                throw .invalidFile(name: self.name, reason: "a placeholder has no }}")
            }
            let name = String(rest[start.upperBound..<end.lowerBound])
            guard let identifier = identifiers[name] else {
                throw .invalidFile(name: self.name, reason: "the placeholder {{\(name)}} is unknown")
            }
            text += PostgresConnection.quote(identifier: identifier)
            rest = rest[end.upperBound...]
        }
        return text + rest
    }
}

extension Digest {
    /// The digest in lower-case hexadecimal digits.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
