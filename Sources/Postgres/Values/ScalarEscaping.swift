extension String {
    /// Returns the text with another scalar before each of some scalars.
    ///
    /// A quotation mark before U+0301 is a part of another character, so that `replacing(_:with:)` and `split(separator:)` do not find it.
    /// What reads the text afterwards, such as a parser of SQL, does.
    package func escaping(_ scalars: Set<Unicode.Scalar>, by escape: Unicode.Scalar) -> String {
        var escaped = UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalars.contains(scalar) { escaped.append(escape) }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}
