import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Transport {
    /// The maximum size of a response: a page of 100 keys, each with 16 KiB of metadata, needs about 2 MiB.
    private static let answerLimit = 16 * 1024 * 1024

    /// Makes attempts until one succeeds or the retry policy gives up.
    func attempts(_ call: Call) async -> Result<Answer, MortiseError> {
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
            // A refused credential means that nothing was done. If the credential can be renewed, any call is sent
            // again, once.
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

    /// Returns the token of the credential, other than `rejected`.
    ///
    /// Fails if it cannot be the value of a header.
    private func sendableToken(_ rejected: SecretToken?) async -> Result<SecretToken?, MortiseError> {
        guard let credential else { return .success(nil) }
        do {
            let token = try await credential.token(rejected)
            guard token?.isSendable ?? true else {
                let message = "The credential is not a token. A token is 1 to 8192 visible ASCII characters."
                return .failure(MortiseError(.noCredential, message))
            }
            return .success(token)
        } catch let error as MortiseError {
            return .failure(error)
        } catch {
            let unavailable = MortiseError(.noCredential, "The credential is not available: \(error)")
            return .failure(Task.isCancelled ? .cancelled : unavailable)
        }
    }

    private func attempt(_ call: Call, _ token: SecretToken?) async -> Result<Answer, MortiseError> {
        let request = request(call, token)
        do {
            // The deadline of the call ends the attempt. This one, a second later, is AsyncHTTPClient's own.
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
        // HTTP demands a host, and the path of a socket is none.
        if url.isSocket { request.headers.add(name: "Host", value: "localhost") }
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
}
