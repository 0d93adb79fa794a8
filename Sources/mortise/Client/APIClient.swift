import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1

/// Calls one Mortise.
struct APIClient: Sendable {
    let url: ServerURL
    let credential: SecretText?
    /// How long one call may take, from connecting to the last byte of the answer.
    let timeout: Duration
    let http: HTTPClient

    /// A hundred keys with 16 KiB of metadata each, and room to spare.
    private static let answerLimit = 16 * 1024 * 1024

    /// Makes a call; `nil` is an answer without content.
    ///
    /// - Throws: `CommandFailure`, of kind `refused` if the server says no, `unreachable` if no Mortise answers,
    ///   `interrupted` on Ctrl-C.
    func send(_ request: APIRequest) async throws -> JSONValue? {
        let answer = try await exchange(request)
        if (300..<400).contains(answer.status) {
            let place = answer.headers.first(name: "location").map { " to \($0)" } ?? ""
            throw unreachable("answers with a redirection\(place).", details: ["Name the server itself with --url."])
        }
        if answer.status == 204 { return nil }
        guard let body = answer.json else {
            throw unreachable(
                "answered with status \(answer.status), but not as a Mortise does.",
                details: ["Is --url right? Is a proxy in between that cannot reach Mortise?"]
            )
            .adding(answer.status >= 500 ? request.uncertainty : nil)
        }
        guard (200..<300).contains(answer.status) else { throw Problem.failure(answer, body) }
        return body
    }

    /// Makes a call and returns whatever was answered.
    func exchange(_ request: APIRequest) async throws(CommandFailure) -> APIAnswer {
        var call = HTTPClientRequest(url: url.appending(request.path, query: request.query))
        call.method = request.method
        call.headers.add(name: "User-Agent", value: "mortise/\(Version.current)")
        call.headers.add(name: "Accept", value: "application/json")
        if let credential { call.headers.add(name: "Authorization", value: "Bearer \(credential.reveal())") }
        if let key = request.idempotencyKey { call.headers.add(name: "Idempotency-Key", value: key) }
        if let body = request.body {
            call.headers.add(name: "Content-Type", value: "application/json")
            call.body = .bytes(ByteBuffer(string: body.text))
        }
        let outcome = await race(call)
        switch outcome {
        case .answered(.success(let answer)):
            return answer
        case .answered(.failure(let error)):
            let trouble = ConnectionTrouble(error)
            throw unreachable(trouble.predicate, details: trouble.advice)
                .adding(trouble.isBeforeSending ? nil : request.uncertainty)
        case .timedOut:
            throw unreachable(
                "did not answer within \(timeout.components.seconds) s.",
                details: ["Give it longer with --timeout SECONDS, or ask `mortise doctor --url` what is wrong."]
            )
            .adding(request.uncertainty)
        case .interrupted:
            throw CommandFailure(.interrupted, "Interrupted.").adding(request.uncertainty)
        }
    }

    private enum Outcome: Sendable {
        case answered(Result<APIAnswer, any Error>)
        case timedOut
        case interrupted
    }

    private func race(_ call: HTTPClientRequest) async -> Outcome {
        let (http, timeout) = (http, timeout)
        return await withTaskGroup(of: Outcome.self) { group in
            group.addTask {
                do {
                    let response = try await http.execute(call, timeout: .seconds(timeout.components.seconds + 1))
                    let body = try await response.body.collect(upTo: APIClient.answerLimit)
                    let status = Int(response.status.code)
                    return .answered(.success(APIAnswer(status: status, headers: response.headers, body: body)))
                } catch {
                    return .answered(.failure(error))
                }
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return .timedOut
            }
            group.addTask {
                await Interrupt.wait()
                return .interrupted
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .interrupted
        }
    }

    private func unreachable(_ predicate: String, details: [String]) -> CommandFailure {
        CommandFailure(.unreachable, "\(url.text) \(predicate)", details: details)
    }
}
