/// The name of a workspace inside its tokens, and of its database: 8 base62 characters, of which the first 2 name the
/// cell.
///
/// It routes a verification to its database without a global directory. It is no secret.
public struct WorkspaceRef: Sendable, Hashable {
    /// How many characters a reference has.
    public static let length = 8

    private let packed: UInt64

    /// The reference that `text` spells, or `nil` where it is not 8 base62 characters.
    public init?(_ text: String) {
        self.init(bytes: text.utf8.span)
    }

    init?(bytes: borrowing Span<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        for position in bytes.indices where !Base62.isDigit(bytes[position]) { return nil }
        packed = UInt64(packing: bytes)
    }

    private init(packed: UInt64) { self.packed = packed }

    /// `00000000`, the control database: the root tenant, which holds admin and operator keys.
    public static let root = WorkspaceRef(packed: 0x3030_3030_3030_3030)

    /// Whether this is the control database.
    public var isRoot: Bool { self == .root }

    /// A new reference in `cell`, uniform over the 6 characters that are free, and never ``root``.
    public static func random(in cell: Cell = .first, using generator: inout some RandomNumberGenerator) -> WorkspaceRef
    {
        while true {
            let bytes = cell.bytes + Base62.random(count: length - Cell.length, using: &generator)
            let ref = WorkspaceRef(packed: UInt64(packing: bytes.span))
            if !ref.isRoot { return ref }
        }
    }

    /// The set of clusters that holds the workspace.
    public var cell: Cell { Cell(packed: UInt16(truncatingIfNeeded: packed >> 48)) }

    /// The 8 characters.
    public var text: String { packed.packedText }

    var bytes: [UInt8] { packed.packedBytes }
}

extension WorkspaceRef: Comparable {
    /// Orders references by the bytes of their text.
    public static func < (lhs: WorkspaceRef, rhs: WorkspaceRef) -> Bool { lhs.packed < rhs.packed }
}

extension WorkspaceRef: CustomStringConvertible {
    /// The 8 characters.
    public var description: String { text }
}
