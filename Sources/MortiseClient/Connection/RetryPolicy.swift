import NIOHTTP1

/// Whether and when a call is sent again.
struct RetryPolicy: Sendable {
    /// How often a call is sent again at most.
    let maximumRetries: Int

    /// How long to wait before the call is sent again; `nil` if it is not.
    ///
    /// Only what is safe to repeat is repeated: reads, and what carries an idempotency key. Of anything else it would not
    /// be known whether the first attempt took effect, unless nothing was sent at all.
    ///
    /// - Parameters:
    ///   - call: what was sent.
    ///   - outcome: what became of it.
    ///   - retries: how often it has been sent again already.
    ///   - jitter: a random number from 0 to 1, so that clients that failed together do not come back together.
    ///   - now: seconds since 1970, for a `Retry-After` that is a date.
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

    /// Whether the same call may be answered otherwise a little later.
    private func isPassing(_ answer: Answer) -> Bool {
        if answer.headers.first(name: "x-should-retry") == "false" { return false }
        switch answer.status {
        case 408, 429, 502, 503, 504: return true
        // A conflict that says when to come back is with a request that is under way, not with the state of things.
        case 409: return answer.headers.contains(name: "retry-after")
        default: return false
        }
    }

    /// Doubling from a quarter of a second up to 8 s, half of it random.
    private func backoff(_ retries: Int, _ jitter: Double) -> Duration {
        .milliseconds(250 << min(retries, 5)) * (0.5 + min(max(jitter, 0), 1) / 2)
    }
}

extension ConnectionFault {
    /// Whether a new connection may fare better.
    fileprivate var isPassing: Bool {
        switch self {
        case .unknownHost, .refused, .connectTimeout, .handshakeTimeout, .closed, .broken: true
        case .tooLarge, .protocolFailed: false
        }
    }
}
