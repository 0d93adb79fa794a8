import HTTPTypes
import JSON

extension Endpoint {
    /// The method in the document.
    ///
    /// OpenAPI has a fixed set of methods. An operation for all methods is shown as GET, and its description says so.
    var documentedMethod: String {
        switch method {
        case .only(let method): method.rawValue.lowercased()
        case .any: "get"
        }
    }

    /// The operation as an OpenAPI 3.1 operation object.
    func openAPI() -> JSONValue {
        var form = JSONObject()
        form["operationId"] = .string(operationID)
        form["tags"] = [.string(tag)]
        form["summary"] = .string(summary)
        form["description"] = .string(fullDescription)
        form["parameters"] = .array(pathParameters + queryParameters + headerParameters)
        if let body {
            form["requestBody"] = [
                "required": .bool(!body.isOptional),
                "content": ["application/json": ["schema": body.schema.openAPI()]],
            ]
        }
        form["responses"] = .object(answers)
        form["security"] = access == .open ? [] : [["bearer": []]]
        return .object(form)
    }

    /// The problems that follow from the declaration, and those that the handler throws.
    package var allProblems: [Problem.Kind] {
        var kinds: Set<Problem.Kind> = [.internalError]
        kinds.formUnion(problems)
        if query.unknown == .refused || !query.parameters.isEmpty || takesIdempotencyKey {
            kinds.insert(.invalidRequest)
        }
        if access != .open { kinds.formUnion([.unauthorized, .rateLimited]) }
        if case .restricted(let audience, let permission) = access, audience != .any || permission != nil {
            kinds.insert(.forbidden)
        }
        if !parameters.isEmpty { kinds.insert(.notFound) }
        if body != nil {
            kinds.formUnion([.invalidRequest, .contentTooLarge, .unsupportedMediaType, .requestTimeout])
        }
        if refusesBody { kinds.formUnion([.invalidRequest, .contentTooLarge, .requestTimeout]) }
        if takesIdempotencyKey { kinds.formUnion([.unprocessable, .conflict]) }
        if deadline != nil { kinds.insert(.deadlineExceeded) }
        return Problem.Kind.allCases.filter(kinds.contains)
    }

    private var fullDescription: String {
        var sentences = description.isEmpty ? [] : [description]
        if method == .any { sentences.append("All methods have the same answer.") }
        if refusesBody { sentences.append("Takes no body.") }
        switch access {
        case .open: sentences.append("Needs no credential.")
        case .restricted(let audience, let permission):
            switch audience {
            case .operator: sentences.append("Needs an operator key.")
            case .admin: sentences.append("Needs an admin key or a member's session.")
            case .owner:
                sentences.append(
                    "Needs an admin key or a member's session. A member without the permission sees its own resources."
                )
            case .any: sentences.append("Needs a credential.")
            }
            if let permission { sentences.append("Permission: `\(permission)`.") }
        }
        return sentences.joined(separator: " ")
    }

    private var pathParameters: [JSONValue] {
        parameters.map {
            [
                "name": .string($0.name), "in": "path", "required": true, "description": .string($0.description),
                "schema": $0.schema.openAPI(),
            ]
        }
    }

    private var queryParameters: [JSONValue] {
        query.parameters.map { parameter in
            var schema = parameter.schema.openAPI()
            if parameter.isRepeated { schema = ["type": "array", "items": schema] }
            if let fallback = parameter.fallback, var object = schema.object {
                object["default"] = fallback
                schema = .object(object)
            }
            return [
                "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
                "description": .string(parameter.description), "schema": schema,
            ]
        }
    }

    private var headerParameters: [JSONValue] {
        guard takesIdempotencyKey else { return [] }
        return [
            [
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description":
                    "A request with the same key and body within 24 hours has the same answer.",
                "schema": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"],
            ]
        ]
    }

    /// The answers by status.
    ///
    /// Problems with the same status share an entry.
    private var answers: JSONObject {
        var answers = JSONObject()
        for result in responses { answers[result.status.code.description] = result.openAPI() }
        for kind in allProblems {
            let status = kind.status.code.description
            let earlier = answers[status]?["description"]?.string
            let line = "`\(kind.rawValue)`: \(kind.sentence)"
            answers[status] = [
                "description": .string(earlier.map { "\($0)\n\(line)" } ?? line),
                "headers": .object(kind.documentedHeaders),
                "content": ["application/problem+json": ["schema": Problem.schema.openAPI()]],
            ]
        }
        return answers
    }
}

extension EndpointResult {
    fileprivate func openAPI() -> JSONValue {
        var form = JSONObject()
        form["description"] = .string(description)
        if !headers.isEmpty {
            var fields = JSONObject()
            for header in headers {
                fields[header.name] = ["description": .string(header.description), "schema": ["type": "string"]]
            }
            form["headers"] = .object(fields)
        }
        if let schema {
            form["content"] = .object([mediaType: ["schema": schema.openAPI()]])
        }
        return .object(form)
    }
}

extension Problem.Kind {
    fileprivate var documentedHeaders: JSONObject {
        var fields = JSONObject()
        func add(_ name: String, _ description: String) {
            fields[name] = ["description": .string(description), "schema": ["type": "string"]]
        }
        let wait = "The time to wait before the next request, in seconds."
        add("X-Request-Id", "The id of the request.")
        switch self {
        case .unauthorized, .forbidden: add("WWW-Authenticate", "The fault of the credential (RFC 6750).")
        case .rateLimited:
            add("Retry-After", wait)
            add("RateLimit", "The rest of the limit (draft-ietf-httpapi-ratelimit-headers).")
            add("RateLimit-Policy", "The limit (draft-ietf-httpapi-ratelimit-headers).")
        case .workspaceUnavailable, .serviceUnavailable, .deadlineExceeded: add("Retry-After", wait)
        case .conflict: add("Retry-After", "\(wait) Present if another request is in progress.")
        default: break
        }
        return fields
    }
}
