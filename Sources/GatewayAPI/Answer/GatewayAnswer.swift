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
    package var status: Int
    /// The header fields, without `Content-Length`, `Date` and `Connection`.
    package var fields: [Field]
    /// The body.
    package var body: [UInt8]

    /// Creates an answer.
    package init(status: Int, fields: [Field], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Returns the value of the first field with a name in this spelling.
    package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}
