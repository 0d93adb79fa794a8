import JSON
import Locks
import MortiseClient

/// Sends the requests of one command to one server.
struct ServerClient: Sendable {
    private let client: Mortise
    /// True if the credential is an operator key, by its prefix.
    let isOperator: Bool
    /// The origin of the credential, for the message that it is refused.
    let source: String
    private let authorities: String?

    /// The URL of the server.
    var url: ServerURL { client.url }

    /// Creates a client of a server.
    ///
    /// - Parameters:
    ///   - server: The URL of the server.
    ///   - credential: The credential of all requests.
    ///   - timeout: The maximum duration of a request.
    ///   - authorities: A file with the certificates to trust instead of the system's. `nil` trusts the system's.
    /// - Throws: `CommandFailure` of kind `usage` if the file of certificates cannot be used.
    init(
        _ server: ServerURL,
        credential: CommandCredential?,
        timeout: Duration,
        authorities: String? = nil
    ) throws(CommandFailure) {
        var options = ClientOptions()
        options.timeout = timeout
        // A person who waits prefers the error at once. It says when to try again.
        options.maximumRetries = 0
        options.userAgent = "mortise/\(Version.current)"
        isOperator = credential?.isOperator ?? false
        source = credential?.source ?? ""
        self.authorities = authorities
        client = Mortise(
            url: server,
            credential: credential?.credential,
            options: options,
            http: try authorities.map(CertificateAuthorities.client)
        )
    }

    /// Sends a request.
    ///
    /// Ctrl-C, SIGTERM and a terminal that closes cancel it.
    ///
    /// - Parameters:
    ///   - request: The call to make.
    ///   - kind: The kind of the work.
    /// - Returns: The answer.
    /// - Throws: `CommandFailure` of kind `refused` if the server refuses, `unreachable` if no Mortise answers, and
    ///   `interrupted` after a signal. Its details say whether the server may have completed the request.
    func answer<Value>(
        to request: Request<Value>,
        _ kind: InterruptState.Work = .request
    ) async throws(CommandFailure) -> ServerAnswer<Value> {
        let record = AnswerRecord()
        let client = client.observingAnswers { record.set($0) }
        let result = await Interrupt.cancelling(kind) { await Self.send(request, client) }
        switch result {
        case .success(let value): return ServerAnswer(value: value, json: record.json)
        case .failure(let error):
            let failure = CommandFailure(error, credential: source, authorities: authorities)
            guard error.mayHaveTakenEffect else { throw failure }
            throw failure.addingRepetition(of: request, idempotencyKey: error.idempotencyKey)
        }
    }

    /// Sends a request within work that watches signals itself.
    ///
    /// - Parameter request: The call to make.
    /// - Returns: The value.
    /// - Throws: `CommandFailure` of the kinds of ``answer(to:_:)``.
    func value<Value>(of request: Request<Value>) async throws(CommandFailure) -> Value {
        switch await Self.send(request, client) {
        case .success(let value): return value
        case .failure(let error): throw CommandFailure(error, credential: source, authorities: authorities)
        }
    }

    private static func send<Value>(_ request: Request<Value>, _ client: Mortise) async -> Result<Value, MortiseError> {
        do throws(MortiseError) {
            return .success(try await request.send(client))
        } catch {
            return .failure(error)
        }
    }
}

/// The body of the last answer.
private final class AnswerRecord: Sendable {
    private let last = Locked(JSONValue.object(JSONObject()))

    var json: JSONValue { last.withLock(\.self) }

    func set(_ json: JSONValue) { last.withLock { $0 = json } }
}

extension CommandFailure {
    /// Returns the failure with a line that says that the server may have completed the request, and how to find out.
    ///
    /// - Parameters:
    ///   - request: The request whose answer is lost.
    ///   - idempotencyKey: The key that the request carried. `nil` if it carried none.
    /// - Returns: The failure with the line.
    func addingRepetition(of request: Request<some Sendable>, idempotencyKey: String?) -> CommandFailure {
        guard let idempotencyKey else { return adding("The server may have completed the request.") }
        return adding(
            """
            The server may have completed the request. To get its answer, repeat the command within 24 hours with \
            --idempotency-key \(idempotencyKey)\(request.changedOptions). The request is not done twice.
            """
        )
    }
}
