import JSON

extension JSONWritable {
    /// The JSON text, as an answer is kept for twins of its request.
    package var stored: String {
        var writer = JSONWriter(capacity: 512)
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
