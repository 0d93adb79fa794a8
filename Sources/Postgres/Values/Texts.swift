public import FoundationEssentials

extension String: PostgresEncodable, PostgresDecodable {
    /// `text`.
    public static var postgresType: UInt32 { TypeID.text }
    /// UTF-8.
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
    /// Reads every type whose binary format is its text.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> String {
        guard let cell else { throw .unexpectedNull(String.self) }
        switch type {
        case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.char, TypeID.unknown, TypeID.json:
            return cell.utf8Text
        default: throw .cannotDecode(String.self, from: type)
        }
    }
}

extension RawSpan {
    /// The bytes as text; the connection's encoding is UTF-8, which the server checks on the way in.
    var utf8Text: String {
        unsafe withUnsafeBytes { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }
}

extension UUID: PostgresEncodable, PostgresDecodable {
    /// `uuid`.
    public static var postgresType: UInt32 { TypeID.uuid }
    /// Sixteen bytes.
    public func encode(into bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: uuid) { unsafe bytes.append(contentsOf: $0) }
    }
    /// Reads `uuid`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> UUID {
        guard let cell else { throw .unexpectedNull(UUID.self) }
        guard type == TypeID.uuid, cell.byteCount == 16 else { throw .cannotDecode(UUID.self, from: type) }
        return unsafe UUID(uuid: cell.unsafeLoadUnaligned(fromByteOffset: 0, as: uuid_t.self))
    }
}

/// A document of type `json` or `jsonb`, as its text.
public struct PostgresJSON: PostgresEncodable, PostgresDecodable, Hashable {
    /// The JSON text.
    public var text: String

    /// Wraps JSON text; the server checks it.
    public init(_ text: String) { self.text = text }

    /// `jsonb`.
    public static var postgresType: UInt32 { TypeID.jsonb }
    /// A version byte, then the text.
    public func encode(into bytes: inout [UInt8]) {
        bytes.append(1)
        bytes.append(contentsOf: text.utf8)
    }
    /// Reads `json` and `jsonb`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> PostgresJSON {
        guard let cell else { throw .unexpectedNull(PostgresJSON.self) }
        switch type {
        case TypeID.json: return PostgresJSON(cell.utf8Text)
        case TypeID.jsonb where cell.byteCount > 0 && cell.bigEndian(at: 0, as: UInt8.self) == 1:
            return PostgresJSON(cell.extracting(1...).utf8Text)
        default: throw .cannotDecode(PostgresJSON.self, from: type)
        }
    }
}

/// An instant of type `timestamptz`, to the microsecond.
public struct PostgresTimestamp: PostgresEncodable, PostgresDecodable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public var microsecondsSinceUnixEpoch: Int64

    /// Wraps microseconds since the Unix epoch.
    public init(microsecondsSinceUnixEpoch: Int64) {
        self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
    }

    /// Earlier is less.
    public static func < (left: Self, right: Self) -> Bool {
        left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
    }

    /// PostgreSQL counts from 2000-01-01T00:00:00Z.
    private static let postgresEpoch: Int64 = 946_684_800_000_000

    /// `timestamptz`.
    public static var postgresType: UInt32 { TypeID.timestamptz }
    /// Eight bytes.
    ///
    /// An instant before 4714 BC, which PostgreSQL cannot store, is sent as one that the server refuses (22008).
    public func encode(into bytes: inout [UInt8]) {
        let (value, overflow) = microsecondsSinceUnixEpoch.subtractingReportingOverflow(Self.postgresEpoch)
        // The least value of all would be stored as -infinity.
        bytes.append(bigEndian: overflow ? Int64.min + 1 : max(value, Int64.min + 1))
    }
    /// Reads `timestamptz`; `infinity` does not fit and is refused.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> PostgresTimestamp {
        guard let cell else { throw .unexpectedNull(PostgresTimestamp.self) }
        guard type == TypeID.timestamptz, cell.byteCount == 8 else {
            throw .cannotDecode(PostgresTimestamp.self, from: type)
        }
        let value = cell.bigEndian(at: 0, as: Int64.self)
        let (microseconds, overflow) = value.addingReportingOverflow(Self.postgresEpoch)
        guard !overflow, value != Int64.min else { throw .cannotDecode(PostgresTimestamp.self, from: type) }
        return PostgresTimestamp(microsecondsSinceUnixEpoch: microseconds)
    }
}
