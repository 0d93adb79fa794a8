import HTTPTypes
import Hummingbird
import JSON
import NIOCore

// Each function reads a part of a request and adds its faults to the others.
extension EndpointResponder {
    /// The input of a request before its body.
    struct Input {
        let parameters: [(name: String, value: String)]
        let query: Fields
        let rawQuery: String?
        let idempotencyKey: String?
        /// The faults of the whole input, also of the body.
        var faults: [Fault] = []
    }

    /// Returns the input before the body, with its faults.
    ///
    /// Throws `Problem.notFound` for a malformed parameter of the path.
    func input(_ request: Request) throws -> Input {
        let parameters = try parameters(request)
        var faults: [Fault] = []
        let rawQuery = request.uri.query
        let query = query(rawQuery, &faults)
        let idempotencyKey = endpoint.takesIdempotencyKey ? idempotencyKey(request.headers, &faults) : nil
        return Input(
            parameters: parameters,
            query: query,
            rawQuery: rawQuery,
            idempotencyKey: idempotencyKey,
            faults: faults
        )
    }

    /// Returns the decoded parameters of the path.
    ///
    /// Throws `Problem.notFound` for a malformed parameter, because no such resource exists.
    private func parameters(_ request: Request) throws -> [(name: String, value: String)] {
        guard !endpoint.parameters.isEmpty else { return [] }
        guard let raw = endpoint.path.match(request.uri.path) else { throw Problem.notFound }
        return try endpoint.parameters.map { parameter in
            guard let value = raw.first(where: { $0.name == parameter.name })?.value,
                let text = PercentDecoding.decode(value, plusIsSpace: false),
                parameter.schema.validate(.string(text)).isEmpty
            else { throw Problem.notFound }
            return (parameter.name, text)
        }
    }

    /// Returns the parameters of the query, with defaults.
    private func query(_ text: String?, _ faults: inout [Fault]) -> Fields {
        if text == nil, endpoint.query.parameters.isEmpty { return Fields() }
        let (fields, found) = endpoint.query.parse(text)
        faults.append(contentsOf: found)
        return fields
    }

    /// Returns the idempotency key, which has 1 to 255 visible ASCII characters.
    private func idempotencyKey(_ headers: HTTPFields, _ faults: inout [Fault]) -> String? {
        let values = headers[values: .idempotencyKey]
        guard let key = values.first else { return nil }
        guard values.count == 1, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            faults.append(Fault(.header("Idempotency-Key"), "must be 1 to 255 visible ASCII characters"))
            return nil
        }
        return key
    }

    /// Returns the bytes of the body, of which the check of the bytes has seen all.
    ///
    /// Throws a problem if the body cannot be read, and the error of the check.
    func body(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ waits: inout WaitBudget
    ) async throws -> ByteBuffer {
        let rules = endpoint.body
        guard rules != nil || endpoint.refusesBody else { return ByteBuffer() }
        if request.headers.contains(where: { $0.name == .expect }) {
            context.channel.triggerUserOutboundEvent(ContinueEvent(), promise: nil)
        }
        let raw = try await collect(request, upTo: rules?.maximumBytes ?? RequestBodySchema.usualBytes)
        if let check = rules?.check { try await waits.spend { try await check(request.headers, context, raw) } }
        return raw
    }

    /// Returns the JSON of the body, and adds its faults to the others.
    ///
    /// Throws a problem if the body cannot be read as JSON.
    func json(_ raw: ByteBuffer, _ request: Request, _ faults: inout [Fault]) throws -> JSONValue {
        let bytes = raw.readableBytesView
        guard let rules = endpoint.body else {
            guard !bytes.isEmpty else { return .null }
            // The media type does not matter, because nothing is read from the body.
            let json = try parsed(bytes, RequestBodySchema.usualBytes)
            faults.append(contentsOf: Self.nothing.validate(json))
            return .null
        }
        if bytes.isEmpty {
            let json: JSONValue = [:]
            if rules.isOptional {
                faults.append(contentsOf: rules.schema.validate(json))
            } else {
                faults.append(Fault(.body(JSONPointer()), Fault.isRequired, kind: .missing))
            }
            return json
        }
        if rules.acceptsForm, MediaType.isForm(request.headers) {
            let json = FormDecoding.object(bytes, &faults)
            faults.append(contentsOf: rules.schema.validate(json))
            return json
        }
        guard MediaType.isJSON(request.headers) else {
            throw MediaType.isEncoded(request.headers) ? Problem.encodedBody : Problem.unsupportedMediaType
        }
        let json = try parsed(bytes, rules.maximumBytes)
        faults.append(contentsOf: rules.schema.validate(json))
        return json
    }

    /// The schema of an object without members, which counts as no body.
    private static var nothing: Schema { .object([]) }

    private func parsed(_ bytes: ByteBufferView, _ limit: Int) throws(Problem) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw .invalidJSON(error)
        }
    }

    /// Reads the body piece by piece.
    ///
    /// The deadline is checked when a piece arrives, which needs no task. The connection's own deadline for a body bounds the wait
    /// for a piece.
    private func collect(_ request: Request, upTo limit: Int) async throws -> ByteBuffer {
        // A client that says how long its body is need not send it to be refused.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Problem.contentTooLarge(limit: limit)
        }
        let deadline = NIODeadline.now() + TimeAmount(settings.bodyDeadline)
        var buffer = ByteBuffer()
        for try await var piece in request.body {
            guard NIODeadline.now() < deadline else { throw Problem.requestTimeout }
            guard buffer.readableBytes + piece.readableBytes <= limit else {
                throw Problem.contentTooLarge(limit: limit)
            }
            // Nearly all bodies arrive as one piece, which needs no copy.
            if buffer.readableBytes == 0 { buffer = piece } else { buffer.writeBuffer(&piece) }
        }
        return buffer
    }
}

/// Reads the media type of a request.
enum MediaType {
    /// Returns true if the header fields say that the body is a form.
    static func isForm(_ headers: HTTPFields) -> Bool {
        guard headers[.contentEncoding] == nil, let value = headers[.contentType] else { return false }
        let essence = value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return essence == "application/x-www-form-urlencoded"
    }

    /// Returns true if the body is not compressed, and the header fields say JSON or give no type (RFC 9110 section 8.3).
    static func isJSON(_ headers: HTTPFields) -> Bool {
        for field in headers {
            if field.name == .contentType, !isJSON(field.value) { return false }
            if isEncoding(field) { return false }
        }
        return true
    }

    /// Returns true if the header fields say that the body is compressed, or encoded otherwise (RFC 9110 section 8.4).
    static func isEncoded(_ headers: HTTPFields) -> Bool { headers.contains(where: isEncoding) }

    private static func isEncoding(_ field: HTTPField) -> Bool {
        field.name == .contentEncoding && field.value.lowercased() != "identity"
    }

    private static func isJSON(_ value: String) -> Bool {
        if value == "application/json" { return true }
        let essence = value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json"))
    }
}
