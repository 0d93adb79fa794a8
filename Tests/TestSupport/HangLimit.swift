public import Testing

/// A trait that ends tests which hang, and runs only a few test cases at once.
///
/// Swift Testing starts all tests together, and its `timeLimit` then also counts the time in which a test waits for others. This limit
/// begins when a test case has one of the process's few slots, counts machine time (`MachineClock`), and does not count the time in the
/// queue of a `Semaphore`. A test that uses it up is cancelled and fails with a report of what it waited for. The process ends if the test
/// ignores the cancellation.
///
/// ```swift
/// @Suite(.hangLimit) struct PoolTests { … }
/// ```
///
/// The limit of a test or of an inner suite replaces that of the suite around it.
public struct HangLimit: SuiteTrait, TestTrait, TestScoping {
    /// The test cases that run at once.
    ///
    /// Most spend a good part of their time waiting for a server on the same processors.
    private static let slots = Semaphore(slots: max(3, Int(2 * MachineLoad.processors)), for: "a test slot")

    let limit: Duration

    /// True: each test case of a suite has the limit.
    public var isRecursive: Bool { true }

    /// Runs a test case under the limit.
    ///
    /// - Throws: The error of the test before its limit has passed.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if let watched = HangWatcher.test {
            HangWatcher.shared.setLimit(limit, of: watched)
            return try await function()
        }
        try await Self.slots.withSlot {
            let (result, report) = await HangWatcher.shared.run("\(test.name)", limit: limit, function)
            guard let report else { return try result.get() }
            let slowness = (MachineLoad.slowness * 10).rounded() / 10
            var text = "The test \(report). (A second of machine time is \(slowness) s here and now.)"
            if case .failure(let error) = result, !(error is CancellationError) { text += " It ended with: \(error)" }
            Issue.record("\(text)", sourceLocation: test.sourceLocation)
        }
    }
}

extension Trait where Self == HangLimit {
    /// The limit for a test that needs nothing unusual: two minutes of machine time.
    public static var hangLimit: Self { hangLimit(.seconds(120)) }

    /// A limit in machine time for a test that takes long by design.
    public static func hangLimit(_ limit: Duration) -> Self { HangLimit(limit: limit) }
}
