import Subprocess

/// A program run to its end, with a deadline and an environment that holds none of this process's variables.
struct ServerCommand: Sendable {
    /// How a program ended.
    struct Outcome: Sendable {
        let succeeded: Bool
        /// What it printed, at most 64 KiB.
        let output: String
    }

    let arguments: [String]

    /// The folder to run in.
    ///
    /// Programs are given relative paths, because `pg_ctl` passes paths through a shell unquoted.
    let folder: String

    /// Runs the program; cancellation and the end of the time kill it.
    func run(timeout: Duration) async throws -> Outcome {
        try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask { try await execute() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else {
                throw LocalPostgresError(.timedOut, "\(name) did not end within \(timeout)")
            }
            return outcome
        }
    }

    /// Runs the program to its end even when the calling task is cancelled.
    func runShielded(timeout: Duration) async throws -> Outcome {
        try await Task { try await run(timeout: timeout) }.value
    }

    /// Runs the program and throws what it printed if it fails.
    @discardableResult
    func check(timeout: Duration) async throws -> String {
        let outcome = try await run(timeout: timeout)
        guard outcome.succeeded else { throw LocalPostgresError(.commandFailed, "\(name) failed: \(outcome.output)") }
        return outcome.output
    }

    /// The program's name, for messages.
    private var name: String {
        let program = arguments.first { $0.hasPrefix("/") } ?? arguments.first ?? "the program"
        return program.split(separator: "/").last.map(String.init) ?? program
    }

    private func execute() async throws -> Outcome {
        var platform = PlatformOptions()
        // Its own session: Ctrl-C in a terminal must reach this program, not the database beneath it.
        platform.createSession = true
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(["-c", #"cd -- "$0" && exec "$@""#, folder] + arguments),
            environment: .custom([
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                "HOME": "/",
            ]),
            platformOptions: platform,
            output: .string(limit: 65_536),
            error: .combinedWithOutput
        )
        return Outcome(
            succeeded: result.terminationStatus.isSuccess,
            output: result.standardOutput
        )
    }
}
