import NIOCore

/// The time that a request may still wait, in its authentication and its handler together.
///
/// The time in which the body arrives does not count: it is the client's, and has a deadline of its own.
struct WaitBudget {
    private let limit: Duration?
    private var isStop: Bool
    private var spent = Duration.zero
    private let settings: EndpointSettings

    /// Creates the budget of a request to an endpoint.
    init<Principal>(_ endpoint: Endpoint<Principal>, _ settings: EndpointSettings) {
        limit =
            switch endpoint.waits {
            case .usual: endpoint.deadline == nil ? nil : settings.waits
            case .long: settings.longWaits
            case .only(let limit): limit
            }
        // The authentication comes before the rest of the request, which can say that it stops keys.
        isStop = endpoint.isStop != nil
        self.settings = settings
    }

    /// The rest of the budget, or `nil` if the waits have no limit.
    private var remaining: Duration? {
        let whole = isStop ? min(limit ?? settings.stopWaits, settings.stopWaits) : limit
        return whole.map { max(.zero, $0 - spent) }
    }

    /// Decides which limit a request has that has been read: the one of a stop, or the one of the operation.
    mutating func decide(isStop: Bool) { self.isStop = isStop }

    /// Runs a part of the request within the rest of the budget.
    ///
    /// - Parameter body: The part.
    /// - Returns: The value that `body` returned.
    /// - Throws: The error of `body`, such as that of a wait for which no time was left.
    mutating func spend<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard let limit = remaining else { return try await body() }
        var value: Value?
        let start = NIODeadline.now()
        try await settings.limitWaits(limit) { value = try await body() }
        spent += .nanoseconds((NIODeadline.now() - start).nanoseconds)
        guard let value else { throw Problem.internalError }
        return value
    }
}
