public import FoundationEssentials

/// A type whose arrays can be parameters and can be read from columns.
///
/// The array has one dimension. An array of `UInt8` is an exception: `[UInt8]` is `bytea`, not a PostgreSQL array.
public protocol PostgresArrayElement: Sendable {
    /// The type of the array, an OID of `pg_type`.
    static var postgresArrayType: UInt32 { get }
    /// Appends an array in PostgreSQL's binary format.
    static func encode(array: [Self], into bytes: inout [UInt8])
    /// Decodes an array from PostgreSQL's binary format.
    ///
    /// - Parameters:
    ///   - cell: The bytes of the array.
    ///   - type: The type of the column, an OID of `pg_type`.
    /// - Returns: The elements.
    /// - Throws: `decoding` if the type or the bytes do not fit.
    static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// The type of the array.
    @inlinable
    public static var postgresType: UInt32 { Element.postgresArrayType }
    /// Appends the array.
    @inlinable
    public func encode(into bytes: inout [UInt8]) { Element.encode(array: self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Decodes an array of at most one dimension without NULLs.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> [Element] {
        guard let cell else { throw .unexpectedNull([Element].self) }
        return try Element.decodeArray(cell, type: type)
    }
}

extension UInt8: PostgresArrayElement {
    /// The type `bytea`.
    public static var postgresArrayType: UInt32 { TypeID.bytea }
    /// Appends the bytes.
    public static func encode(array: [UInt8], into bytes: inout [UInt8]) { bytes.append(contentsOf: array) }
    /// Decodes `bytea`.
    @inlinable
    public static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [UInt8] {
        guard type == TypeID.bytea else { throw .cannotDecode([UInt8].self, from: type) }
        return unsafe cell.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    /// Appends an array.
    ///
    /// The format is that of the server's `array_send`: the number of dimensions, a flag for NULLs, the element type, the length and the
    /// lower bound, and then the elements.
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

    /// Decodes an array of at most one dimension without NULLs.
    @inlinable
    public static func decodeArray(_ cell: RawSpan, type: UInt32) throws(PostgresError) -> [Self] {
        // Created only when it is thrown: the name of a type costs more than decoding a short array.
        var fault: PostgresError { .cannotDecode([Self].self, from: type) }
        // An empty array has an element type, but no element that would check it.
        guard TypeID.isReadableArray(type), cell.byteCount >= 12 else { throw fault }
        let dimensions = cell.bigEndian(at: 0, as: Int32.self)
        let elementType = cell.bigEndian(at: 8, as: UInt32.self)
        if dimensions == 0 { return [] }
        guard dimensions == 1, cell.byteCount >= 20 else { throw fault }
        let count = Int(cell.bigEndian(at: 12, as: Int32.self))
        // Every element takes at least four bytes, so a wrong count cannot reserve more memory than the cell holds.
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
    /// The type `text[]`.
    public static var postgresArrayType: UInt32 { TypeID.textArray }
}

extension Int64: PostgresArrayElement {
    /// The type `bigint[]`.
    public static var postgresArrayType: UInt32 { TypeID.int8Array }
}

extension UUID: PostgresArrayElement {
    /// The type `uuid[]`.
    public static var postgresArrayType: UInt32 { TypeID.uuidArray }
}

extension PostgresTimestamp: PostgresArrayElement {
    /// The type `timestamptz[]`.
    public static var postgresArrayType: UInt32 { TypeID.timestamptzArray }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    /// The type `bytea[]`.
    public static var postgresArrayType: UInt32 { TypeID.byteaArray }
}
