/// A Swift value that can be sent as a binary parameter.
public protocol PostgresEncodable: Sendable {
    /// The parameter's type, an OID of `pg_type`; 0 leaves it to the server.
    static var postgresType: UInt32 { get }
    /// Whether the value is SQL NULL.
    var isPostgresNull: Bool { get }
    /// Appends the value in PostgreSQL's binary format. Not called for NULL.
    func encode(into bytes: inout [UInt8])
}

extension PostgresEncodable {
    /// False: only optionals can be NULL.
    public var isPostgresNull: Bool { false }
}

/// A Swift value that can be read from a binary cell.
public protocol PostgresDecodable: Sendable {
    /// Reads a cell.
    ///
    /// - Parameters:
    ///   - cell: the bytes; `nil` is SQL NULL.
    ///   - type: the column's type, an OID of `pg_type`.
    /// - Returns: the value.
    /// - Throws: `decoding`, naming the expected and the found type, never the value.
    static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Self
}

/// Both directions.
public typealias PostgresCodable = PostgresDecodable & PostgresEncodable

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    /// The wrapped value's type, so that NULL is typed too.
    public static var postgresType: UInt32 { Wrapped.postgresType }
    /// Whether there is no value.
    public var isPostgresNull: Bool { self == nil }
    /// Encodes the wrapped value.
    public func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// SQL NULL is `nil`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Self {
        guard let cell else { return nil }
        return try Wrapped.decode(cell, type: type)
    }
}

/// OIDs of `pg_type.dat` that are the same in every server.
enum TypeID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    static let byteaArray: UInt32 = 1001
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let uuidArray: UInt32 = 2951
    static let timestamptzArray: UInt32 = 1185

    /// Whether this is an array whose elements can be read: also of "char", name, int2, int4, text, bpchar, varchar, int8, oid and json.
    static func isReadableArray(_ type: UInt32) -> Bool {
        switch type {
        case byteaArray, textArray, int8Array, uuidArray, timestamptzArray: true
        case 199, 1002, 1003, 1005, 1007, 1014, 1015, 1028: true
        default: false
        }
    }
}

extension PostgresError {
    static func cannotDecode(_ type: Any.Type, from found: UInt32) -> PostgresError {
        PostgresError(.decoding, "a column of type \(found) cannot be read as \(type)")
    }

    static func unexpectedNull(_ type: Any.Type) -> PostgresError {
        PostgresError(.decoding, "a column that was read as \(type) is NULL")
    }
}

extension RawSpan {
    /// A big-endian integer, which is PostgreSQL's byte order; the caller has checked the bounds.
    func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as: T.Type) -> T {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= byteCount, "out of bounds")
        return unsafe T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        let width = value.bitWidth
        for shift in stride(from: width - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
