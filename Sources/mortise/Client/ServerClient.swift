import JSON
import MortiseClient

/// Calls one server for a command, and says what went wrong as commands do.
struct CommandClient: Sendable {
    let server: ServerURL
    private let client: MortiseClient.Mortise

    init(_ server: ServerURL, credential: SecretText?, timeout: Duration) {
        var options = ClientOptions()
        options.timeout = timeout
        // A person who waits wants to know now; the answer says when to come back.
        options.maximumRetries = 0
        options.userAgent = "mortise/\(Version.current)"
        let credential = credential.map { MortiseClient.Credential.token(SecretToken($0.reveal())) }
        client = MortiseClient.Mortise(url: server, credential: credential, options: options)
        self.server = server
    }

    /// Makes a call; `nil` is an answer without content.
    ///
    /// - Parameters:
    ///   - call: what is asked.
    ///   - repetitionNote: what else a repetition has to say for its body to be the same.
    /// - Returns: The answer.
    /// - Throws: `CommandFailure`, of kind `refused` if the server says no, `unreachable` if no Mortise answers,
    ///   `interrupted` on Ctrl-C.
    func send(_ call: Call, repetitionNote: String = "") async throws(CommandFailure) -> JSONValue? {
        try await interruptible(call, repetitionNote) { client, call throws(MortiseError) in try await client.send(call)
        }
    }

    /// Makes a call and returns whatever was answered.
    func exchange(_ call: Call) async throws(CommandFailure) -> Answer {
        try await interruptible(call, "") { client, call throws(MortiseError) in try await client.exchange(call) }
    }

    private enum Outcome<Value: Sendable>: Sendable {
        case ended(Result<Value, MortiseError>)
        case interrupted
    }

    private func interruptible<Value: Sendable>(
        _ call: Call,
        _ repetitionNote: String,
        _ body: @escaping @Sendable (MortiseClient.Mortise, Call) async throws(MortiseError) -> Value
    ) async throws(CommandFailure) -> Value {
        let client = client
        let outcome = await withTaskGroup(of: Outcome<Value>.self) { group in
            group.addTask {
                do throws(MortiseError) {
                    return .ended(.success(try await body(client, call)))
                } catch {
                    return .ended(.failure(error))
                }
            }
            group.addTask {
                await Interrupt.wait()
                return .interrupted
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .interrupted
        }
        switch outcome {
        case .ended(.success(let value)): return value
        case .ended(.failure(let error)):
            throw CommandFailure(error)
                .adding(error.mayHaveTakenEffect ? call.uncertainty(repetitionNote) : nil)
        case .interrupted: throw CommandFailure(.interrupted, "Interrupted.").adding(call.uncertainty(repetitionNote))
        }
    }
}

extension Call {
    /// What a person is told when it is not known whether the call took effect.
    func uncertainty(_ repetitionNote: String) -> String? {
        if let idempotencyKey {
            return "It may have been done all the same. Within 24 hours, the same command with "
                + "--idempotency-key \(idempotencyKey)\(repetitionNote) gives the same answer and does nothing twice."
        }
        return isRead ? nil : "It may have been done all the same."
    }
}
