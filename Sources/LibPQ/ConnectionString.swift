import CLibPQ

/// Reads a connection string the way libpq reads it.
public enum ConnectionString {
    /// The keywords that a connection string sets, as `PQconninfoParse` sees them; keywords left out are absent.
    ///
    /// - Parameter text: a `postgresql://` URI or `keyword=value` pairs (libpq manual 34.1.1).
    /// - Returns: values by keyword.
    /// - Throws: `LibPQError`, which does not repeat the text.
    public static func parse(_ text: String) throws(LibPQError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>? = nil
        guard let options = unsafe PQconninfoParse(text, &message) else {
            // The message repeats the part it could not read, which may be a password: only the fact is passed on.
            if let text = unsafe message { unsafe PQfreemem(text) }
            throw LibPQError("PQconninfoParse", "the connection string cannot be read")
        }
        defer { unsafe PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                keywords[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return keywords
    }
}
