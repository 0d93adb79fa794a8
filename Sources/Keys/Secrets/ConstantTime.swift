/// Compares secret bytes in a time that says nothing about the position of a difference.
package enum ConstantTime {
    /// Returns true if both spans have the same bytes.
    ///
    /// The time depends on the lengths alone.
    @inlinable
    package static func areEqual(_ left: borrowing Span<UInt8>, _ right: borrowing Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        // `|` and `^` have one precedence in Swift: `a | b ^ c` would be `(a | b) ^ c`.
        for position in left.indices { difference |= (left[position] ^ right[position]) }
        return difference == 0
    }
}
