import CLibPQ

extension ServerConnection {
    /// Queues COPY data.
    /// - Returns: whether it was taken; if not, the buffers are full: flush, then offer the same bytes again.
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

    /// Ends COPY, well or, with a reason, by making the server fail it.
    /// - Returns: whether it was taken; if not, flush, then call again.
    public func putCopyEnd(failingWith reason: String?) throws(LibPQError) -> Bool {
        switch unsafe PQputCopyEnd(pointer, reason) {
        case 1: return true
        case 0: return false
        default: throw failure("PQputCopyEnd")
        }
    }
}
