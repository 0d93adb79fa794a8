import NIOCore

/// The time that a request may still wait, in its authentication and its handler together.
///
/// The time in which the body arrives does not count: it is the client's, and has a deadline of its own.
struct WaitBudget {
    private var remaining: Duration?
    private let settings: EndpointSettings

    /// Creates the budget of a request to an endpoint.
    init<Principal>(_ endpoint: Endpoint<Principal>, _ settings: EndpointSettings) {
        remaining =
            switch endpoint.waits {
            case .usual: endpoint.deadline == nil ? nil : settings.waits
            case .long: settings.longWaits
            case .only(let limit): limit
            }
        self.settings = settings
    }

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
        remaining = max(.zero, limit - .nanoseconds((NIODeadline.now() - start).nanoseconds))
        guard let value else { throw Problem.internalError }
        return value
    }
}
