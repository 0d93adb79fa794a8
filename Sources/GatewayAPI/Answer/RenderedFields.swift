/// The fields of the answers that let a key in, without those that change with each request, and their bytes.
///
/// They are rendered once for as long as the key is in memory.
final class RenderedFields: Sendable {
    /// The status of the answers.
    static let status = 200

    /// The fields.
    let fields: [GatewayAnswer.Field]
    /// The status line and the fields, as HTTP/1.1 writes them.
    let bytes: [UInt8]

    /// Renders fields.
    init(_ fields: [GatewayAnswer.Field]) {
        self.fields = fields
        bytes = Array("HTTP/1.1 200 OK\r\n\(fields.map { "\($0.name): \($0.value)\r\n" }.joined())".utf8)
    }
}
