public import FoundationEssentials

extension String: PostgresEncodable, PostgresDecodable {
    /// The type `text`.
    public static var postgresType: UInt32 { TypeID.text }
    /// Appends the text in UTF-8.
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
    /// Decodes every type whose binary format is its text.
    @inlinable
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
    /// The bytes as text.
    ///
    /// The encoding of a connection is UTF-8, and the server checks texts when they are stored.
    @usableFromInline
    var utf8Text: String {
        unsafe withUnsafeBytes { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }
}

extension UUID: PostgresEncodable, PostgresDecodable {
    /// The type `uuid`.
    public static var postgresType: UInt32 { TypeID.uuid }
    /// Appends sixteen bytes.
    public func encode(into bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: uuid) { unsafe bytes.append(contentsOf: $0) }
    }
    /// Decodes `uuid`.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> UUID {
        guard let cell else { throw .unexpectedNull(UUID.self) }
        guard type == TypeID.uuid, cell.byteCount == 16 else { throw .cannotDecode(UUID.self, from: type) }
        return unsafe UUID(uuid: cell.unsafeLoadUnaligned(fromByteOffset: 0, as: uuid_t.self))
    }
}

/// A JSON document of type `json` or `jsonb`, as text.
public struct PostgresJSON: PostgresEncodable, PostgresDecodable, Hashable {
    /// The JSON text.
    public var text: String

    /// Creates a document from JSON text, which the server checks.
    public init(_ text: String) { self.text = text }

    /// The type `jsonb`.
    public static var postgresType: UInt32 { TypeID.jsonb }
    /// Appends a version byte and the text.
    public func encode(into bytes: inout [UInt8]) {
        bytes.append(1)
        bytes.append(contentsOf: text.utf8)
    }
    /// Decodes `json` and `jsonb`.
    @inlinable
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

/// An instant of type `timestamptz`, with microsecond precision.
public struct PostgresTimestamp: PostgresEncodable, PostgresDecodable, Hashable, Comparable {
    /// The microseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public var microsecondsSinceUnixEpoch: Int64

    /// Creates an instant from microseconds since the Unix epoch.
    @inlinable
    public init(microsecondsSinceUnixEpoch: Int64) {
        self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
    }

    /// Returns true if the left instant is earlier than the right one.
    public static func < (left: Self, right: Self) -> Bool {
        left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
    }

    /// The epoch of PostgreSQL, 2000-01-01T00:00:00Z, in microseconds since the Unix epoch.
    @inlinable
    static var postgresEpoch: Int64 { 946_684_800_000_000 }

    /// The type `timestamptz`.
    public static var postgresType: UInt32 { TypeID.timestamptz }
    /// Appends eight bytes.
    ///
    /// PostgreSQL cannot store an instant before 4714 BC. Such an instant is sent as one that the server refuses with 22008.
    public func encode(into bytes: inout [UInt8]) {
        let (value, overflow) = microsecondsSinceUnixEpoch.subtractingReportingOverflow(Self.postgresEpoch)
        // The server would store the minimum of Int64 as -infinity.
        bytes.append(bigEndian: overflow ? Int64.min + 1 : max(value, Int64.min + 1))
    }
    /// Decodes `timestamptz`, except `infinity` and `-infinity`.
    @inlinable
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
