import LibPQ

/// The requests of one connection that the conversation has not taken over yet.
///
/// Only here can a look-up be joined to an identical one: once written, a look-up can have a result that is older than the caller.
struct Inbox {
    /// The identity of a look-up: two requests with the same identity can share one answer.
    private struct LookUp: Hashable {
        let statement: Int
        let parameters: ParameterBuffer

        /// Creates the identity of a prepared statement.
        ///
        /// Other statements have no number that tells them apart.
        init?(_ request: Request) {
            guard case .query(let statement, let parameters) = request.work, statement.isPrepared else { return nil }
            self.statement = statement.id
            self.parameters = parameters
        }
    }

    private(set) var requests: [Request] = []
    /// The look-ups among `requests`, if there are more than a few.
    private var index: [LookUp: Request] = [:]
    /// True while the reactor enforces the connection's deadlines, as it does from the attempt to connect on.
    private var isWatched = true
    /// The reason for which the connection was closed.
    private(set) var closedBy: PostgresError?

    /// The numbers of accepted and of joined requests.
    private(set) var statistics = PostgresPipeline.Statistics()

    /// The number of callers of the requests.
    private var callerCount = 0

    /// The maximum number of callers, joined ones included.
    static let bound = 4096
    /// The number of requests up to which comparing is cheaper than hashing.
    private static let few = 8

    /// Adds a request, or joins it to an identical one.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - joining: True if the request can be joined to an identical one.
    /// - Returns: The reason to refuse the request, or `nil`.
    mutating func add(_ request: Request, joining: Bool) -> PostgresError? {
        if let closedBy { return closedBy }
        guard callerCount < Self.bound else {
            return PostgresError(.queueFull, "too many statements wait for this connection")
        }
        callerCount += 1
        statistics.lookUps += 1
        if joining, let other = identicalRequest(to: request) {
            other.join(request)
            statistics.joined += 1
            return nil
        }
        requests.append(request)
        if joining, !index.isEmpty, let lookUp = LookUp(request) { index[lookUp] = request }
        return nil
    }

    /// Notes that the reactor enforces deadlines from now on.
    ///
    /// - Returns: False if it does already.
    mutating func beginWatch() -> Bool {
        defer { isWatched = true }
        return !isWatched
    }

    /// Notes that the reactor enforces no deadlines from now on, unless a request waits here.
    ///
    /// - Returns: False if a request waits.
    mutating func endWatch() -> Bool {
        guard requests.isEmpty else { return false }
        isWatched = false
        return true
    }

    /// Returns a request that is identical to this one.
    private mutating func identicalRequest(to request: Request) -> Request? {
        if requests.count <= Self.few { return requests.first { $0.isIdentical(to: request) } }
        guard let lookUp = LookUp(request) else { return nil }
        if index.isEmpty {
            for request in requests {
                if let lookUp = LookUp(request) { index[lookUp] = request }
            }
        }
        return index[lookUp]
    }

    /// Moves the requests to an empty array, whose capacity the inbox takes over.
    mutating func move(to other: inout [Request]) {
        if requests.isEmpty { return }
        swap(&requests, &other)
        callerCount = 0
        if !index.isEmpty { index.removeAll(keepingCapacity: true) }
    }

    /// Returns the requests whose callers are overdue, and removes the requests for which no caller waits any more.
    mutating func removeOverdue(at now: MonotonicInstant) -> [Request] {
        let overdue = requests.flatMap { $0.overdue(at: now) }
        if requests.contains(where: { $0.deadline <= now || $0.isAbandoned }) {
            requests.removeAll { $0.deadline <= now || $0.isAbandoned }
            callerCount = requests.reduce(0) { $0 + $1.callerCount }
            index = [:]
        }
        return overdue
    }

    /// Refuses requests from now on, and returns the ones that were not taken over.
    mutating func close(_ error: PostgresError) -> [Request] {
        closedBy = error
        index = [:]
        defer { requests = [] }
        return requests
    }
}
