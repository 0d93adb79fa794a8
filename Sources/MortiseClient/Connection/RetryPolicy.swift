import NIOHTTP1

/// Decides whether and when a call is sent again.
struct RetryPolicy: Sendable {
    /// The maximum number of retries of a call.
    let maximumRetries: Int

    /// Returns the time to wait before the call is sent again, or `nil` if it is not.
    ///
    /// Reads, and calls with an idempotency key, can be repeated. Any other call can be repeated only if nothing was
    /// sent, because otherwise the first attempt may have taken effect.
    ///
    /// - Parameters:
    ///   - call: The call that was sent.
    ///   - outcome: The outcome of the last attempt.
    ///   - retries: The number of retries so far.
    ///   - jitter: A random number from 0 to 1, which spreads clients that failed together.
    ///   - now: Seconds since 1970, for a `Retry-After` with a date.
    /// - Returns: The delay, or `nil`.
    func delay(
        _ call: Call,
        after outcome: Result<Answer, MortiseError>,
        retries: Int,
        jitter: Double,
        now: Int
    ) -> Duration? {
        guard retries < maximumRetries else { return nil }
        switch outcome {
        case .success(let answer):
            guard call.isSafeToRepeat, isPassing(answer) else { return nil }
            return answer.retryAfter(now: now) ?? backoff(retries, jitter)
        case .failure(let error):
            guard let fault = error.connectionFault else { return nil }
            guard fault.isBeforeSending || (call.isSafeToRepeat && fault.isPassing) else { return nil }
            return backoff(retries, jitter)
        }
    }

    /// True if the same request can get another response a little later.
    private func isPassing(_ answer: Answer) -> Bool {
        if answer.headers.first(name: "x-should-retry") == "false" { return false }
        switch answer.status {
        case 408, 429, 502, 503, 504: return true
        // A conflict with Retry-After is with a request that is running, not with the state of a resource.
        case 409: return answer.headers.contains(name: "retry-after")
        default: return false
        }
    }

    /// Returns a delay that doubles from 0.25 to 8 seconds, less up to half at random.
    private func backoff(_ retries: Int, _ jitter: Double) -> Duration {
        .milliseconds(250 << min(retries, 5)) * (0.5 + min(max(jitter, 0), 1) / 2)
    }
}

extension ConnectionFault {
    /// True if a new connection can succeed.
    fileprivate var isPassing: Bool {
        switch self {
        case .unknownHost, .refused, .connectTimeout, .handshakeTimeout, .closed, .broken: true
        case .untrustedCertificate, .otherName, .notEncrypted, .tooLarge, .protocolFailed: false
        }
    }
}
