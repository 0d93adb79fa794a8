/// The reference of a workspace in its tokens and in the name of its database: 8 base62 characters.
///
/// The first 2 characters name the cell. The reference routes a verification to the workspace's database without a global
/// directory. It is not a secret.
public struct WorkspaceRef: Sendable, Hashable {
    /// The number of characters of a reference.
    public static let length = 8

    private let packed: UInt64

    /// Creates the reference with these characters, or returns `nil` unless they are 8 base62 characters.
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard bytes.count == Self.length else { return nil }
        for position in bytes.indices where !Base62.isDigit(bytes[position]) { return nil }
        self.init(checkedBytes: bytes)
    }

    /// Creates a reference from 8 bytes that the caller has found to be base62 digits.
    init(checkedBytes bytes: borrowing Span<UInt8>) {
        packed = UInt64(packing: bytes)
    }

    private init(packed: UInt64) { self.packed = packed }

    /// `00000000`, the control database: the root tenant, which holds admin and operator keys.
    public static let root = WorkspaceRef(packed: 0x3030_3030_3030_3030)

    /// True for the reference of the control database.
    public var isRoot: Bool { self == .root }

    /// Creates a random reference in a cell, uniform over the other 6 characters, and never ``root``.
    ///
    /// - Parameters:
    ///   - cell: The cell. Defaults to the first one.
    ///   - generator: The source of randomness.
    /// - Returns: The reference.
    public static func random(in cell: Cell = .first, using generator: inout some RandomNumberGenerator) -> WorkspaceRef
    {
        while true {
            let bytes = cell.bytes + Base62.random(count: length - Cell.length, using: &generator)
            let ref = WorkspaceRef(packed: UInt64(packing: bytes.span))
            if !ref.isRoot { return ref }
        }
    }

    /// The cell of the workspace.
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
