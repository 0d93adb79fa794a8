/// The name of a cell, the set of clusters that one group of nodes serves: 2 base62 characters.
public struct Cell: Sendable, Hashable {
    /// How many characters a cell's name has.
    public static let length = 2

    private let packed: UInt16

    /// The cell that `text` names, or `nil` where it is not 2 base62 characters.
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard bytes.count == Self.length, Base62.isDigit(bytes[0]), Base62.isDigit(bytes[1]) else { return nil }
        packed = UInt16(packing: bytes)
    }

    init(packed: UInt16) { self.packed = packed }

    /// `00`, the only cell of an installation that has not been divided.
    public static let first = Cell(packed: 0x3030)

    /// The 2 characters.
    public var text: String { packed.packedText }

    var bytes: [UInt8] { packed.packedBytes }
}

extension Cell: CustomStringConvertible {
    /// The 2 characters.
    public var description: String { text }
}
