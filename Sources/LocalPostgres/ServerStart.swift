import Glibc
import Logging

/// Starts the server of a folder, or joins the one that runs.
struct ServerStart: Sendable {
    let folder: ServerFolder
    let installation: PostgresInstallation
    let account: ServerAccount
    let options: LocalPostgres.Options
    let logger: Logger

    /// Starts the server and waits until it accepts connections.
    ///
    /// The caller holds the start lock.
    ///
    /// - Returns: The folder of the server's socket.
    func run(deadline: Deadline) async throws -> String {
        if let socketFolder = try await waitUntilReady(deadline) {
            logger.info("the PostgreSQL server runs already and is used", metadata: ["folder": "\(folder.path)"])
            return socketFolder
        }
        try await waitForOtherServer(deadline)
        try removeStaleFile()
        let prepared = try SocketFolder(folder: folder, account: account).prepare()
        try writeSettings(ServerSettings(options: options, socketFolder: prepared).text())
        let log = ServerLog(path: folder.log)
        log.bound()
        let began = log.size
        while true {
            let attempt = log.size
            if try await startOnce(deadline) || isAlive { break }
            guard isHeldByDyingProcesses(log.text(from: attempt)) else { throw failure(log.text(from: began)) }
            try await deadline.pause("for the processes of a killed server to end")
        }
        guard let socketFolder = try await waitUntilReady(deadline) else { throw failure(log.text(from: began)) }
        logger.info("the PostgreSQL server started", metadata: ["folder": "\(folder.path)"])
        return socketFolder
    }

    /// Runs `pg_ctl start` once.
    ///
    /// The command holds the lock of the users itself and is not cancelled. The watcher therefore cannot miss a server that starts just
    /// after this process died. The command waits 10 s at most, and not for the end of a recovery. The server inherits the descriptor of
    /// its own lock, and not that of the users' lock (`--close`).
    ///
    /// - Returns: True if the command succeeded.
    private func startOnce(_ deadline: Deadline) async throws -> Bool {
        let seconds = min(max(1, deadline.remaining.components.seconds), 10)
        let start = [
            installation.program("pg_ctl"), "start", "-D", "data", "-l", "postgres.log", "-w", "-t", "\(seconds)",
            "-o", ServerSettings.arguments,
        ]
        let outcome = try await ServerCommand(
            arguments: ["flock", "--shared", "--close", folder.usersLock, "flock", "--nonblock", folder.serverLock]
                + account.command(start),
            folder: folder.path
        )
        .runShielded(timeout: .seconds(seconds + 5))
        return outcome.succeeded
    }

    /// Waits until no process of another server on the folder is left.
    ///
    /// In another container, such a server has a process id that means nothing here, and its shared memory cannot be seen. A second
    /// server would destroy its data.
    private func waitForOtherServer(_ deadline: Deadline) async throws {
        while try FileLock.isHeld(path: folder.serverLock) {
            try await deadline.pause(
                "for another PostgreSQL server to leave \(folder.path); if it runs in another container, stop it there"
            )
        }
    }

    /// Returns true if a start failed because processes of a killed server still use the shared memory.
    ///
    /// They notice the death of their parent one by one.
    private func isHeldByDyingProcesses(_ log: String) -> Bool {
        log.contains("pre-existing shared memory block") || log.contains("lock file \"postmaster.pid\" already exists")
    }

    private func failure(_ log: String) -> LocalPostgresError {
        let reasons = log.split(separator: "\n").filter { $0.contains("FATAL:") || $0.contains("PANIC:") }.suffix(3)
        let reason = reasons.isEmpty ? "" : ": " + reasons.joined(separator: "; ")
        return LocalPostgresError(.commandFailed, "PostgreSQL did not start\(reason) (the log is \(folder.log))")
    }

    /// Removes a `postmaster.pid` whose number belongs to another program.
    ///
    /// PostgreSQL itself replaces a file whose number is free.
    private func removeStaleFile() throws {
        guard let stale = PostmasterFile(folder: folder), kill(stale.processID, 0) == 0 else { return }
        let path = PostmasterFile.path(folder)
        guard unlink(path) == 0 || errno == ENOENT else { throw LocalPostgresError.systemCall("remove \(path)", errno) }
    }

    private func writeSettings(_ text: String) throws {
        // The server's account can read the file and cannot change it.
        let descriptor = open(folder.settings, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw LocalPostgresError.systemCall("write \(folder.settings)", errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard fchmod(descriptor, 0o644) == 0, write(descriptor, bytes, bytes.count) == bytes.count else {
            throw LocalPostgresError.systemCall("write \(folder.settings)", errno)
        }
    }

    /// True if the server runs, perhaps without accepting connections yet.
    private var isAlive: Bool {
        guard let running = PostmasterFile(folder: folder), running.isRunning(in: folder) else { return false }
        return running.status != .stopping
    }

    /// The time between two lines of the log about a recovery.
    private static let recoveryReports = Duration.seconds(10)
    /// The least time for a server to answer after its recovery.
    static let timeAfterRecovery = Duration.seconds(10)

    /// Waits until a running server accepts connections.
    ///
    /// A recovery after a crash has no deadline, while the server lives: if the server is stopped, the next start begins the recovery
    /// again.
    ///
    /// - Returns: The folder of the server's socket. `nil` if no server runs, or if the server ended.
    private func waitUntilReady(_ deadline: Deadline) async throws -> String? {
        var deadline = deadline
        let began = ContinuousClock.now
        var report = began + Self.recoveryReports
        while let running = PostmasterFile(folder: folder), running.isRunning(in: folder) {
            if running.status == .ready, SocketFolder.answers(running.socketFolder) { return running.socketFolder }
            if running.status == .starting {
                deadline = Deadline(after: max(deadline.remaining, Self.timeAfterRecovery))
                if ContinuousClock.now >= report {
                    logger.notice(
                        "the PostgreSQL server recovers from a crash, and does not accept connections yet",
                        metadata: [
                            "folder": "\(folder.path)",
                            "seconds": "\((ContinuousClock.now - began).components.seconds)",
                        ]
                    )
                    report = .now + Self.recoveryReports
                }
            }
            try await deadline.pause("for the PostgreSQL server in \(folder.path) to answer")
        }
        return nil
    }
}
