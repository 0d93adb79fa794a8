import NIOHTTP1

/// An answer to a gateway, without what depends on the connection.
package struct GatewayAnswer: Sendable, Hashable {
    /// A header field.
    package struct Field: Sendable, Hashable {
        /// The name.
        package let name: String
        /// The value.
        package let value: String

        /// Creates a field.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The name of the field that names the reason of a refusal.
    static let reasonName = "X-Mortise-Reason"

    /// The status.
    package let status: Int
    /// The header fields, without `Content-Length`, `Date` and `Connection`.
    package var fields: [Field] {
        didSet { start = nil }
    }
    /// The body.
    package var body: [UInt8]
    /// The first fields with their bytes, if they were rendered before.
    private(set) var start: RenderedFields?

    /// Creates an answer.
    package init(status: Int, fields: [Field], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Creates the answer that lets a key in.
    init(_ start: RenderedFields, _ more: [Field]) {
        status = RenderedFields.status
        // Most answers have no further fields, and no copy then.
        fields = more.isEmpty ? start.fields : start.fields + more
        body = []
        self.start = start
    }

    /// The text behind the status on the first line of an answer over HTTP/1.1, as RFC 9110 section 15 has it.
    package var reasonPhrase: String { HTTPResponseStatus(statusCode: status).reasonPhrase }

    /// Returns true if the answers say the same.
    package static func == (left: GatewayAnswer, right: GatewayAnswer) -> Bool {
        left.status == right.status && left.fields == right.fields && left.body == right.body
    }

    /// Hashes what the answer says.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(fields)
        hasher.combine(body)
    }

    /// Returns the value of the first field with a name in this spelling.
    package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}
