/// An error that says that bytes are no message of Protocol Buffers.
package struct ProtobufFault: Error, Sendable, Hashable {}

/// Reads the fields of a message of Protocol Buffers, in the order in which they stand there.
///
/// The format is that of the documentation of Protocol Buffers, "Encoding". A field of a submessage is a range of the same bytes, so
/// nothing is copied, and a message costs no more than one pass over it.
package struct ProtobufReader: Sendable {
    /// A value, as its wire type says.
    package enum Value: Sendable, Hashable {
        case number(UInt64)
        /// The bytes of a text, of bytes or of a submessage.
        case bytes(Range<Int>)
    }

    /// A field of a message.
    package struct Field: Sendable, Hashable {
        package let number: Int
        package let value: Value
    }

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// Creates a reader of a part of some bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - range: The part, such as a range that this type returned. `nil` means all of them.
    package init(_ bytes: [UInt8], _ range: Range<Int>? = nil) {
        self.bytes = bytes
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    /// Returns the next field, or `nil` at the end.
    ///
    /// - Throws: `ProtobufFault` if a field is cut short or has an unknown wire type.
    package mutating func next() throws(ProtobufFault) -> Field? {
        guard position < end else { return nil }
        let tag = try varint()
        // A tag has 32 bits, the lowest three of which are the wire type.
        guard tag >> 3 > 0, tag <= UInt64(UInt32.max) else { throw ProtobufFault() }
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0: return Field(number: number, value: .number(try varint()))
        case 1: return Field(number: number, value: .bytes(try take(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - position) else { throw ProtobufFault() }
            return Field(number: number, value: .bytes(try take(Int(length))))
        case 5: return Field(number: number, value: .bytes(try take(4)))
        // Groups, which no message of Envoy has.
        default: throw ProtobufFault()
        }
    }

    private mutating func take(_ count: Int) throws(ProtobufFault) -> Range<Int> {
        guard count <= end - position else { throw ProtobufFault() }
        defer { position += count }
        return position..<(position + count)
    }

    private mutating func varint() throws(ProtobufFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            // The tenth byte has one bit left.
            guard shift < 63 || byte <= 1 else { throw ProtobufFault() }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw ProtobufFault()
    }
}
