import Testing

@testable import TestSupport

/// The end of tests that hang.
@Suite(.hangLimit) struct HangLimitTests {
    /// Lets the limit of the watched test pass now.
    private static func pass() {
        if let test = HangWatcher.test { HangWatcher.shared.setLimit(.zero, of: test) }
    }

    @Test func `a test that hangs is cancelled, and its report names the wait`() async throws {
        let (result, report) = await HangWatcher.shared.run("hangs()", limit: .ample) {
            try await waiting(for: "an event that never comes") {
                Self.pass()
                for await _ in AsyncStream<Never>.makeStream().stream {}
                try Task.checkCancellation()
            }
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(report?.contains("waiting for \"an event that never comes\"") == true, "\(report ?? "")")
    }

    @Test func `eventually is such a wait`() async throws {
        let (result, report) = await HangWatcher.shared.run("hangs()", limit: .ample) {
            try await eventually("the moon falls", within: .ample) {
                Self.pass()
                return false
            }
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(report?.contains("waiting for \"the moon falls\"") == true, "\(report ?? "")")
    }

    @Test func `a test that works has no report, and its errors are its own`() async throws {
        let works = await HangWatcher.shared.run("works()", limit: .seconds(60)) {}
        #expect(throws: Never.self) { try works.result.get() }
        #expect(works.report == nil)
        let fails = await HangWatcher.shared.run("fails()", limit: .seconds(60)) { throw NeverHappened(what: "this") }
        #expect(throws: NeverHappened.self) { try fails.result.get() }
        #expect(fails.report == nil)
    }

    @Test func `a test that ignores its cancellation ends the process, which says why`() async {
        let end = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = await HangWatcher(patience: .zero)
                .run("never ends()", limit: .zero) {
                    while true { await Task.yield() }
                }
        }
        let text = String(decoding: end?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("✘ The tests hang, so this process ends. never ends() used up its 0 s of machine time"))
    }

    @Test func `a sleep in machine time lasts no shorter, and ends with its task`() async throws {
        let clock = MachineClock.shared
        let start = clock.now
        try await Task.sleep(for: .milliseconds(100), clock: clock)
        #expect(start.duration(to: clock.now) >= .milliseconds(100))
        let task = Task { try await Task.sleep(for: .ample, clock: clock) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func `a condition that never holds is an error with its name`() async {
        let error = await #expect(throws: NeverHappened.self) {
            try await eventually("the moon falls", within: .zero) { false }
        }
        #expect(error?.description == "did not happen in time: the moon falls")
    }

    /// A test case that all of a suite's traits surround.
    @Suite(.hangLimit(.seconds(60))) struct Nested {
        // Without that, each test case would need two slots, and the suite would wait for itself.
        @Test(.hangLimit(.seconds(90)), arguments: 0..<100)
        func `nested limits share one slot`(number: Int) async { #expect(HangWatcher.test != nil) }
    }
}
