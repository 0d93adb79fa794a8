/// A Swift value that can be the parameter of a statement.
public protocol PostgresEncodable: Sendable {
    /// The type of the parameter, an OID of `pg_type`.
    ///
    /// The value 0 leaves the type to the server.
    static var postgresType: UInt32 { get }
    /// True if the value is SQL NULL.
    var isPostgresNull: Bool { get }
    /// Appends the value in PostgreSQL's binary format.
    ///
    /// This method is not called for NULL.
    func encode(into bytes: inout [UInt8])
}

extension PostgresEncodable {
    /// False, because only an optional can be NULL.
    @inlinable
    public var isPostgresNull: Bool { false }
}

/// A Swift value that can be read from a column.
public protocol PostgresDecodable: Sendable {
    /// Decodes a value from PostgreSQL's binary format.
    ///
    /// - Parameters:
    ///   - cell: The bytes, or `nil` for SQL NULL.
    ///   - type: The type of the column, an OID of `pg_type`.
    /// - Returns: The value.
    /// - Throws: `decoding`. The error names the expected and the found type, never the value.
    static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Self
}

/// A Swift value that can be a parameter and can be read from a column.
public typealias PostgresCodable = PostgresDecodable & PostgresEncodable

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    /// The type of the wrapped value, so that NULL has a type too.
    @inlinable
    public static var postgresType: UInt32 { Wrapped.postgresType }
    /// True if there is no value.
    @inlinable
    public var isPostgresNull: Bool { self == nil }
    /// Appends the wrapped value.
    @inlinable
    public func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Decodes a value, or `nil` from SQL NULL.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Self {
        guard let cell else { return nil }
        return try Wrapped.decode(cell, type: type)
    }
}

/// The OIDs of `pg_type.dat`, which are the same on every server.
@usableFromInline
enum TypeID {
    @inlinable static var bool: UInt32 { 16 }
    @inlinable static var bytea: UInt32 { 17 }
    @inlinable static var char: UInt32 { 18 }
    @inlinable static var name: UInt32 { 19 }
    @inlinable static var int8: UInt32 { 20 }
    @inlinable static var int2: UInt32 { 21 }
    @inlinable static var int4: UInt32 { 23 }
    @inlinable static var text: UInt32 { 25 }
    @inlinable static var oid: UInt32 { 26 }
    @inlinable static var json: UInt32 { 114 }
    @inlinable static var float4: UInt32 { 700 }
    @inlinable static var float8: UInt32 { 701 }
    @inlinable static var unknown: UInt32 { 705 }
    @inlinable static var bpchar: UInt32 { 1042 }
    @inlinable static var varchar: UInt32 { 1043 }
    @inlinable static var timestamptz: UInt32 { 1184 }
    @inlinable static var uuid: UInt32 { 2950 }
    @inlinable static var record: UInt32 { 2249 }
    @inlinable static var jsonb: UInt32 { 3802 }
    @inlinable static var byteaArray: UInt32 { 1001 }
    @inlinable static var textArray: UInt32 { 1009 }
    @inlinable static var int8Array: UInt32 { 1016 }
    @inlinable static var uuidArray: UInt32 { 2951 }
    @inlinable static var timestamptzArray: UInt32 { 1185 }

    /// Returns true for an array type whose elements can be decoded.
    ///
    /// Besides the array types above, these are the arrays of "char", name, int2, int4, bpchar, varchar, oid and json.
    @usableFromInline
    static func isReadableArray(_ type: UInt32) -> Bool {
        switch type {
        case byteaArray, textArray, int8Array, uuidArray, timestamptzArray: true
        case 199, 1002, 1003, 1005, 1007, 1014, 1015, 1028: true
        default: false
        }
    }
}

extension PostgresError {
    @usableFromInline
    static func cannotDecode(_ type: Any.Type, from found: UInt32) -> PostgresError {
        PostgresError(.decoding, "a column of type \(found) cannot be read as \(type)")
    }

    @usableFromInline
    static func unexpectedNull(_ type: Any.Type) -> PostgresError {
        PostgresError(.decoding, "a column that was read as \(type) is NULL")
    }
}

extension RawSpan {
    /// Returns a big-endian integer, which is PostgreSQL's byte order.
    ///
    /// The span must hold all bytes of the integer.
    @inlinable
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
