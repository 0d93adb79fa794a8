import Keys
import Postgres

/// An instant in a column of type `timestamptz`.
struct StoredTime: PostgresEncodable, PostgresDecodable {
    let value: Timestamp

    init(_ value: Timestamp) { self.value = value }

    static var postgresType: UInt32 { PostgresTimestamp.postgresType }

    func encode(into bytes: inout [UInt8]) {
        PostgresTimestamp(microsecondsSinceUnixEpoch: value.microsecondsSinceUnixEpoch).encode(into: &bytes)
    }

    static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> StoredTime {
        let time = try PostgresTimestamp.decode(cell, type: type)
        return StoredTime(Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch))
    }
}

/// An enumeration in a column of type `text`, by its raw value.
struct StoredText<Value: RawRepresentable<String> & Sendable>: PostgresDecodable {
    let value: Value

    /// An unknown value is refused, for it was written by a newer Mortise or by hand.
    static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> StoredText {
        guard let value = Value(rawValue: try String.decode(cell, type: type)) else {
            throw PostgresError(.decoding, "a column holds no known \(Value.self)")
        }
        return StoredText(value: value)
    }
}

extension Timestamp {
    /// As a parameter.
    var stored: StoredTime { StoredTime(self) }
}
