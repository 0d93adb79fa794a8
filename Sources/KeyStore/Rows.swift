package import Keys
package import Postgres

/// An instant in a column of type `timestamptz`.
package struct StoredTime: PostgresEncodable {
    let value: Timestamp

    /// The OID of `timestamptz`.
    package static var postgresType: UInt32 { PostgresTimestamp.postgresType }

    /// Appends the instant in PostgreSQL's binary format.
    package func encode(into bytes: inout [UInt8]) {
        PostgresTimestamp(microsecondsSinceUnixEpoch: value.microsecondsSinceUnixEpoch).encode(into: &bytes)
    }
}

extension Timestamp {
    /// The instant as a parameter.
    package var stored: StoredTime { StoredTime(value: self) }

    fileprivate init(_ stored: PostgresTimestamp) {
        self.init(microsecondsSinceUnixEpoch: stored.microsecondsSinceUnixEpoch)
    }
}

extension Row {
    /// Reads an instant.
    package func timestamp(_ column: Int) throws(PostgresError) -> Timestamp {
        Timestamp(try decode(column, as: PostgresTimestamp.self))
    }

    /// Reads an instant, or `nil` for NULL.
    package func optionalTimestamp(_ column: Int) throws(PostgresError) -> Timestamp? {
        try decode(column, as: PostgresTimestamp?.self).map(Timestamp.init(_:))
    }

    /// Reads a text that the schema restricts to a set of words.
    ///
    /// - Throws: `decoding` for an unknown word, which a newer program wrote, or a person.
    package func word<Word: RawRepresentable<String>>(
        _ column: Int,
        as: Word.Type = Word.self
    ) throws(PostgresError) -> Word {
        guard let word = Word(rawValue: try decode(column)) else {
            throw PostgresError(.decoding, "a column holds a word that is not one of \(Word.self)")
        }
        return word
    }
}

extension Optional {
    /// Returns the value of a query that always has a row.
    package func orMissing() throws(PostgresError) -> Wrapped {
        guard let self else { throw PostgresError.rowMissing }
        return self
    }
}

extension PostgresError {
    /// The error of a row that must exist and does not.
    package static let rowMissing = PostgresError(.decoding, "a row that must exist does not")
}
