/// The first part of a token, which tells a reader its kind: 1 to 4 of `a-z0-9`, with a letter first.
public struct TokenPrefix: Sendable, Hashable {
    private let packed: UInt32

    /// Creates the prefix with these characters, or returns `nil` if they are not a prefix.
    public init?(_ text: String) {
        self.init(bytes: text.utf8.span)
    }

    init?(bytes: borrowing Span<UInt8>) {
        guard (1...4).contains(bytes.count), (0x61...0x7A).contains(bytes[0]) else { return nil }
        for position in bytes.indices {
            switch bytes[position] {
            case 0x30...0x39, 0x61...0x7A: continue
            default: return nil
            }
        }
        packed = UInt32(packing: bytes)
    }

    private init(packed: UInt32) { self.packed = packed }

    /// The characters of the prefix, without the underscore that follows it in a token.
    public var text: String { packed.packedText }

    var bytes: [UInt8] { packed.packedBytes }

    /// `mks`, for service keys.
    public static let service = TokenPrefix(packed: 0x6D6B_7300)
    /// `mkp`, for publishable (anon) keys.
    public static let publishable = TokenPrefix(packed: 0x6D6B_7000)
    /// `mkc`, for client keys.
    public static let client = TokenPrefix(packed: 0x6D6B_6300)
    /// `mka`, for admin keys.
    public static let admin = TokenPrefix(packed: 0x6D6B_6100)
    /// `mko`, for operator keys.
    public static let `operator` = TokenPrefix(packed: 0x6D6B_6F00)
    /// `ak`, for API keys that are created through the Clerk dialect.
    public static let apiKey = TokenPrefix(packed: 0x616B_0000)
    /// `mrt`, for the refresh tokens of members' sessions.
    public static let refresh = TokenPrefix(packed: 0x6D72_7400)
}

extension TokenPrefix: CustomStringConvertible {
    /// The characters of the prefix.
    public var description: String { text }
}
