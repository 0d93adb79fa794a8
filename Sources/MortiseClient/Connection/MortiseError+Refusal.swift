import JSON
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension MortiseError {
    /// Returns the error that a response with a failure status describes, in the format of its surface.
    static func refusal(_ answer: Answer, _ body: JSONValue, of call: Call) -> MortiseError {
        let words = Words(body, of: call.surface)
        var error = MortiseError(Reason(status: answer.status), words.message ?? "The server refused the request.")
        error.status = answer.status
        error.code = words.code
        error.faults = words.faults
        error.requestID = body["request_id"]?.string ?? answer.headers.first(name: "x-request-id")
        error.retryAfter = answer.retryAfter(now: Int(Date().timeIntervalSince1970))
        // A response 4xx means that nothing was done. A conflict with Retry-After is an exception: a duplicate request,
        // or another change of the same resource, is still running.
        let isPassingConflict = answer.status == 409 && answer.headers.contains(name: "retry-after")
        return error.of(call, isUncertain: answer.status >= 500 || isPassingConflict)
    }

    /// The message, code and faults of a response, whose names differ between surfaces.
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
