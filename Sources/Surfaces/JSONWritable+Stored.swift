import JSON

extension JSONWritable {
    /// The JSON text, as it is stored for duplicate requests.
    package var stored: String {
        var writer = JSONWriter(capacity: 512)
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
