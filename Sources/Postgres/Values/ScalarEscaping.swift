extension String {
    /// Returns the text with a scalar before each scalar that is to be escaped.
    ///
    /// A parser of SQL reads scalars. `replacing(_:with:)` and `split(separator:)` look at characters as people see them, so that they do not
    /// find a quotation mark before U+0301.
    package func escaping(by escape: Unicode.Scalar, where isEscaped: (Unicode.Scalar) -> Bool) -> String {
        var escaped = UnicodeScalarView()
        for scalar in unicodeScalars {
            if isEscaped(scalar) { escaped.append(escape) }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}
