/// The first 16 characters of a token, which may be stored and shown again so that people can tell keys apart.
///
/// At least 23 of the 32 random characters of the token stay hidden, which are 136 bits.
public struct DisplayPrefix: Sendable, Hashable {
    /// The number of characters of a display prefix.
    public static let length = 16

    private let packed: UInt128

    init(ofToken bytes: borrowing Span<UInt8>) {
        packed = UInt128(packing: bytes.extracting(first: Self.length))
    }

    /// The 16 characters.
    public var text: String { packed.packedText }
}

extension DisplayPrefix: CustomStringConvertible {
    /// The 16 characters.
    public var description: String { text }
}
