/// The name of a cell, which is the set of clusters that one group of nodes serves: 2 base62 characters.
public struct Cell: Sendable, Hashable {
    /// The number of characters of a cell's name.
    public static let length = 2

    private let packed: UInt16

    /// Creates the cell with a name, or returns `nil` if the name is not 2 base62 characters.
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard bytes.count == Self.length, Base62.isDigit(bytes[0]), Base62.isDigit(bytes[1]) else { return nil }
        packed = UInt16(packing: bytes)
    }

    init(packed: UInt16) { self.packed = packed }

    /// `00`, the only cell of an installation that has not been divided.
    public static let first = Cell(packed: 0x3030)

    /// The 2 characters of the name.
    public var text: String { packed.packedText }

    var bytes: [UInt8] { packed.packedBytes }
}

extension Cell: CustomStringConvertible {
    /// The 2 characters of the name.
    public var description: String { text }
}
