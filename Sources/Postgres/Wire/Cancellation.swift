/// The state of the cancellation that a connection has asked the server for.
///
/// At most one is under way.
enum Cancellation {
    /// No cancellation is under way.
    case none
    /// The request travels to the server, on a connection of its own.
    case traveling(Request)
    /// The server passed the request on at this instant. The statement has not answered yet.
    case delivered(Request, at: MonotonicInstant)

    /// The maximum time in which a statement obeys a delivered cancellation.
    static let patience = Duration.milliseconds(250)

    var isTraveling: Bool {
        if case .traveling = self { true } else { false }
    }

    var isUnderWay: Bool {
        if case .none = self { false } else { true }
    }

    /// Notes that the request has returned.
    ///
    /// - Parameters:
    ///   - now: The current instant.
    ///   - first: The first unanswered statement. Another one than the target means that the target has its answer.
    mutating func returned(at now: MonotonicInstant, first: Request?) {
        guard case .traveling(let target) = self else { return }
        self = target === first ? .delivered(target, at: now) : .none
    }

    /// Notes that a request got its final answer.
    ///
    /// A cancellation that still travels is kept: it can hit another statement.
    mutating func targetAnswered(_ request: Request) {
        if case .delivered(let target, _) = self, target === request { self = .none }
    }

    /// Ends a cancellation that was delivered long ago without effect.
    mutating func drop(at now: MonotonicInstant) {
        if case .delivered(_, let instant) = self, now >= instant + Self.patience { self = .none }
    }
}
