import Endpoints
import FoundationEssentials
import Keys
import Service

/// The fields of a form or of a query, as a browser sends them.
package struct FormFields: Sendable {
    package private(set) var fields: [(name: String, value: String)] = []

    /// Creates an empty list of fields.
    init() {}

    /// Creates fields from the query of a target.
    ///
    /// A field that is not percent-encoded UTF-8 is left out, because the page can do without it.
    package init(query: String?) {
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

    /// Returns the value of a field, or `nil` if it is absent or empty.
    ///
    /// A field that was sent twice has both values with a line end between them, which no server means: two readers could each take
    /// another one.
    func unambiguous(_ name: String) -> String? {
        let values = fields.filter { $0.name == name }.map(\.value)
        let text = values.joined(separator: "\n")
        return text.isEmpty ? nil : text
    }

    /// Returns true if the field was sent.
    func contains(_ name: String) -> Bool { fields.contains { $0.name == name } }

    /// Returns the workspace of the field `workspace`, which is empty for the whole organization.
    ///
    /// - Throws: `Refusal.notFound` for a damaged or missing field, which must not stand for the whole organization.
    func workspaceID() throws(Refusal) -> UUID? {
        let text = self["workspace"]
        let id = UUIDv7.parse(text)
        guard contains("workspace"), text.isEmpty || id != nil else { throw .notFound }
        return id
    }

    /// Returns the value without white space around it, and with LF at the end of each line, or `nil` if nothing is left.
    func text(_ name: String) -> String? {
        let text = self[name].withLineFeeds.trimmed
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

    /// The query with the beginning of each token in place of the whole token, or `nil` if it has none.
    ///
    /// A person can paste a token into a search. The beginning finds its key, and the rest must not stay in the address, the history and the
    /// links of the page. A cursor belongs to another search.
    package var withoutTokens: String? {
        let shortened = fields.map { field in
            let text = field.value.trimmed
            return (name: field.name, value: (try? Token(text)) == nil ? field.value : String(text.prefix(16)))
        }
        guard zip(fields, shortened).contains(where: { $0.value != $1.value }) else { return nil }
        return FormFields(shortened).query(["after": ""])
    }

    /// The fields as a browser sends them.
    package var text: String {
        fields.map { "\(FormText.encode($0.name))=\(FormText.encode($0.value))" }.joined(separator: "&")
    }

    /// Returns the fields as the query of a target, with some changed; an empty text removes a field.
    func query(_ changes: [String: String] = [:]) -> String {
        var pairs = fields.filter { changes[$0.name] == nil && !$0.value.isEmpty }
            .map { "\(FormText.encode($0.name))=\(FormText.encode($0.value))" }
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
            if !value.isEmpty { pairs.append("\(FormText.encode(name))=\(FormText.encode(value))") }
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }
}

extension String {
    /// The text with LF at the end of each line, as programs store it.
    ///
    /// A browser sends CRLF.
    var withLineFeeds: String { replacing("\r\n", with: "\n").replacing("\r", with: "\n") }

    /// The text without white space around it.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
