import Glibc
import JSON
import Subprocess
import TestSupport

/// A running `mortise` process that a test observes and can kill.
struct RunningProgram: Sendable {
    /// The process id.
    let id: pid_t
    private let streams: String

    /// A device on which each write fails because there is no space.
    static let fullDevice = "/dev/full"

    /// The error of a program that ended before the awaited condition.
    struct Ended: Error, CustomStringConvertible {
        let log: String
        var description: String { "the program ended: \(log)" }
    }

    /// Runs the program while `body` runs, and kills it afterwards unless it has ended.
    ///
    /// The standard streams go to the files `out` and `log` in a folder, so that no slow reader can block the program.
    ///
    /// - Parameters:
    ///   - arguments: The arguments of the program.
    ///   - variables: The environment of the program.
    ///   - folder: The folder of the two files.
    ///   - output: Another file for standard output.
    ///   - errors: Another file for the log, which ``log`` does not have then.
    ///   - openFiles: The hard limit of open files. `nil` keeps the limit of the tests.
    ///   - ignored: The name of a signal that is ignored from the start, such as `HUP` after `nohup`.
    ///   - body: The test.
    /// - Returns: The value of `body`, and the exit code. The code of SIGKILL is 137, as in shells.
    /// - Throws: The error of `body`.
    static func with<Value: Sendable>(
        _ arguments: [String],
        _ variables: [String: String],
        in folder: String,
        output: String? = nil,
        errors: String? = nil,
        openFiles: Int? = nil,
        ignored: String? = nil,
        _ body: (RunningProgram) async throws -> Value
    ) async throws -> (value: Value, code: CInt) {
        let limit = openFiles.map { "ulimit -n \($0); " } ?? ""
        // A program inherits that a signal is ignored (POSIX, `trap` and `exec`).
        let trap = ignored.map { "trap '' \($0); " } ?? ""
        let redirect = limit + trap + #"out=$1; log=$2; shift 2; exec "$@" >"$out" 2>"$log""#
        let streams = [output ?? "\(folder)/out", errors ?? "\(folder)/log"]
        let command = ["-c", redirect, "sh"] + streams + [Program.path] + arguments
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
            // The process is reaped after this closure, so the process id still belongs to it.
            program.kill()
            return value
        }
        return (try result.closureResult.get(), Program.code(result.terminationStatus))
    }

    /// The standard output so far.
    var output: String { TemporaryFolder.text("\(streams)/out") ?? "" }

    /// The log so far.
    var log: String { TemporaryFolder.text("\(streams)/log") ?? "" }

    /// Sends SIGKILL, like a crash.
    func kill() { _ = Glibc.kill(id, SIGKILL) }

    /// Sends SIGTERM, like an operator, or SIGHUP, like a terminal that closes.
    func terminate(_ signal: CInt = SIGTERM) { _ = Glibc.kill(id, signal) }

    /// True if the process has ended.
    ///
    /// The process may not be reaped yet.
    var hasEnded: Bool {
        // In "42 (mortise) Z …", the state is the first field after the name, and the name can contain anything except
        // the last ")".
        let line = TemporaryFolder.text("/proc/\(id)/stat") ?? ""
        return line.split(separator: ")").last.map { $0.hasPrefix(" Z") } ?? true
    }

    /// Waits until the process has ended by itself.
    func waitForEnd() async throws {
        try await eventually("the program ends", within: .seconds(60)) { hasEnded }
    }

    /// Waits until the server accepts connections, and returns its port.
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

    /// True if the server accepts connections.
    var isListening: Bool { listeningPort != nil }

    private var listeningPort: Int? { Self.port(in: log) }

    /// Returns the port at which a server listens, as its log says.
    static func port(in log: String) -> Int? {
        for line in log.split(separator: "\n") where line.contains("\"listening\"") {
            guard let address = try? JSONValue(parsing: Array(line.utf8))["address"]?.string else { continue }
            return address.split(separator: ":").last.flatMap { Int($0) }
        }
        return nil
    }
}
