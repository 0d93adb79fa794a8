import Dispatch
import Locks

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Drives the `HangWatch` of this process.
final class HangWatcher: Sendable {
    static let shared = HangWatcher(patience: .seconds(120))

    /// The test that the current task belongs to.
    @TaskLocal static var test: HangWatch.TestID?

    private struct State {
        var watch: HangWatch
        var tasks: [HangWatch.TestID: Task<Void, any Error>] = [:]
        var time = MachineClock.shared.now
    }

    private let state: Locked<State>
    /// A thread of its own: the pool of Swift's tasks may be what hangs.
    private let queue = DispatchQueue(label: "hang-watcher")

    /// Starts to look after tests.
    ///
    /// - Parameter patience: The machine time that a cancelled test has to end before the process does.
    init(patience: Duration) {
        state = Locked(State(watch: HangWatch(patience: patience)))
        schedule()
    }

    /// Runs a test, and cancels it when it has used up its limit.
    ///
    /// - Returns: The end of the test, and a report if it was cancelled for its limit.
    func run(
        _ name: String,
        limit: Duration,
        _ body: @concurrent @Sendable () async throws -> Void
    ) async -> (result: Result<Void, any Error>, report: String?) {
        let test = state.withLock { $0.watch.begin(name, limit: limit) }
        let result = await withoutActuallyEscaping(body) { body in
            let task = Self.$test.withValue(test) { Task { try await body() } }
            state.withLock { $0.tasks[test] = task }
            return await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                task.cancel()
            }
        }
        let report = state.withLock { state in
            state.tasks[test] = nil
            return state.watch.end(test)
        }
        return (result, report)
    }

    /// Gives the running test another limit.
    func setLimit(_ limit: Duration, of test: HangWatch.TestID) {
        state.withLock { $0.watch.setLimit(limit, of: test) }
    }

    func beginWait(for what: String, isInQueue: Bool, in test: HangWatch.TestID) -> HangWatch.WaitID {
        state.withLock { $0.watch.beginWait(for: what, isInQueue: isInQueue, in: test) }
    }

    func endWait(_ wait: HangWatch.WaitID, in test: HangWatch.TestID) {
        state.withLock { $0.watch.endWait(wait, in: test) }
    }

    private func schedule() { queue.asyncAfter(deadline: .now() + .milliseconds(250)) { [self] in tick() } }

    private func tick() {
        let now = MachineClock.shared.now
        for action in state.withLock({ state in
            let step = state.time.duration(to: now)
            state.time = now
            return state.watch.advance(by: step)
        }) {
            switch action {
            case .cancel(let test): state.withLock { $0.tasks[test] }?.cancel()
            case .exit(let message):
                fflush(nil)
                let line = "\n✘ The tests hang, so this process ends. \(message)\n"
                _ = line.utf8CString.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
                // Runs no exit handlers: they may wait for what hangs.
                _exit(EXIT_FAILURE)
            }
        }
        schedule()
    }
}

/// Runs `body` and says in the report of a hang that the test waited for it.
///
/// - Parameters:
///   - what: The event that `body` waits for, as in "the server listens".
///   - body: The wait.
/// - Returns: The value of `body`.
/// - Throws: The errors of `body`.
public func waiting<T>(for what: String, _ body: () async throws -> T) async rethrows -> T {
    try await waiting(for: what, isInQueue: false, body)
}

/// Runs `body` without counting its time against the test's `hangLimit`.
func waiting<T>(inQueueFor what: String, _ body: () async throws -> T) async rethrows -> T {
    try await waiting(for: what, isInQueue: true, body)
}

private func waiting<T>(for what: String, isInQueue: Bool, _ body: () async throws -> T) async rethrows -> T {
    guard let test = HangWatcher.test else { return try await body() }
    let wait = HangWatcher.shared.beginWait(for: what, isInQueue: isInQueue, in: test)
    defer { HangWatcher.shared.endWait(wait, in: test) }
    return try await body()
}
