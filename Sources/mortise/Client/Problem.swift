import JSON
import NIOHTTP1

/// An answer of the kind `application/problem+json` (RFC 9457) in words.
enum Problem {
    /// The detail as the sentence, what identifies it in brackets, and a line for each fault of the body.
    static func failure(_ answer: APIAnswer, _ body: JSONValue) -> CommandFailure {
        let sentence = body["detail"]?.string ?? body["title"]?.string ?? "The server refused."
        var marks = ["\(answer.status)"]
        if let code = body["code"]?.string { marks.append(code) }
        if let id = body["request_id"]?.string ?? answer.headers.first(name: "x-request-id") {
            marks.append("request \(id)")
        }
        var details = (body["errors"]?.array ?? []).map(line)
        if let seconds = answer.headers.first(name: "retry-after") { details.append("Try again in \(seconds) s.") }
        if answer.status == 401 {
            details.append(
                "The credential comes from --token-file or \(Credential.variable): is it the right one, and still valid?"
            )
        }
        return CommandFailure(.refused, "\(sentence) (\(marks.joined(separator: ", ")))", details: details)
    }

    private static func line(_ fault: JSONValue) -> String {
        let detail = fault["detail"]?.string ?? "not valid"
        guard let place = fault["pointer"]?.string ?? fault["parameter"]?.string ?? fault["header"]?.string,
            !place.isEmpty
        else { return detail }
        return "\(place): \(detail)"
    }
}
