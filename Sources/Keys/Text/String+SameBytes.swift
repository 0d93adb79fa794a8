extension String {
    /// Returns true if both strings have the same UTF-8 bytes.
    ///
    /// `==` also accepts canonically equivalent spellings, such as a composed and a decomposed accent. That is right for text
    /// and too wide for a name that decides what a key may do.
    func hasSameBytes(as other: String) -> Bool {
        let (left, right) = (utf8.span, other.utf8.span)
        guard left.count == right.count else { return false }
        for position in left.indices where left[position] != right[position] { return false }
        return true
    }
}
