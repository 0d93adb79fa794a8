import Foundation
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

    /// A thread of a program.
    struct ProgramThread: Hashable {
        let id: String
        let name: String
    }

    /// Returns the processor time of each thread of the program (proc(5), `/proc/PID/task/TID/stat`).
    func threadTimes() throws -> [ProgramThread: Duration] {
        var times: [ProgramThread: Duration] = [:]
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task") {
            guard let text = try? String(contentsOfFile: "/proc/\(id)/task/\(thread)/stat", encoding: .utf8),
                let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
            else { continue }
            let fields = text[text.index(after: close)...].split(separator: " ")
            let name = String(text[text.index(after: open)..<close])
            // Fields 14 and 15 in ticks of a hundredth of a second, after the state, which is field 3.
            let ticks = (Int64(fields[11]) ?? 0) + (Int64(fields[12]) ?? 0)
            times[ProgramThread(id: thread, name: name)] = .milliseconds(ticks * 10)
        }
        return times
    }
}
