public import FoundationEssentials

/// An element of a one-dimensional PostgreSQL array.
///
/// `UInt8` is one with a meaning of its own: `[UInt8]` is `bytea`, not an array.
public protocol PostgresArrayElement: Sendable {
    /// The array's type, an OID of `pg_type`.
    static var postgresArrayType: UInt32 { get }
    /// Appends a whole array.
    static func encode(array: [Self], into bytes: inout [UInt8])
    /// Reads a whole array.
    static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// The array's type.
    public static var postgresType: UInt32 { Element.postgresArrayType }
    /// The array's binary format.
    public func encode(into bytes: inout [UInt8]) { Element.encode(array: self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array of at most one dimension without NULLs.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> [Element] {
        guard let cell else { throw .unexpectedNull([Element].self) }
        return try Element.decodeArray(cell, type: type)
    }
}

extension UInt8: PostgresArrayElement {
    /// `bytea`.
    public static var postgresArrayType: UInt32 { TypeID.bytea }
    /// The bytes themselves.
    public static func encode(array: [UInt8], into bytes: inout [UInt8]) { bytes.append(contentsOf: array) }
    /// Reads `bytea`.
    public static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [UInt8] {
        guard type == TypeID.bytea else { throw .cannotDecode([UInt8].self, from: type) }
        return unsafe cell.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    /// Dimensions, a NULL flag, the element type; length and lower bound; then the elements (`array_send` of the server).
    public static func encode(array: [Self], into bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(array.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: Self.postgresType)
        if array.isEmpty { return }
        bytes.append(bigEndian: Int32(array.count))
        bytes.append(bigEndian: Int32(1))
        for element in array {
            let start = bytes.count
            bytes.append(bigEndian: Int32(0))
            element.encode(into: &bytes)
            let length = UInt32(bytes.count - start - 4)
            for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        }
    }

    /// Reads an array of at most one dimension without NULLs.
    public static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [Self] {
        // Made only when it is thrown: naming a type costs more than reading a short array.
        var fault: PostgresError { .cannotDecode([Self].self, from: type) }
        // An empty array names its element type, but has no element that would check it.
        guard TypeID.isReadableArray(type), cell.byteCount >= 12 else { throw fault }
        let dimensions = cell.bigEndian(at: 0, as: Int32.self)
        let elementType = cell.bigEndian(at: 8, as: UInt32.self)
        if dimensions == 0 { return [] }
        guard dimensions == 1, cell.byteCount >= 20 else { throw fault }
        let count = Int(cell.bigEndian(at: 12, as: Int32.self))
        // Every element takes four bytes at least, so a wrong count cannot make this reserve more than the cell holds.
        guard count >= 0, count <= (cell.byteCount - 20) / 4 else { throw fault }
        var elements: [Self] = []
        elements.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            guard offset + 4 <= cell.byteCount else { throw fault }
            let length = Int(cell.bigEndian(at: offset, as: Int32.self))
            offset += 4
            guard length >= 0, offset + length <= cell.byteCount else { throw fault }
            elements.append(try Self.decode(cell.extracting(offset..<offset + length), type: elementType))
            offset += length
        }
        return elements
    }
}

extension String: PostgresArrayElement {
    /// `text[]`.
    public static var postgresArrayType: UInt32 { TypeID.textArray }
}

extension Int64: PostgresArrayElement {
    /// `bigint[]`.
    public static var postgresArrayType: UInt32 { TypeID.int8Array }
}

extension UUID: PostgresArrayElement {
    /// `uuid[]`.
    public static var postgresArrayType: UInt32 { TypeID.uuidArray }
}

extension PostgresTimestamp: PostgresArrayElement {
    /// `timestamptz[]`.
    public static var postgresArrayType: UInt32 { TypeID.timestamptzArray }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    /// `bytea[]`.
    public static var postgresArrayType: UInt32 { TypeID.byteaArray }
}
