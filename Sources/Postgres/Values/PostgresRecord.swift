/// A row in one column: the value of `ROW(…)`, of type `record`.
///
/// A result describes each of its columns by name and type, and libpq reads all descriptions for every statement. A statement that selects
/// many columns of few rows costs less if it selects one record:
///
/// ```swift
/// static let find = Statement("SELECT ROW(id, name, created_at) FROM users WHERE id = $1")
///
/// let record = try rows[0].decode(0, as: PostgresRecord.self)
/// let name = try record.decode(1, as: String.self)
/// ```
public struct PostgresRecord: PostgresDecodable {
    /// The place of a field in the bytes of the record.
    @usableFromInline
    struct Field: Sendable {
        @usableFromInline
        let type: UInt32
        @usableFromInline
        let start: Int
        /// The number of bytes, or -1 for NULL.
        @usableFromInline
        let count: Int
    }

    @usableFromInline
    let bytes: [UInt8]
    @usableFromInline
    let fields: [Field]

    /// The number of fields.
    public var count: Int { fields.count }

    /// Decodes `record`, in the format of the server's `record_send`.
    public static func decode(_ cell: RawSpan?, type: UInt32) throws(PostgresError) -> PostgresRecord {
        guard let cell else { throw .unexpectedNull(PostgresRecord.self) }
        guard type == TypeID.record, cell.byteCount >= 4 else { throw .cannotDecode(PostgresRecord.self, from: type) }
        let count = Int(cell.bigEndian(at: 0, as: Int32.self))
        // Every field takes at least eight bytes, so a wrong count cannot reserve more memory than the cell holds.
        guard count >= 0, count <= (cell.byteCount - 4) / 8 else {
            throw .cannotDecode(PostgresRecord.self, from: type)
        }
        var fields: [Field] = []
        fields.reserveCapacity(count)
        var offset = 4
        for _ in 0..<count {
            guard offset + 8 <= cell.byteCount else { throw .cannotDecode(PostgresRecord.self, from: type) }
            let fieldType = cell.bigEndian(at: offset, as: UInt32.self)
            let length = Int(cell.bigEndian(at: offset + 4, as: Int32.self))
            offset += 8
            guard length >= -1, offset + length <= cell.byteCount else {
                throw .cannotDecode(PostgresRecord.self, from: type)
            }
            fields.append(Field(type: fieldType, start: offset, count: length))
            offset += max(0, length)
        }
        return PostgresRecord(bytes: unsafe cell.withUnsafeBytes { unsafe [UInt8]($0) }, fields: fields)
    }

    private init(bytes: [UInt8], fields: [Field]) {
        self.bytes = bytes
        self.fields = fields
    }

    /// Decodes the value of a field.
    ///
    /// - Parameters:
    ///   - field: The number of the field, from 0.
    ///   - type: The type of the value. An optional accepts NULL.
    /// - Returns: The value.
    /// - Throws: `decoding` if the field does not exist, has another type, or is NULL and `type` is not optional.
    @inlinable
    public func decode<T: PostgresDecodable>(_ field: Int, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard fields.indices.contains(field) else { throw .noField(field) }
        let place = fields[field]
        if place.count < 0 { return try T.decode(nil, type: place.type) }
        let cell = unsafe bytes.span.bytes.extracting(place.start..<place.start + place.count)
        return try T.decode(cell, type: place.type)
    }
}

extension PostgresError {
    @usableFromInline
    static func noField(_ field: Int) -> PostgresError {
        PostgresError(.decoding, "the record has no field \(field)")
    }
}
