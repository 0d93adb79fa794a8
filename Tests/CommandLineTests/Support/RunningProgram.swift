import Glibc
import JSON
import Subprocess
import TestSupport

/// A `mortise` that runs while a test looks at it, and that the test may kill at any moment.
struct RunningProgram: Sendable {
    /// The number of its process.
    let id: pid_t
    private let streams: String

    /// Where to write so that each write fails for want of space.
    static let fullDevice = "/dev/full"

    /// The program ended before it did what was waited for.
    struct Ended: Error, CustomStringConvertible {
        let log: String
        var description: String { "the program ended: \(log)" }
    }

    /// Runs the program while `body` runs; whatever is left of it then is killed.
    ///
    /// Its standard streams go to the files `out` and `log` in a folder, so that no reader can hold it up; `output` names another place.
    ///
    /// - Returns: what `body` returns, and the exit code: 137 for SIGKILL, as in shells.
    static func with<Value: Sendable>(
        _ arguments: [String],
        _ variables: [String: String],
        in folder: String,
        output: String? = nil,
        _ body: (RunningProgram) async throws -> Value
    ) async throws -> (value: Value, code: CInt) {
        let redirect = #"out=$1; log=$2; shift 2; exec "$@" >"$out" 2>"$log""#
        let command = ["-c", redirect, "sh", output ?? "\(folder)/out", "\(folder)/log", Program.path] + arguments
        for name in ["out", "log"] { TemporaryFolder.write("", to: "\(folder)/\(name)") }
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(command),
            environment: Program.variables(nil, variables),
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution in
            let program = RunningProgram(id: execution.processIdentifier.value, streams: folder)
            let value: Result<Value, any Error>
            do {
                value = .success(try await body(program))
            } catch {
                value = .failure(error)
            }
            // It is not reaped before this closure has ended, so the number is still its own.
            program.kill()
            return value
        }
        return (try result.closureResult.get(), Program.code(result.terminationStatus))
    }

    /// What it has printed so far.
    var output: String { TemporaryFolder.text("\(streams)/out") ?? "" }

    /// What it has logged so far.
    var log: String { TemporaryFolder.text("\(streams)/log") ?? "" }

    /// Ends it as a crash would.
    func kill() { _ = Glibc.kill(id, SIGKILL) }

    /// Asks it to stop, as an operator would.
    func terminate() { _ = Glibc.kill(id, SIGTERM) }

    /// Whether it has ended, though it is not reaped yet.
    var hasEnded: Bool {
        // "42 (mortise) Z …": the state is the first field behind the name, which may hold anything but the last ")".
        let line = TemporaryFolder.text("/proc/\(id)/stat") ?? ""
        return line.split(separator: ")").last.map { $0.hasPrefix(" Z") } ?? true
    }

    /// Waits until it has ended by itself.
    func waitForEnd() async throws {
        try await eventually("the program ends", within: .seconds(60)) { hasEnded }
    }

    /// Waits until the server accepts connections.
    ///
    /// - Returns: its port.
    func port() async throws -> Int {
        var found: Int?
        try await eventually("the server listens", within: .seconds(60)) {
            found = listeningPort
            if found == nil, hasEnded { throw Ended(log: log) }
            return found != nil
        }
        guard let found else { throw Ended(log: log) }
        return found
    }

    /// Whether the server accepts connections.
    var isListening: Bool { listeningPort != nil }

    private var listeningPort: Int? {
        for line in log.split(separator: "\n") where line.contains("\"listening\"") {
            guard let address = try? JSONValue(parsing: Array(line.utf8))["address"]?.string else { continue }
            return address.split(separator: ":").last.flatMap { Int($0) }
        }
        return nil
    }
}
