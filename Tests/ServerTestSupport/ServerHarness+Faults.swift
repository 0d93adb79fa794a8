import Logging
import TestSupport
package import Testing

extension ServerHarness {
    /// Waits until the log has the cause of a fault as an error, and checks that it has none for each request that met the fault.
    ///
    /// A fault that was over and came back, as the loss of a lease on a busy machine, has a further line. Then another line has said that
    /// it was over.
    ///
    /// - Parameters:
    ///   - cause: A part of the line.
    ///   - location: The place of the call.
    /// - Throws: `NeverHappened` if the log does not have the cause.
    package func expectCause(_ cause: String, at location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the log has an error with \(cause)") {
            log.lines.contains { $0.level == .error && $0.text.contains(cause) }
        }
        let lines = log.lines
        let errors = lines.filter { $0.level == .error }
        let texts = errors.map(\.text)
        #expect(!errors.contains { $0.message == "request" }, "\(texts)", sourceLocation: location)
        let ends = lines.count { $0.level == .notice && $0.message.contains(" again") }
        let places = Dictionary(grouping: errors) { "\($0.message) \($0.metadata["database"] ?? "")" }
        for (_, same) in places {
            #expect(same.count <= 1 + ends, "\(same.map(\.text))", sourceLocation: location)
        }
    }
}
