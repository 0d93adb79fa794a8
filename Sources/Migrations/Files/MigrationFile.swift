import Crypto
import Postgres

/// One SQL file that a database sees once.
public struct MigrationFile: Sendable, Hashable {
    /// The file's name without its extension: what the ledger remembers, and what files are ordered by.
    public let name: String
    /// The text, placeholders included.
    public let sql: String
    /// SHA-256 of the file's bytes, 64 lower-case hexadecimal digits; taken before placeholders are replaced, so that it is the
    /// same in every installation.
    public let checksum: String
    /// Whether the file runs in a transaction together with its row in the ledger.
    ///
    /// False when its first line is `-- mortise:no-transaction`, for `CREATE INDEX CONCURRENTLY` and its like. Such a file must be
    /// repeatable: a crash before its row is written runs it again.
    public let runsInTransaction: Bool

    /// Reads a file.
    ///
    /// - Throws: `invalidFile` when the name is not of `[a-z][a-z0-9_]*` or the bytes are not UTF-8.
    public init(name: String, bytes: [UInt8]) throws(MigrationError) {
        let isNamed =
            name.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } ?? false
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
        guard isNamed else { throw .invalidFile(name: name, reason: "its name is not of a-z, 0-9 and _") }
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

    /// What is sent to the server, one element a message: the whole file, or the parts of a file that runs outside a transaction.
    ///
    /// Several statements in one message are one implicit transaction, which is what such a file must not be in.
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

    /// Replaces each `{{name}}` by the quoted identifier of that name.
    private func rendered(identifiers: [String: String]) throws(MigrationError) -> String {
        var rest = sql[...]
        var text = ""
        while let start = rest.firstRange(of: "{{") {
            text += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
                throw .invalidFile(name: self.name, reason: "a placeholder is not closed")
            }
            let name = String(rest[start.upperBound..<end.lowerBound])
            guard let identifier = identifiers[name] else {
                throw .invalidFile(name: self.name, reason: "nothing is known to put in place of {{\(name)}}")
            }
            text += PostgresConnection.quote(identifier: identifier)
            rest = rest[end.upperBound...]
        }
        return text + rest
    }
}

extension Digest {
    /// Lower-case hexadecimal digits.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
