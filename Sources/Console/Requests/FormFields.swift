import Endpoints

/// The fields of a form or of a query, as a browser sends them.
struct FormFields: Sendable {
    private(set) var fields: [(name: String, value: String)] = []

    /// Creates an empty list of fields.
    init() {}

    /// Creates fields from the query of a target.
    ///
    /// A field that is not percent-encoded UTF-8 is left out, because the page can do without it.
    init(query: String?) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentDecoding.decode(parts[0], plusIsSpace: true),
                let value = PercentDecoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true),
                !value.utf8.contains(0)
            else { continue }
            fields.append((name, value))
        }
    }

    /// Creates fields from pairs.
    init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    /// Returns the value of a field as it was sent; empty if it is absent.
    subscript(_ name: String) -> String { fields.first { $0.name == name }?.value ?? "" }

    /// Returns true if the field was sent.
    func contains(_ name: String) -> Bool { fields.contains { $0.name == name } }

    /// Returns the value without white space around it, or `nil` if nothing is left.
    func text(_ name: String) -> String? {
        let text = self[name].trimmed
        return text.isEmpty ? nil : text
    }

    /// Returns the lines of a field that are not empty, without white space around them.
    ///
    /// A comma also ends a line.
    func lines(_ name: String) -> [String] {
        self[name].split { $0.isNewline || $0 == "," }.map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    /// Returns the rest of the names that begin with a prefix, in their order.
    func names(after prefix: String) -> [String] {
        fields.filter { $0.name.hasPrefix(prefix) }.map { String($0.name.dropFirst(prefix.count)) }
    }

    /// Returns the fields as the query of a target, with some changed; an empty text removes a field.
    func query(_ changes: [String: String] = [:]) -> String {
        var pairs = fields.filter { changes[$0.name] == nil && !$0.value.isEmpty }
            .map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
            if !value.isEmpty { pairs.append("\(Percent.encode(name))=\(Percent.encode(value))") }
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }
}

/// Encodes texts for targets (RFC 3986 section 2.1).
enum Percent {
    /// Returns a text in which every byte but letters, digits and `-._~` is escaped.
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}

extension String {
    /// The text without white space around it.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
