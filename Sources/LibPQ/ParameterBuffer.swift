import CLibPQ

/// The parameters of one query in PostgreSQL's binary format, in one buffer.
///
/// One buffer rather than an array of arrays: a lookup with one parameter costs one allocation for its bytes.
public struct ParameterBuffer: Sendable, Hashable {
    /// All values, one after the other.
    public private(set) var bytes: [UInt8] = []
    /// The length of each value; -1 is NULL.
    public private(set) var lengths: [Int32] = []
    /// The type of each value (an OID of `pg_type`); 0 leaves it to the server.
    public private(set) var types: [UInt32] = []

    /// An empty list.
    public init() {}

    /// Hashes the values alone: buffers that differ only in their cuts are rare, and equality still tells them apart.
    public func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// How many parameters there are.
    public var count: Int { lengths.count }

    /// Appends NULL.
    public mutating func appendNull(type: UInt32) {
        lengths.append(-1)
        types.append(type)
    }

    /// Appends a value that `write` puts at the end of the buffer.
    @inlinable
    public mutating func append(type: UInt32, _ write: (inout [UInt8]) -> Void) {
        append(type: type, closure: write)
    }

    @usableFromInline
    mutating func append(type: UInt32, closure write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        write(&bytes)
        lengths.append(Int32(bytes.count - start))
        types.append(type)
    }

    /// Lays the values out as the `paramValues`, `paramLengths` and `paramFormats` that libpq takes.
    func withArguments<R>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let count = self.count
        guard count > 0 else { return body(0, nil, nil, nil) }
        // One spare byte, because a value of length 0 still needs an address: libpq reads a null pointer as SQL NULL.
        let bytes = self.bytes.isEmpty ? [0] : self.bytes
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                    unsafe self.lengths.withUnsafeBufferPointer { lengths in
                        var offset = 0
                        for index in 0..<count {
                            unsafe formats.initializeElement(at: index, to: 1)
                            let length = unsafe Int(lengths[index])
                            if length < 0 {
                                unsafe values.initializeElement(at: index, to: nil)
                                continue
                            }
                            let start = unsafe bytes.baseAddress.map {
                                unsafe UnsafeRawPointer($0 + offset).assumingMemoryBound(to: CChar.self)
                            }
                            unsafe values.initializeElement(at: index, to: start)
                            offset += length
                        }
                        return unsafe body(
                            Int32(count),
                            values.baseAddress,
                            lengths.baseAddress,
                            formats.baseAddress
                        )
                    }
                }
            }
        }
    }
}
