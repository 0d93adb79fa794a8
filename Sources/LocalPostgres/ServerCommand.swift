import Subprocess

/// A program that runs to its end, with a deadline and without the environment variables of this process.
package struct ServerCommand: Sendable {
    /// The end of a program.
    struct Outcome: Sendable {
        /// True if the program ended with exit code 0.
        let succeeded: Bool
        /// The text that the program printed, at most 64 KiB.
        let output: String
    }

    let arguments: [String]

    /// The working folder of the program.
    ///
    /// Arguments are relative paths, because `pg_ctl` passes paths through a shell without quotes.
    let folder: String

    /// Describes a program that runs in a folder.
    ///
    /// Nothing happens before ``check(timeout:)``.
    package init(arguments: [String], folder: String) {
        self.arguments = arguments
        self.folder = folder
    }

    /// Runs the program.
    ///
    /// Cancellation and the end of the time kill it.
    ///
    /// - Throws: ``LocalPostgresError`` (`timedOut`), or `CancellationError`.
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

    /// Runs the program to its end, also if the calling task is cancelled.
    func runShielded(timeout: Duration) async throws -> Outcome {
        try await Task { try await run(timeout: timeout) }.value
    }

    /// Runs the program, and returns the text that it printed.
    ///
    /// - Throws: ``LocalPostgresError`` (`commandFailed`) with that text if the program fails.
    @discardableResult
    package func check(timeout: Duration) async throws -> String {
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
        // A session of its own: Ctrl-C in a terminal must reach this process and not the database.
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
