import Logging

extension LocalPostgres {
    /// The limits of ``supervise(_:)``.
    public struct Supervision: Sendable {
        /// The time between two looks at the server.
        ///
        /// Defaults to 250 ms.
        public var interval: Duration = .milliseconds(250)

        /// The wait before the second attempt to start a server again, which doubles with each further one.
        ///
        /// Defaults to 500 ms.
        public var firstDelay: Duration = .milliseconds(500)

        /// The longest wait between two attempts.
        ///
        /// Defaults to 10 s.
        public var longestDelay: Duration = .seconds(10)

        /// The attempts in a row that may fail.
        ///
        /// Defaults to 8, which takes about 40 s.
        public var maximumAttempts = 8

        /// Creates limits with the default values.
        public init() {}
    }

    /// Starts the server again whenever it ends without ``stop(mode:)``, as after a crash or a `kill -9`.
    ///
    /// After a SIGTERM, a server takes no new connections and waits for the end of those that it has. They are ended, and the server is
    /// started again.
    ///
    /// Returns when the calling task is cancelled, or when the server was stopped.
    ///
    /// - Parameter limits: The intervals and the number of attempts.
    /// - Throws: ``LocalPostgresError`` of the last attempt, after too many attempts in a row have failed.
    public func supervise(_ limits: Supervision = Supervision()) async throws {
        while await sleeps(limits.interval) {
            guard let state = state else { return }
            switch state {
            case .running: continue
            case .stopping:
                report(.error, "the PostgreSQL server was told to stop and is started again")
                await finishStop()
            case .ended: report(.error, "the PostgreSQL server has ended and is started again")
            }
            try await restart(limits)
        }
    }

    private func restart(_ limits: Supervision) async throws {
        var delay = limits.firstDelay
        for attempt in 1...max(1, limits.maximumAttempts) {
            do {
                return try await start()
            } catch let error as LocalPostgresError {
                report(
                    .error,
                    "the PostgreSQL server could not be started again",
                    [
                        "attempt": "\(attempt) of \(limits.maximumAttempts)", "error": "\(error.message)",
                    ]
                )
                guard attempt < limits.maximumAttempts else { throw error }
            } catch is CancellationError {
                return
            }
            // A stop during the delay ends the supervision.
            guard await sleeps(delay), state != nil else { return }
            delay = min(delay * 2, limits.longestDelay)
        }
    }

    /// Waits, and returns false if the task was cancelled.
    private func sleeps(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }

    /// Returns true if a server runs on a folder at this moment.
    ///
    /// Changes nothing. It may be starting or stopping.
    ///
    /// - Parameter directory: The folder. It does not have to exist.
    /// - Returns: True if a server runs.
    public static func isRunning(in directory: String) -> Bool {
        guard let path = SystemCall.resolve(directory) else { return false }
        let folder = ServerFolder(path: path)
        return PostmasterFile(folder: folder)?.isRunning(in: folder) ?? false
    }
}
