/// Finds tests that hang.
///
/// It is a value: the driver passes the time in and carries out the actions that come back.
struct HangWatch {
    /// The number of a test case of this process.
    typealias TestID = Int
    /// The number of a wait of a test case.
    typealias WaitID = Int

    /// A thing that the driver must do.
    enum Action: Equatable {
        /// Cancel the test, which has used up its limit.
        case cancel(TestID)
        /// End the process with a message: a test ignores its cancellation, or all tests wait for each other.
        case exit(String)
    }

    /// A wait of a test.
    private struct Wait {
        let what: String
        let isInQueue: Bool
        /// The time that the test had used when the wait began.
        let start: Duration
    }

    private enum Phase {
        case running
        /// Cancelled when it had used `at`, with the report of what it then did.
        case cancelled(at: Duration, report: String)
    }

    private struct Test {
        let name: String
        var limit: Duration
        var used = Duration.zero
        var waits: [WaitID: Wait] = [:]
        var phase = Phase.running

        var isInQueue: Bool { waits.values.contains(where: \.isInQueue) }

        /// The waits, the longest first.
        var report: String {
            let all = waits.sorted { $0.key < $1.key }
                .map { _, wait in
                    wait.isInQueue ? "\(wait.what) in a queue" : "\"\(wait.what)\" (for \(seconds(used - wait.start)))"
                }
            return all.isEmpty ? "nothing that the test support knows of" : all.joined(separator: " and ")
        }
    }

    /// The machine time that a cancelled test has to end, and that all tests together may stand in queues.
    let patience: Duration

    private var tests: [TestID: Test] = [:]
    private var numbers = 0
    private var standstill = Duration.zero

    /// Creates a watch over no tests.
    init(patience: Duration) { self.patience = patience }

    /// Begins to watch a test.
    mutating func begin(_ name: String, limit: Duration) -> TestID {
        numbers += 1
        tests[numbers] = Test(name: name, limit: limit)
        return numbers
    }

    /// Sets another limit for a test.
    mutating func setLimit(_ limit: Duration, of test: TestID) { tests[test]?.limit = limit }

    /// Notes that a test waits.
    ///
    /// The time in a queue does not count against its limit.
    mutating func beginWait(for what: String, isInQueue: Bool, in test: TestID) -> WaitID {
        numbers += 1
        let start = tests[test]?.used ?? .zero
        tests[test]?.waits[numbers] = Wait(what: what, isInQueue: isInQueue, start: start)
        return numbers
    }

    /// Notes that a test has stopped waiting.
    mutating func endWait(_ wait: WaitID, in test: TestID) { tests[test]?.waits[wait] = nil }

    /// Ends the watch over a test.
    ///
    /// - Returns: The report, if the test was cancelled for its limit.
    mutating func end(_ test: TestID) -> String? {
        guard case .cancelled(_, let report) = tests.removeValue(forKey: test)?.phase else { return nil }
        return report
    }

    /// Counts machine time for every test that is not in a queue.
    ///
    /// - Returns: The actions that the driver must take now.
    mutating func advance(by step: Duration) -> [Action] {
        var actions: [Action] = []
        for id in tests.keys.sorted() {
            guard var test = tests[id], !test.isInQueue else { continue }
            test.used += step
            switch test.phase {
            case .running where test.used > test.limit:
                let report = "used up its \(seconds(test.limit)) of machine time, waiting for \(test.report)"
                test.phase = .cancelled(at: test.used, report: report)
                actions.append(.cancel(id))
            case .cancelled(let time, let report) where test.used > time + patience:
                actions.append(
                    .exit(
                        """
                        \(test.name) \(report). It was cancelled and did not end within \(seconds(patience)) more, \
                        waiting for \(test.report).
                        """
                    )
                )
            default: break
            }
            tests[id] = test
        }
        standstill = tests.values.contains { !$0.isInQueue } || tests.isEmpty ? .zero : standstill + step
        if standstill > patience {
            let queues = tests.sorted { $0.key < $1.key }.map { "\($0.value.name) waits for \($0.value.report)." }
            actions.append(.exit("All tests wait for each other: \(queues.joined(separator: " "))"))
        }
        return actions
    }
}

private func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
