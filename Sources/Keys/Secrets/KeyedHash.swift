import Crypto

/// HMAC-SHA-256 (RFC 2104) with one key, whose two key blocks are hashed in advance.
///
/// A digest then costs two copies of a hash state and the blocks of the message. Every verification computes one. Crypto's own
/// `HMAC` can be copied too, but takes its message through generic code that is not specialized for bytes.
struct KeyedHash: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    init(key: [UInt8]) {
        let key = key.count > SHA256.blockByteCount ? Array(SHA256.hash(data: key)) : key
        let block = key + [UInt8](repeating: 0, count: SHA256.blockByteCount - key.count)
        inner = Self.state(after: block, maskedBy: 0x36)
        outer = Self.state(after: block, maskedBy: 0x5C)
    }

    private static func state(after block: [UInt8], maskedBy mask: UInt8) -> SHA256 {
        var hash = SHA256()
        hash.update(data: block.map { $0 ^ mask })
        return hash
    }

    /// Returns the authentication code of a message.
    func digest(of message: borrowing Span<UInt8>) -> Digest {
        var inner = inner
        message.withUnsafeBytes { inner.update(bufferPointer: $0) }
        var outer = outer
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return Digest(outer.finalize())
    }
}
