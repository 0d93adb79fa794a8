import CLibPQ

/// The parameters of one statement in PostgreSQL's binary format.
///
/// All values are in one buffer, so a statement with a few parameters allocates twice.
public struct ParameterBuffer: Sendable, Hashable {
    /// The type and the length of one value.
    private struct Slot: Sendable, Hashable {
        let type: UInt32
        /// The number of bytes, or -1 for NULL.
        let length: Int32
    }

    /// The bytes of all values, one value after the other.
    private var bytes: [UInt8] = []
    private var slots: [Slot] = []

    /// Creates an empty list.
    public init() {}

    /// Reserves space for a number of parameters.
    public mutating func reserveCapacity(_ count: Int) {
        slots.reserveCapacity(count)
    }

    /// Hashes the bytes of the values.
    ///
    /// Lists that differ only in their types and in the lengths of their values are rare, and equality tells them apart.
    public func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// The number of parameters.
    public var count: Int { slots.count }

    /// The type of each parameter, an OID of `pg_type`.
    ///
    /// The value 0 leaves a type to the server.
    public var types: [UInt32] { slots.map(\.type) }

    /// Returns true if the parameters have these types.
    public func hasTypes(_ types: [UInt32]) -> Bool {
        guard types.count == slots.count else { return false }
        for index in types.indices where slots[index].type != types[index] { return false }
        return true
    }

    /// Appends NULL.
    public mutating func appendNull(type: UInt32) {
        slots.append(Slot(type: type, length: -1))
    }

    /// Appends a value.
    ///
    /// - Parameters:
    ///   - type: The type of the value, an OID of `pg_type`. 0 leaves it to the server.
    ///   - write: Appends the bytes of the value to the buffer.
    public mutating func append(type: UInt32, _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        write(&bytes)
        slots.append(Slot(type: type, length: Int32(bytes.count - start)))
    }

    /// Passes the values to `body` as the `paramValues`, `paramLengths` and `paramFormats` of libpq.
    func withArguments<R>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let count = slots.count
        guard count > 0 else { return body(0, nil, nil, nil) }
        return unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
            unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                unsafe bytes.withUnsafeBytes { bytes in
                    guard let lengths = numbers.baseAddress else { preconditionFailure("there are parameters") }
                    let formats = unsafe lengths + count
                    // A value without bytes still needs an address: libpq takes a null pointer for SQL NULL. No byte is read there.
                    let base = unsafe bytes.baseAddress ?? UnsafeRawPointer(lengths)
                    var offset = 0
                    for index in 0..<count {
                        let length = slots[index].length
                        let start = unsafe (base + offset).assumingMemoryBound(to: CChar.self)
                        unsafe values.initializeElement(at: index, to: length < 0 ? nil : start)
                        unsafe lengths[index] = length
                        unsafe formats[index] = 1
                        if length > 0 { offset += Int(length) }
                    }
                    return unsafe body(Int32(count), UnsafePointer(values.baseAddress), lengths, formats)
                }
            }
        }
    }
}
