import FoundationEssentials
import JSON
import NIOHTTP1

extension MortiseError {
    /// What a server's refusal says, in the words of its surface.
    static func refusal(_ answer: Answer, _ body: JSONValue, of call: Call) -> MortiseError {
        let words = Words(body, of: call.surface)
        var error = MortiseError(Reason(status: answer.status), words.message ?? "The server refused.")
        error.status = answer.status
        error.code = words.code
        error.faults = words.faults
        error.requestID = body["request_id"]?.string ?? answer.headers.first(name: "x-request-id")
        error.retryAfter = answer.retryAfter(now: Int(Date().timeIntervalSince1970))
        // A server that answers 4xx has done nothing; but a conflict that says when to try again is with a twin, or with another change of
        // the same thing.
        let isConflictOfTheMoment = answer.status == 409 && answer.headers.contains(name: "retry-after")
        return error.of(call, isUncertain: answer.status >= 500 || isConflictOfTheMoment)
    }

    /// The parts of a refusal, which each surface calls otherwise.
    private struct Words {
        var message: String?
        var code: String?
        var faults: [Fault] = []

        init(_ body: JSONValue, of surface: Call.Surface) {
            switch surface {
            case .native:
                message = body["detail"]?.string ?? body["title"]?.string
                code = body["code"]?.string
                faults = Self.faults(body["errors"])
            case .fluxbase:
                message = body["error"]?.string ?? body["message"]?.string
                code = body["code"]?.string
                faults = Self.faults(body["details"])
                if faults.isEmpty, let detail = body["message"]?.string, detail != message {
                    faults = [Fault(place: nil, detail: detail)]
                }
            case .clerk:
                let errors = body["errors"]?.array ?? []
                message = errors.first?["long_message"]?.string ?? errors.first?["message"]?.string
                code = errors.first?["code"]?.string
                faults = errors.map {
                    let detail = $0["long_message"]?.string ?? $0["message"]?.string ?? "not valid"
                    return Fault(place: $0["meta"]?["param_name"]?.string, detail: detail)
                }
            case .boltz:
                message = body["message"]?.string
                code = body["code"]?.string
                faults = (body["details"]?.object?.members ?? [])
                    .map { Fault(place: $0.name, detail: $0.value.string ?? $0.value.text) }
            }
        }

        private static func faults(_ list: JSONValue?) -> [Fault] {
            (list?.array ?? [])
                .map { fault in
                    let place = fault["pointer"] ?? fault["parameter"] ?? fault["header"]
                    let text = place?.string.flatMap { $0.isEmpty ? nil : $0 }
                    return Fault(place: text, detail: fault["detail"]?.string ?? "not valid")
                }
        }
    }
}

extension MortiseError.Reason {
    /// The kind of failure that a status stands for.
    init(status: Int) {
        switch status {
        case 400, 413, 422: self = .invalidRequest
        case 401: self = .unauthenticated
        case 403: self = .forbidden
        case 404: self = .notFound
        case 409: self = .conflict
        case 429: self = .rateLimited
        case 502, 503, 504: self = .unavailable
        default: self = .refused
        }
    }
}
