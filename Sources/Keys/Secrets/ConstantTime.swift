/// Compares secret bytes in a time that says nothing about the position of a difference.
///
/// Tokens and the hashes of passwords are compared with this function; `Digest` compares words in the same way. In Swift `|` and `^` have the same precedence and associate to the
/// left, so `a | b ^ c` is `(a | b) ^ c`; the difference of two bytes is therefore a value of its own here.
package enum ConstantTime {
    /// Returns true if both spans have the same bytes.
    ///
    /// The time depends on the lengths alone.
    @inlinable
    package static func areEqual(_ left: borrowing Span<UInt8>, _ right: borrowing Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for position in left.indices { difference |= (left[position] ^ right[position]) }
        return difference == 0
    }
}
