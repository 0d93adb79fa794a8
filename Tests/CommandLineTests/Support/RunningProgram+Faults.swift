import JSON
import Subprocess
import TestSupport
import Testing

extension RunningProgram {
    /// Returns the lines of the log with a level.
    func lines(_ level: String) -> [JSONValue] {
        log.split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
            .filter { $0["level"]?.string == level }
    }

    /// Waits until the log has the cause of a fault as an error, and checks that it has none for each request that met the fault.
    ///
    /// A fault that was over and came back, as the loss of a lease on a busy machine, has a further line. Then another line has said that
    /// it was over.
    ///
    /// - Parameters:
    ///   - cause: A part of the line.
    ///   - location: The place of the call.
    /// - Throws: `NeverHappened` if the log does not have the cause.
    func expectCause(_ cause: String, at location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the log has an error with \(cause)") {
            lines("error").contains { $0.text.contains(cause) }
        }
        // Each attempt to start PostgreSQL again that fails has a line of its own.
        let errors = lines("error").filter { $0["attempt"] == nil }
        let texts = errors.map(\.text)
        #expect(!errors.contains { $0["message"] == "request" }, "\(texts)", sourceLocation: location)
        let ends = lines("notice").count { $0["message"]?.string?.contains(" again") == true }
        let places = Dictionary(grouping: errors) {
            "\($0["message"]?.string ?? "") \($0["database"]?.string ?? "")"
        }
        for (_, same) in places {
            #expect(same.count <= 1 + ends, "\(same.map(\.text))", sourceLocation: location)
        }
    }

    /// Changes the number of files that the program can have open, as an operator or another program of the machine could.
    func limitOpenFiles(to count: Int) async throws {
        let result = try await Subprocess.run(
            .name("prlimit"),
            arguments: ["--pid", "\(id)", "--nofile=\(count):"],
            output: .discarded,
            error: .string(limit: 4096)
        )
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
    }
}
