import JSON
import NIOHTTP1

/// A call of the API.
struct APIRequest {
    var method: HTTPMethod
    /// The segments of the path, not yet encoded.
    var path: [String]
    var query: [(name: String, value: String)] = []
    var body: JSONValue?
    /// Sent with what makes something, so that a repetition after a broken connection makes it once.
    var idempotencyKey: String?
    /// What else the repetition has to say for its body to be the same.
    var repetitionNote = ""

    static func get(_ path: [String], query: [(name: String, value: String)] = []) -> APIRequest {
        APIRequest(method: .GET, path: path, query: query)
    }

    static func post(_ path: [String], _ body: JSONObject? = nil, idempotencyKey: String? = nil) -> APIRequest {
        APIRequest(method: .POST, path: path, body: body.map(JSONValue.object), idempotencyKey: idempotencyKey)
    }

    static func patch(_ path: [String], _ body: JSONObject) -> APIRequest {
        APIRequest(method: .PATCH, path: path, body: .object(body))
    }

    static func delete(_ path: [String]) -> APIRequest {
        APIRequest(method: .DELETE, path: path)
    }

    /// What a person is told when it is not known whether the call took effect.
    var uncertainty: String? {
        if let idempotencyKey {
            return "It may have been done all the same. Within 24 hours, the same command with "
                + "--idempotency-key \(idempotencyKey)\(repetitionNote) gives the same answer and does nothing twice."
        }
        return method == .GET ? nil : "It may have been done all the same."
    }
}
