/// Stops the server of a folder.
struct ServerStop: Sendable {
    let folder: ServerFolder
    let installation: PostgresInstallation
    let account: ServerAccount
    let timeout: Duration

    /// Returns the command that stops the server and waits for its end.
    ///
    /// The command fails if no server runs.
    func arguments(_ mode: LocalPostgres.StopMode) -> [String] { account.command(command(mode)) }

    /// Returns the command that stops the server, if the process with the number in its file is the server.
    ///
    /// `pg_ctl` signals whatever has that number. Only a process that works in the data folder is the server. Its own account may see where it
    /// works. Root may not without CAP_SYS_PTRACE, which containers lack by default (proc(5), ptrace(2)).
    func carefulArguments(_ mode: LocalPostgres.StopMode) -> [String] {
        let script = #"read -r server < data/postmaster.pid && test "/proc/$server/cwd" -ef data && exec "$@""#
        return account.command(["sh", "-c", script, "sh"] + command(mode))
    }

    private func command(_ mode: LocalPostgres.StopMode) -> [String] {
        let seconds = max(1, self.timeout(of: mode).components.seconds)
        return [installation.program("pg_ctl"), "stop", "-D", "data", "-m", mode.rawValue, "-w", "-t", "\(seconds)"]
    }

    /// The maximum time of a stop in the mode `immediate`, which writes nothing.
    private static let immediateTimeout = Duration.seconds(10)

    /// Returns the time in which the server has to end.
    private func timeout(of mode: LocalPostgres.StopMode) -> Duration {
        mode == .fast ? timeout : min(timeout, Self.immediateTimeout)
    }

    /// Stops the server.
    ///
    /// If it does not stop in time, stops it in the mode `immediate`.
    ///
    /// - Parameters:
    ///   - mode: The mode of the first attempt.
    ///   - onDelay: Called before the second attempt.
    /// - Returns: True if no server is left.
    /// - Throws: The errors of starting `pg_ctl`.
    func run(_ mode: LocalPostgres.StopMode, onDelay: () -> Void = {}) async throws -> Bool {
        for attempt in mode == .fast ? [.fast, .immediate] : [LocalPostgres.StopMode.immediate] {
            guard isRunning else { return true }
            if attempt != mode { onDelay() }
            _ = try await ServerCommand(arguments: arguments(attempt), folder: folder.path)
                .run(timeout: timeout(of: attempt) + .seconds(5))
        }
        return !isRunning
    }

    private var isRunning: Bool { PostmasterFile(folder: folder)?.isRunning(in: folder) ?? false }
}
