extension String {
    /// Whether both strings are the same bytes.
    ///
    /// `==` also accepts canonically equivalent spellings, such as a composed and a decomposed accent: right for text,
    /// too wide for a name that decides what a key may do.
    func isIdentical(to other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
