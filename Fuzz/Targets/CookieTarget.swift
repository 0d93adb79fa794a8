import Console

extension FuzzTarget {
    /// Reads the lines of the input as the values of the header lines `Cookie`.
    static func checkCookie(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let lines = input.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let name = Cookie.session
        // Attack: a page of another host of the same domain adds a cookie with the same name.
        let again = Cookie.value(of: name, in: lines + ["other=1; \(name)=added"])
        guard let value = Cookie.value(of: name, in: lines) else {
            return try require(again == nil || again == "added", "a cookie that was not sent is not found")
        }
        try require(again == nil, "of two cookies with one name neither counts")
        try require(!value.utf8.contains(UInt8(ascii: ";")), "a value ends before the next cookie")
        try require(Cookie.value(of: name, in: ["\(name)=\(value)"]) == value, "a written cookie is read back")
        // Attack: a cookie of another site ends with a character that forms a grapheme with the semicolon.
        let beside = "a=\u{600}; \(name)=\(value); \(name)-operator=c"
        try require(Cookie.value(of: name, in: [beside]) == value, "cookies with other names change nothing")
    }
}
