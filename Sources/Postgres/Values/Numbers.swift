extension Bool: PostgresEncodable, PostgresDecodable {
    /// `boolean`.
    public static var postgresType: UInt32 { TypeID.bool }
    /// One byte.
    public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    /// Reads `boolean`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Bool {
        guard let cell else { throw .unexpectedNull(Bool.self) }
        guard type == TypeID.bool, cell.byteCount == 1 else { throw .cannotDecode(Bool.self, from: type) }
        return cell.bigEndian(at: 0, as: UInt8.self) != 0
    }
}

/// Reads an integer of any width, as long as it fits.
private func decodeInteger<T: FixedWidthInteger>(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> T {
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
    /// `smallint`.
    public static var postgresType: UInt32 { TypeID.int2 }
    /// Two bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Reads any integer that fits.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int16 {
        try decodeInteger(cell, type: type)
    }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    /// `integer`.
    public static var postgresType: UInt32 { TypeID.int4 }
    /// Four bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Reads any integer that fits.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int32 {
        try decodeInteger(cell, type: type)
    }
}

extension Int64: PostgresEncodable, PostgresDecodable {
    /// `bigint`.
    public static var postgresType: UInt32 { TypeID.int8 }
    /// Eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Reads any integer.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int64 {
        try decodeInteger(cell, type: type)
    }
}

extension Int: PostgresEncodable, PostgresDecodable {
    /// `bigint`.
    public static var postgresType: UInt32 { TypeID.int8 }
    /// Eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: Int64(self)) }
    /// Reads any integer.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Int {
        try decodeInteger(cell, type: type)
    }
}

extension Double: PostgresEncodable, PostgresDecodable {
    /// `double precision`.
    public static var postgresType: UInt32 { TypeID.float8 }
    /// Eight bytes, IEEE 754.
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
    /// Reads `real` and `double precision`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> Double {
        guard let cell else { throw .unexpectedNull(Double.self) }
        switch (type, cell.byteCount) {
        case (TypeID.float8, 8): return Double(bitPattern: cell.bigEndian(at: 0, as: UInt64.self))
        case (TypeID.float4, 4): return Double(Float(bitPattern: cell.bigEndian(at: 0, as: UInt32.self)))
        default: throw .cannotDecode(Double.self, from: type)
        }
    }
}
