import JSON
import Locks

/// Keeps the answers of a server, without the member that holds a new token.
package final class Transcript: Sendable {
    private let texts = Locked<[String]>([])

    /// All answers so far with their headers, for a search for secrets.
    package var text: String { texts.withLock { $0.joined(separator: "\n") } }

    package func add(_ answer: Answer) {
        var body = answer.text
        if case .object(var object) = answer.json, object["token"] != nil {
            object["token"] = nil
            body = JSONValue.object(object).text
        }
        let headers = answer.headers.map { "\($0): \($1)" }.joined(separator: "\n")
        texts.withLock { $0.append("\(answer.status)\n\(headers)\n\(body)") }
    }
}
