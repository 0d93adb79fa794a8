import CLibPQ

/// A reader for libpq's connection strings.
public enum ConnectionString {
    /// Returns the value that libpq uses for a keyword that a connection string does not set.
    ///
    /// It comes from an environment variable, a service file or libpq itself.
    ///
    /// - Parameter keyword: The keyword, such as `target_session_attrs`.
    /// - Returns: The value, or `nil` if there is none.
    public static func defaultValue(of keyword: String) -> String? {
        guard let options = unsafe PQconndefaults() else { return nil }
        defer { unsafe PQconninfoFree(options) }
        var option = unsafe options
        while let name = unsafe option.pointee.keyword {
            if unsafe String(cString: name) == keyword {
                return unsafe option.pointee.val.map { unsafe String(cString: $0) }
            }
            unsafe option += 1
        }
        return nil
    }

    /// Returns the keywords that a connection string sets, as `PQconninfoParse` reads them.
    ///
    /// - Parameter text: A `postgresql://` URI, or `keyword=value` pairs (libpq manual 34.1.1).
    /// - Returns: The values by keyword. Keywords that the text does not set are absent.
    /// - Throws: `LibPQError` if libpq cannot read the text. The error does not repeat the text.
    public static func parse(_ text: String) throws(LibPQError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>? = nil
        guard let options = unsafe PQconninfoParse(text, &message) else {
            // The message repeats the part that libpq could not read, which can be a password. So the error leaves it out.
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
