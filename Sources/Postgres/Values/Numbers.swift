extension Bool: PostgresEncodable, PostgresDecodable {
    /// The type `boolean`.
    public static var postgresType: UInt32 { TypeID.bool }
    /// Appends one byte.
    public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    /// Decodes `boolean`.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Bool {
        guard let cell else { throw .unexpectedNull(Bool.self) }
        guard type == TypeID.bool, cell.byteCount == 1 else { throw .cannotDecode(Bool.self, from: type) }
        return cell.bigEndian(at: 0, as: UInt8.self) != 0
    }
}

/// Decodes an integer of any width, if its value fits.
@inlinable
func decodeInteger<T: FixedWidthInteger>(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> T {
    guard let cell else { throw .unexpectedNull(T.self) }
    let value: Int64
    switch (type, cell.byteCount) {
    case (TypeID.int8, 8): value = cell.bigEndian(at: 0, as: Int64.self)
    case (TypeID.int4, 4): value = Int64(cell.bigEndian(at: 0, as: Int32.self))
    case (TypeID.int2, 2): value = Int64(cell.bigEndian(at: 0, as: Int16.self))
    case (TypeID.oid, 4): value = Int64(cell.bigEndian(at: 0, as: UInt32.self))
    default: throw .cannotDecode(T.self, from: type)
    }
    guard let exact = T(exactly: value) else { throw .cannotDecode(T.self, from: type) }
    return exact
}

extension Int16: PostgresEncodable, PostgresDecodable {
    /// The type `smallint`.
    public static var postgresType: UInt32 { TypeID.int2 }
    /// Appends two bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Decodes an integer of any width, if its value fits.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int16 {
        try decodeInteger(cell, type: type)
    }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    /// The type `integer`.
    public static var postgresType: UInt32 { TypeID.int4 }
    /// Appends four bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Decodes an integer of any width, if its value fits.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int32 {
        try decodeInteger(cell, type: type)
    }
}

extension Int64: PostgresEncodable, PostgresDecodable {
    /// The type `bigint`.
    public static var postgresType: UInt32 { TypeID.int8 }
    /// Appends eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Decodes an integer of any width.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int64 {
        try decodeInteger(cell, type: type)
    }
}

extension Int: PostgresEncodable, PostgresDecodable {
    /// The type `bigint`.
    public static var postgresType: UInt32 { TypeID.int8 }
    /// Appends eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: Int64(self)) }
    /// Decodes an integer of any width.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int {
        try decodeInteger(cell, type: type)
    }
}

extension Double: PostgresEncodable, PostgresDecodable {
    /// The type `double precision`.
    public static var postgresType: UInt32 { TypeID.float8 }
    /// Appends eight bytes, IEEE 754.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
    /// Decodes `real` and `double precision`.
    @inlinable
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Double {
        guard let cell else { throw .unexpectedNull(Double.self) }
        switch (type, cell.byteCount) {
        case (TypeID.float8, 8): return Double(bitPattern: cell.bigEndian(at: 0, as: UInt64.self))
        case (TypeID.float4, 4): return Double(Float(bitPattern: cell.bigEndian(at: 0, as: UInt32.self)))
        default: throw .cannotDecode(Double.self, from: type)
        }
    }
}
