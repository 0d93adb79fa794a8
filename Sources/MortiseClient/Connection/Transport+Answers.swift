import FoundationEssentials
import JSON
import NIOHTTP1

extension Transport {
    /// Makes a call; `nil` is an answer without content.
    func send(_ call: Call) async throws(MortiseError) -> JSONValue? {
        let answer = try await exchange(call)
        if (300..<400).contains(answer.status) {
            let place = answer.headers.first(name: "location").map { " to \($0)" } ?? ""
            throw unexpected(answer, call, "\(url.text) answers with a redirection\(place).")
        }
        if answer.status == 204 { return nil }
        guard let body = answer.json else {
            throw unexpected(
                answer,
                call,
                "\(url.text) answered with status \(answer.status), but not as a Mortise does."
            )
        }
        guard (200..<300).contains(answer.status) else { throw .refusal(answer, body, of: call) }
        observer?(body)
        return body
    }

    /// Makes a call whose answer says nothing more than that it was done.
    func run(_ call: Call) async throws(MortiseError) {
        _ = try await send(call)
    }

    /// Makes a call and reads its answer.
    func read<Value: AnswerReadable>(_ call: Call) async throws(MortiseError) -> Value {
        try await read(call) { body throws(AnswerFault) in try Value(AnswerReader(body)) }
    }

    /// Makes a call and reads its answer in a way of its own.
    func read<Value>(
        _ call: Call,
        _ interpret: (JSONValue?) throws(AnswerFault) -> Value
    ) async throws(MortiseError) -> Value {
        let body = try await send(call)
        do {
            return try interpret(body)
        } catch {
            let failure = MortiseError(.unexpectedAnswer, "The server's answer is not as expected: \(error.sentence).")
            throw failure.of(call, isUncertain: true)
        }
    }

    private func unexpected(_ answer: Answer, _ call: Call, _ message: String) -> MortiseError {
        // What stands before a server answers in its own words, but in HTTP's terms, that the server is away or has enough.
        let isOutage = [429, 502, 503, 504].contains(answer.status)
        var failure = MortiseError(isOutage ? .init(status: answer.status) : .unexpectedAnswer, message)
        failure.status = answer.status
        failure.requestID = answer.headers.first(name: "x-request-id")
        failure.retryAfter = answer.retryAfter(now: Int(Date().timeIntervalSince1970))
        return failure.of(call, isUncertain: answer.status >= 500)
    }
}
