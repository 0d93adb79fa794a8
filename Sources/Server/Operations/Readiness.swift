import Endpoints

/// Whether the service can do its work, asked at most once a second however many ask.
///
/// The check runs in a task of its own, so that a caller who goes away does not take the answer from the others; its
/// deadline ends it.
package actor Readiness {
    /// What keeps the service from its work, by sentences that are shown to whoever asks; empty if nothing does.
    package typealias Check = @Sendable () async throws -> [String]

    private let check: Check
    private let deadline: Duration
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Duration
    private var running: Task<[String], Never>?
    private var last: (reasons: [String], at: Duration)?

    /// Makes the guard of a check.
    ///
    /// The check may take 2 seconds unless another deadline is given, and has to heed cancellation. It must not put
    /// secrets into its sentences; what it throws is not shown.
    package init<C: Clock<Duration>>(
        deadline: Duration = .seconds(2),
        clock: C = ContinuousClock(),
        check: @escaping Check
    ) {
        self.check = check
        self.deadline = deadline
        self.clock = clock
        let start = clock.now
        now = { start.duration(to: clock.now) }
    }

    /// The answer of the check that runs, of the last one if it is younger than a second, or of a new one.
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
