/// Messages of Protocol Buffers, written and read independently of the server.
enum Protobuf {
    /// A field that was read.
    struct Field {
        let number: Int
        let integer: Int
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
        var fields: [Field] { Protobuf.read(bytes) }
    }

    static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(bytes.count) + bytes
    }

    static func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    static func varint(_ number: Int) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }

    static func read(_ bytes: [UInt8]) -> [Field] {
        var fields: [Field] = []
        var rest = bytes[...]
        func number() -> Int {
            var (value, shift) = (0, 0)
            while let byte = rest.popFirst() {
                value |= Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let tag = number()
            let value = number()
            let content = tag & 7 == 2 ? Array(rest.prefix(value)) : []
            rest = rest.dropFirst(content.count)
            fields.append(Field(number: tag >> 3, integer: value, bytes: content))
        }
        return fields
    }

    /// Returns a `CheckRequest`.
    static func checkRequest(
        _ extensions: [(String, String)],
        headers: [(String, String)] = [],
        source: String? = "192.0.2.1",
        raw: Bool = false
    ) -> [UInt8] {
        func entry(_ pair: (String, String)) -> [UInt8] { field(1, pair.0) + field(raw ? 3 : 2, pair.1) }
        var lines: [UInt8] = []
        for header in headers { lines += field(raw ? 1 : 3, entry(header)) }
        if raw { lines = field(13, lines) }
        // Other fields stand between those that count, as Envoy sends them.
        var http = field(1, "1234")
        http += field(2, "GET")
        http += lines
        http += field(4, "/orders?id=1")
        http += field(10, "HTTP/1.1")
        var attributes: [UInt8] = []
        if let source {
            var socket: [UInt8] = [8, 0]
            socket += field(2, source)
            socket += [24, 80] as [UInt8]
            attributes += field(1, field(1, field(1, socket)) + field(4, "spiffe://a"))
        }
        let nothing: [UInt8] = []
        let time: [UInt8] = [8, 1]
        attributes += field(2, nothing)
        attributes += field(4, field(1, time) + field(2, http))
        for (name, value) in extensions { attributes += field(10, field(1, name) + field(2, value)) }
        return field(1, attributes)
    }
}

/// An `envoy.service.auth.v3.CheckResponse`.
struct CheckResponse {
    let code: Int
    let isOK: Bool
    let status: Int
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var removed: [String] = []
    let body: String
    /// True if each header replaces the client's, and counts if it is empty.
    private(set) var replaces = true

    init(_ bytes: [UInt8]) {
        let fields = Protobuf.read(bytes)
        code = fields.first { $0.number == 1 }?.fields.first { $0.number == 1 }?.integer ?? 0
        isOK = fields.contains { $0.number == 3 }
        let response = fields.first { $0.number == 2 || $0.number == 3 }?.fields ?? []
        status = isOK ? 200 : response.first { $0.number == 1 }?.fields.first?.integer ?? 0
        body = isOK ? "" : response.first { $0.number == 3 }?.text ?? ""
        for field in response where field.number == 2 {
            let option = field.fields
            let header = option.first { $0.number == 1 }?.fields ?? []
            headers.append((header.first?.text ?? "", header.first { $0.number == 2 }?.text ?? ""))
            replaces =
                replaces && option.contains { $0.number == 3 && $0.integer == 2 }
                && option.contains { $0.number == 4 && $0.integer == 1 }
        }
        if isOK { removed = response.filter { $0.number == 5 }.map(\.text) }
    }

    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    var reason: String? { self["x-mortise-reason"] }
}
