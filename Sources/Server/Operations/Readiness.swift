import Endpoints

/// The readiness of the service, checked at most once a second for any number of callers.
///
/// The check runs in its own task, so that the cancellation of a caller does not cancel the check for others. A deadline
/// ends the check.
package actor Readiness {
    /// Returns the reasons why the service is not ready, as sentences for operators.
    ///
    /// Returns no reasons if it is ready.
    package typealias Check = @Sendable () async throws -> [String]

    /// Returns what a service that is ready cannot do at the moment, as sentences for operators.
    private let limits: @Sendable () -> [String]

    private let check: Check
    private let deadline: Duration
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Duration
    private var running: Task<[String], Never>?
    private var last: (reasons: [String], at: Duration)?

    /// Creates the readiness of a check.
    ///
    /// - Parameters:
    ///   - deadline: The maximum time of a check. Defaults to 2 seconds.
    ///   - clock: The clock that measures the deadline and the age of an answer.
    ///   - check: The check. It must react to cancellation, and its sentences must hold no secrets. Its errors are not shown.
    ///   - limits: Returns what a service that is ready cannot do at the moment. Defaults to nothing.
    package init<C: Clock<Duration>>(
        deadline: Duration = .seconds(2),
        clock: C = ContinuousClock(),
        check: @escaping Check,
        limits: @escaping @Sendable () -> [String] = { [] }
    ) {
        self.check = check
        self.limits = limits
        self.deadline = deadline
        self.clock = clock
        let start = clock.now
        now = { start.duration(to: clock.now) }
    }

    /// Returns the text of `/readyz`, and true if the service is ready.
    ///
    /// The text has a line for each reason, or `ready` and a line for each limit.
    package func report() async -> (text: String, isReady: Bool) {
        let reasons = await reasons()
        let lines = reasons.isEmpty ? ["ready"] + limits() : reasons
        return (lines.map { "\($0)\n" }.joined(), reasons.isEmpty)
    }

    /// Returns the reasons why the service is not ready.
    ///
    /// The reasons come from the last check if it is younger than a second, from a running check, or from a new check.
    package func reasons() async -> [String] {
        if let last, now() - last.at < .seconds(1) { return last.reasons }
        if let running { return await running.value }
        let task = Task { [check, deadline, clock] in
            do {
                return try await withDeadline(deadline, clock: clock, check)
            } catch let problem as Problem where problem.kind == .deadlineExceeded {
                return ["the check did not end in time"]
            } catch {
                return ["the check failed"]
            }
        }
        running = task
        let reasons = await task.value
        running = nil
        last = (reasons, now())
        return reasons
    }
}
