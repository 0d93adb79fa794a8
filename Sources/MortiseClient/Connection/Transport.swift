import AsyncHTTPClient
import FoundationEssentials
import JSON
import NIOCore
import NIOHTTP1

/// Sends calls to one server.
struct Transport: Sendable {
    let url: ServerURL
    let credential: Credential?
    let options: ClientOptions
    let http: HTTPClient
    /// The workspace that the dialects of Fluxbase and Clerk work in; `nil` is the organization's default.
    var workspace: String?
    /// Waits between two attempts.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// Receives the body of each successful answer.
    var observer: (@Sendable (JSONValue) -> Void)?

    /// A hundred keys with 16 KiB of metadata each, and room to spare.
    private static let answerLimit = 16 * 1024 * 1024

    /// The connections of all clients that were not given an HTTP client of their own; unused ones close after a minute.
    static let sharedHTTPClient: HTTPClient = {
        // A redirection is not followed: it could carry the credential to another server.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .http1Only
        // Trying again until the timeout would turn "nothing listens there" into ten seconds of silence.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Makes a call and returns whatever was answered, after all attempts that it may take.
    func exchange(_ call: Call) async throws(MortiseError) -> Answer {
        try check(call)
        let outcome = await withTaskGroup(of: Result<Answer, MortiseError>.self) { group in
            group.addTask { await attempts(call) }
            group.addTask {
                try? await Task.sleep(for: options.timeout)
                return .failure((Task.isCancelled ? .cancelled : timedOut).of(call, isUncertain: true))
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .failure(.cancelled)
        }
        return try outcome.get()
    }

    /// Refuses what no header can carry, before anything is sent.
    private func check(_ call: Call) throws(MortiseError) {
        let values = [
            ("idempotency key", call.idempotencyKey), ("workspace", call.surface == .fluxbase ? workspace : nil),
            ("user agent", options.userAgent),
        ]
        for case (let name, let value?) in values
        where value.isEmpty || !value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            throw MortiseError(.invalidRequest, "The \(name) must be visible ASCII.")
        }
    }

    private func attempts(_ call: Call) async -> Result<Answer, MortiseError> {
        let policy = RetryPolicy(maximumRetries: options.maximumRetries)
        var waited = Duration.zero
        var retries = 0
        var rejected: SecretToken?
        while true {
            let token: SecretToken?
            switch await sendableToken(rejected) {
            case .success(let found): token = found
            case .failure(let error): return .failure(error)
            }
            let outcome = await attempt(call, token)
            // Nothing was done, so even what is not safe to repeat is sent again, once, if the credential can be renewed.
            if rejected == nil, let token, case .success(let answer) = outcome, answer.status == 401 {
                guard case .success(.some) = await sendableToken(token) else { return outcome }
                rejected = token
                continue
            }
            let now = Int(Date().timeIntervalSince1970)
            let jitter = Double.random(in: 0...1)
            let delay = policy.delay(call, after: outcome, retries: retries, jitter: jitter, now: now)
            guard let delay, waited + delay < options.timeout else { return outcome }
            do {
                try await pause(delay)
            } catch {
                return .failure(.cancelled.of(call, isUncertain: true))
            }
            waited += delay
            retries += 1
        }
    }

    private func sendableToken(_ rejected: SecretToken?) async -> Result<SecretToken?, MortiseError> {
        guard let credential else { return .success(nil) }
        do {
            let token = try await credential.token(rejected)
            guard token?.isSendable ?? true else {
                return .failure(MortiseError(.noCredential, "The credential is not a token: a token is visible ASCII."))
            }
            return .success(token)
        } catch let error as MortiseError {
            return .failure(error)
        } catch {
            return .failure(Task.isCancelled ? .cancelled : MortiseError(.noCredential, "No credential: \(error)"))
        }
    }

    private func attempt(_ call: Call, _ token: SecretToken?) async -> Result<Answer, MortiseError> {
        let request = request(call, token)
        do {
            let limit = TimeAmount.nanoseconds(Int64(options.timeout / .nanoseconds(1))) + .seconds(1)
            let response = try await http.execute(request, timeout: limit)
            let body = try await response.body.collect(upTo: Transport.answerLimit)
            return .success(Answer(status: Int(response.status.code), headers: response.headers, body: body))
        } catch {
            if error is CancellationError || (error as? HTTPClientError) == .cancelled {
                return .failure(.cancelled.of(call, isUncertain: true))
            }
            if (error as? HTTPClientError) == .deadlineExceeded {
                return .failure(timedOut.of(call, isUncertain: true))
            }
            let fault = ConnectionFault(error)
            var failure = MortiseError(.unreachable, "\(url.text) \(fault.predicate)")
            failure.connectionFault = fault
            return .failure(failure.of(call, isUncertain: !fault.isBeforeSending))
        }
    }

    private func request(_ call: Call, _ token: SecretToken?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.appending(call.path, query: call.query))
        request.method = call.method
        request.headers.add(name: "User-Agent", value: options.userAgent)
        request.headers.add(name: "Accept", value: "application/json")
        if let token {
            switch call.surface {
            case .native, .fluxbase, .clerk:
                request.headers.add(name: "Authorization", value: "Bearer \(token.reveal())")
            case .boltz: request.headers.add(name: "X-API-Key", value: token.reveal())
            }
        }
        if call.surface == .fluxbase, let workspace { request.headers.add(name: "X-FB-Tenant", value: workspace) }
        if let key = call.idempotencyKey { request.headers.add(name: "Idempotency-Key", value: key) }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.text))
        }
        return request
    }

    private var timedOut: MortiseError {
        let (seconds, attoseconds) = options.timeout.components
        let limit = attoseconds == 0 ? "\(seconds) s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
        return MortiseError(.timedOut, "\(url.text) did not answer within \(limit).")
    }
}

extension MortiseError {
    /// The task was cancelled.
    static var cancelled: MortiseError { MortiseError(.cancelled, "The call was cancelled.") }
}
