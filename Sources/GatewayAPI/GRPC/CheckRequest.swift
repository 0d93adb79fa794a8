package import Keys

/// The parts of an `envoy.service.auth.v3.CheckRequest` that a check needs.
///
/// Texts that are not UTF-8 are repaired and not refused. Envoy passes the bytes of its client on, and with `failure_mode_allow` a client
/// whose request is answered with an error gets in.
package struct CheckRequest {
    /// One header line, or one entry of the context extensions.
    private struct Entry {
        var name = 0..<0
        var value = 0..<0
    }

    /// The configuration of the gateway, as it stands in the message.
    ///
    /// It is the same in all requests of a route of the gateway.
    package private(set) var configuration: [UInt8] = []
    /// The address of the gateway's client.
    ///
    /// `nil` if the client has none, or the gateway does not say it.
    package private(set) var source: IPAddress?
    /// The size of the request's headers, as HTTP/1.1 would send them.
    package private(set) var headerBytes = 0

    private let bytes: [UInt8]
    private var headers: [Entry] = []
    private var extensions: [Entry] = []

    /// Reads a message.
    ///
    /// - Throws: `ProtobufFault` if the bytes are no message.
    package init(_ bytes: [UInt8]) throws(ProtobufFault) {
        self.bytes = bytes
        try each(0..<bytes.count) { (request, field, value) throws(ProtobufFault) in
            // CheckRequest.attributes
            if field == 1 { try request.readAttributes(value) }
        }
    }

    /// The entries of the context extensions, in their order.
    package var extensionTexts: [(name: String, value: String)] { extensions.map { (text($0.name), text($0.value)) } }

    // MARK: The fields

    /// Calls `body` for each submessage, text or bytes in a range.
    private mutating func each(
        _ range: Range<Int>,
        _ body: (inout CheckRequest, Int, Range<Int>) throws(ProtobufFault) -> Void
    ) throws(ProtobufFault) {
        var reader = ProtobufReader(bytes, range)
        while let field = try reader.next() {
            if case .bytes(let value) = field.value { try body(&self, field.number, value) }
        }
    }

    private mutating func readAttributes(_ range: Range<Int>) throws(ProtobufFault) {
        try each(range) { (request, field, value) throws(ProtobufFault) in
            switch field {
            // AttributeContext.source
            case 1: try request.readSource(value)
            // AttributeContext.request
            case 4:
                try request.each(value) { (request, field, value) throws(ProtobufFault) in
                    // Request.http
                    if field == 2 { try request.readHTTP(value) }
                }
            // AttributeContext.context_extensions
            case 10:
                let entry = try request.entry(value)
                request.extensions.append(entry)
                // The length keeps two entries from looking like two others.
                for shift in [0, 8, 16, 24] {
                    request.configuration.append(UInt8(truncatingIfNeeded: value.count >> shift))
                }
                request.configuration += request.bytes[value]
            default: break
            }
        }
    }

    private mutating func readSource(_ range: Range<Int>) throws(ProtobufFault) {
        try each(range) { (request, field, value) throws(ProtobufFault) in
            // Peer.address
            guard field == 1 else { return }
            try request.each(value) { (request, field, value) throws(ProtobufFault) in
                // Address.socket_address. A pipe and an internal address have no IP address.
                guard field == 1 else { return }
                try request.each(value) { (request, field, value) throws(ProtobufFault) in
                    // SocketAddress.address
                    if field == 2 { request.source = IPAddress(request.text(value)) }
                }
            }
        }
    }

    private mutating func readHTTP(_ range: Range<Int>) throws(ProtobufFault) {
        try each(range) { (request, field, value) throws(ProtobufFault) in
            switch field {
            // HttpRequest.headers
            case 3:
                let entry = try request.entry(value)
                request.add(entry)
            // HttpRequest.header_map, which Envoy sends instead if `encode_raw_headers` is set
            case 13:
                try request.each(value) { (request, field, value) throws(ProtobufFault) in
                    // HeaderMap.headers
                    guard field == 1 else { return }
                    let entry = try request.entry(value)
                    request.add(entry)
                }
            default: break
            }
        }
    }

    private mutating func add(_ header: Entry) {
        headers.append(header)
        headerBytes += header.name.count + header.value.count + 4
    }

    /// Reads an entry of a map, or a `HeaderValue`: the name is field 1, and the value is field 2, or field 3 as raw bytes.
    private func entry(_ range: Range<Int>) throws(ProtobufFault) -> Entry {
        var entry = Entry()
        var reader = ProtobufReader(bytes, range)
        while let field = try reader.next() {
            guard case .bytes(let value) = field.value else { continue }
            switch field.number {
            case 1: entry.name = value
            case 2, 3: entry.value = value
            default: break
            }
        }
        return entry
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

extension CheckRequest: RequestHeaders {
    /// Returns the values of all lines with a name.
    package func lines(_ name: String) -> [String] {
        var lines: [String] = []
        for header in headers where isName(header.name, name) { lines.append(text(header.value)) }
        return lines
    }

    private func isName(_ range: Range<Int>, _ name: String) -> Bool {
        guard range.count == name.utf8.count else { return false }
        return zip(bytes[range], name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
