import CLibPQ

extension ServerConnection {
    /// Queues COPY data.
    ///
    /// - Parameter bytes: The data, cut anywhere.
    /// - Returns: True if libpq took the data. False if its buffers are full: flush, then pass the same bytes again.
    /// - Throws: `LibPQError` if no COPY runs, or if the connection broke.
    public func putCopyData(_ bytes: [UInt8]) throws(LibPQError) -> Bool {
        let taken = unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Int32(1) }
            return unsafe PQputCopyData(
                pointer,
                base.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count)
            )
        }
        switch taken {
        case 1: return true
        case 0: return false
        default: throw failure("PQputCopyData")
        }
    }

    /// Ends COPY.
    ///
    /// - Parameter reason: The reason for which the server must fail the COPY. `nil` ends it normally.
    /// - Returns: True if libpq took the message. False if its buffers are full: flush, then call again.
    /// - Throws: `LibPQError` if no COPY runs, or if the connection broke.
    public func putCopyEnd(failingWith reason: String?) throws(LibPQError) -> Bool {
        switch unsafe PQputCopyEnd(pointer, reason) {
        case 1: return true
        case 0: return false
        default: throw failure("PQputCopyEnd")
        }
    }
}
