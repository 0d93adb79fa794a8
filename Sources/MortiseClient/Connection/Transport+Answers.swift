import JSON
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Transport {
    /// Makes a call and returns the JSON of the response, or `nil` for a response without content.
    func send(_ call: Call) async throws(MortiseError) -> JSONValue? {
        let answer = try await exchange(call)
        if (300..<400).contains(answer.status) {
            let place = answer.headers.first(name: "location").map { " to \($0)" } ?? ""
            throw unexpected(answer, call, "\(url.text) redirects\(place). Use the URL of the Mortise server itself.")
        }
        // An accepted request has no content either (RFC 9110 section 15.3.3).
        if answer.status == 204 || answer.status == 202 && answer.body.readableBytes == 0 { return nil }
        guard let body = answer.json else {
            let sentence = "\(url.text) sent a response that is not Mortise's (status \(answer.status)). Check the URL."
            throw unexpected(answer, call, sentence)
        }
        guard (200..<300).contains(answer.status) else { throw .refusal(answer, body, of: call) }
        observer?(body)
        return body
    }

    /// Makes a call and ignores the content of the response.
    func run(_ call: Call) async throws(MortiseError) {
        _ = try await send(call)
    }

    /// Makes a call and reads the value in the response.
    func read<Value: AnswerReadable>(_ call: Call) async throws(MortiseError) -> Value {
        try await read(call) { body throws(AnswerFault) in try Value(AnswerReader(body)) }
    }

    /// Makes a call and reads the response with a closure.
    func read<Value>(
        _ call: Call,
        _ interpret: (JSONValue?) throws(AnswerFault) -> Value
    ) async throws(MortiseError) -> Value {
        let body = try await send(call)
        do {
            return try interpret(body)
        } catch {
            let failure = MortiseError(.unexpectedAnswer, "The response of the server is malformed: \(error.clause).")
            throw failure.of(call, isUncertain: true)
        }
    }

    private func unexpected(_ answer: Answer, _ call: Call, _ message: String) -> MortiseError {
        // A proxy reports an outage or a rate limit in its own format, but with HTTP's status.
        let isOutage = [429, 502, 503, 504].contains(answer.status)
        var failure = MortiseError(isOutage ? .init(status: answer.status) : .unexpectedAnswer, message)
        failure.status = answer.status
        failure.requestID = answer.headers.first(name: "x-request-id")
        failure.retryAfter = answer.retryAfter(now: Int(Date().timeIntervalSince1970))
        return failure.of(call, isUncertain: answer.status >= 500)
    }
}
