import Mustache

/// Text in a page: the characters with a meaning in HTML are written as entities.
///
/// The library's own escaping looks at characters as people see them. A quotation mark before U+0301, or `<` behind U+0600, is a part of
/// another character there, while a browser reads markup.
struct HTMLText: MustacheContentType {
    /// The first line of every template: it chooses this content type.
    static let pragma = "{{% CONTENT_TYPE: \(name)}}"

    private static let name = "PAGE"

    /// Makes the content type known to the library.
    static func register() { MustacheContentTypes.register(HTMLText(), named: name) }

    func escapeText(_ text: String) -> String {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count + 16)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): escaped += "&lt;".utf8
            case UInt8(ascii: ">"): escaped += "&gt;".utf8
            case UInt8(ascii: "&"): escaped += "&amp;".utf8
            case UInt8(ascii: "\""): escaped += "&quot;".utf8
            case UInt8(ascii: "'"): escaped += "&#39;".utf8
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
