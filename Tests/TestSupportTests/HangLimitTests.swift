import Testing

@testable import TestSupport

/// What becomes of a test that hangs.
@Suite(.hangLimit) struct HangLimitTests {
    @Test func `a test that hangs is cancelled, and its report names the wait`() async throws {
        let (result, report) = await HangWatcher.shared.run("hangs()", limit: .milliseconds(1)) {
            try await waiting(for: "an event that never comes") {
                for await _ in AsyncStream<Never>.makeStream().stream {}
                try Task.checkCancellation()
            }
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(report?.contains("waiting for \"an event that never comes\"") == true)
    }

    @Test func `eventually is such a wait`() async throws {
        let (result, report) = await HangWatcher.shared.run("hangs()", limit: .milliseconds(1)) {
            try await eventually("the moon falls", within: .seconds(600)) { false }
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(report?.contains("waiting for \"the moon falls\"") == true)
    }

    @Test func `a test that works has no report, and its errors are its own`() async throws {
        let works = await HangWatcher.shared.run("works()", limit: .seconds(60)) {}
        #expect(throws: Never.self) { try works.result.get() }
        #expect(works.report == nil)
        let fails = await HangWatcher.shared.run("fails()", limit: .seconds(60)) { throw NeverHappened(what: "this") }
        #expect(throws: NeverHappened.self) { try fails.result.get() }
        #expect(fails.report == nil)
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
