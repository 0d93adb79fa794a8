public import Logging

/// A PostgreSQL server that runs from installed programs while at least one process uses it.
///
/// The server listens on a Unix socket only. Several processes can use one folder: the first creates the data and starts the
/// server, and the others join it. The server stops with its last user, also if that one was killed. For a process of root,
/// the server runs as the user `postgres`, or `nobody`.
///
/// ```swift
/// let server = LocalPostgres(installation: try .find(), directory: "data/postgres", options: .durable, logger: logger)
/// try await server.start()
/// // … connect to try await server.connectionString …
/// await server.stop()
/// ```
public actor LocalPostgres {
    /// The role that owns all databases of the server: a superuser without a password.
    public static let superuser = "postgres"

    /// The port in the name of the socket.
    ///
    /// The server does not listen on TCP.
    static let port = 5432

    /// The folder of the data, the log and the socket.
    ///
    /// It must not have other files.
    public nonisolated let directory: String

    package let installation: PostgresInstallation
    package let options: Options
    private let removesFolder: Bool
    package let logger: Logger

    private var session: Session?
    /// The last start or stop.
    ///
    /// The next one begins when it has ended.
    private var lastOperation: Task<Void, Never>?

    /// The resources of a server in use.
    private struct Session {
        let folder: ServerFolder
        let account: ServerAccount
        /// The lock of the users, held shared.
        ///
        /// Closing it ends the use of the server.
        let users: FileLock
        let socketFolder: String
        let logKeeper: Task<Void, Never>
    }

    /// Describes a server.
    ///
    /// Nothing happens before ``start()``.
    ///
    /// - Parameters:
    ///   - installation: The programs to run.
    ///   - directory: The folder of the data, the log and the socket. It is created if it does not exist, and must not have
    ///     other files.
    ///   - options: The options of the server.
    ///   - logger: Receives a line for each start and stop.
    public init(installation: PostgresInstallation, directory: String, options: Options = .durable, logger: Logger) {
        self.init(
            installation: installation,
            directory: directory,
            options: options,
            removesFolder: false,
            logger: logger
        )
    }

    init(
        installation: PostgresInstallation,
        directory: String,
        options: Options,
        removesFolder: Bool,
        logger: Logger
    ) {
        self.installation = installation
        self.directory = directory
        self.options = options
        self.removesFolder = removesFolder
        self.logger = logger
    }

    deinit {
        // The lock ends with the session. The watcher then stops the server.
        session?.logKeeper.cancel()
    }

    /// The connection string of the superuser, in libpq's keyword form.
    ///
    /// A `dbname=` that is appended to it wins.
    ///
    /// - Throws: ``LocalPostgresError`` (`notRunning`) before a start and after a stop.
    public var connectionString: String {
        get throws { try connectionString(database: "postgres") }
    }

    /// Returns the connection string of the superuser for one database, in libpq's keyword form.
    ///
    /// - Parameter database: The name of the database.
    /// - Returns: A connection string that is valid until the server is stopped.
    /// - Throws: ``LocalPostgresError`` (`notRunning`) before a start and after a stop.
    public func connectionString(database: String) throws -> String {
        guard let session else {
            throw LocalPostgresError(.notRunning, "the PostgreSQL server in \(directory) has not been started")
        }
        let host = Self.quote(session.socketFolder)
        return "host=\(host) port=\(Self.port) user=\(Self.superuser) dbname=\(Self.quote(database))"
    }

    /// Creates the data if there are none, and starts the server or joins the one that runs.
    ///
    /// Does nothing while the server runs. Restarts it after a crash. Cancellation ends the wait and leaves no process.
    ///
    /// - Throws: ``LocalPostgresError``, or `CancellationError`.
    public func start() async throws {
        let task = enqueue { try await self.performStart() }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Ends the use of the server, and stops it unless another process uses it.
    ///
    /// Returns when the server has stopped. Cancellation of the calling task has no effect.
    ///
    /// - Parameter mode: The way in which the server ends its connections.
    public func stop(mode: StopMode = .fast) async {
        let task = enqueue { await self.performStop(mode) }
        _ = await task.result
    }

    /// Kills the server's main process with SIGKILL, as a crash would.
    ///
    /// Its other processes end by themselves.
    ///
    /// For tests of code that depends on the server. ``start()`` restarts it.
    ///
    /// - Throws: ``LocalPostgresError`` (`notRunning`, `commandFailed`).
    public func kill9() async throws {
        guard let session, let running = PostmasterFile(folder: session.folder), running.isRunning(in: session.folder)
        else {
            throw LocalPostgresError(.notRunning, "no PostgreSQL server runs in \(directory)")
        }
        let command = session.account.command(["sh", "-c", "kill -9 \(running.processID)"])
        try await ServerCommand(arguments: command, folder: session.folder.path).check(timeout: .seconds(10))
        let deadline = Deadline(after: .seconds(10))
        while running.isRunning(in: session.folder) {
            try await deadline.pause("for the killed server to end")
        }
    }
}

extension LocalPostgres {
    /// The state of a server that was started.
    enum State {
        case running
        /// Another program told the server to stop.
        case stopping
        case ended
    }

    /// The state of the server, and `nil` before a start and after a stop.
    var state: State? {
        guard let session else { return nil }
        guard let file = PostmasterFile(folder: session.folder), file.isRunning(in: session.folder) else {
            return .ended
        }
        return file.status == .stopping ? .stopping : .running
    }

    /// Ends the connections of a server that was told to stop, and waits for its end.
    func finishStop() async {
        let task = enqueue { try await self.performFinishedStop() }
        do {
            try await task.value
        } catch {
            report(.warning, "the PostgreSQL server could not be stopped", ["error": "\(error)"])
        }
    }

    /// Logs a line about the server.
    func report(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]) {
        logger.log(level: level, message, metadata: metadata.merging(["folder": "\(directory)"]) { $1 })
    }
}

// MARK: - Starts and stops, one at a time

extension LocalPostgres {
    private func enqueue(_ operation: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
        let previous = lastOperation
        let task = Task {
            await previous?.value
            try await operation()
        }
        lastOperation = Task { _ = await task.result }
        return task
    }

    private func performStart() async throws {
        try Task.checkCancellation()
        var deadline = Deadline(after: options.startTimeout)
        let account = try ServerAccount.forThisProcess()
        let folder = try await ServerFolder.prepare(directory, account: account, fallback: options.fallbackFolder)
        let startLock = try FileLock(path: folder.startLock)
        while try !startLock.tryLock(.exclusive) {
            // Another process waits for the end of a recovery, which has no deadline.
            if let server = PostmasterFile(folder: folder), server.isRunning(in: folder), server.status == .starting {
                deadline = Deadline(after: max(deadline.remaining, ServerStart.timeAfterRecovery))
            }
            try await deadline.pause("for other users of \(folder.startLock)")
        }
        defer { startLock.unlock() }
        // A stop holds the lock of the users exclusively, so this waits for its end.
        let users = try session?.users ?? FileLock(path: folder.usersLock)
        if session == nil { try await users.lock(.shared, until: deadline) }
        let cluster = Cluster(folder: folder, installation: installation, account: account)
        try await cluster.ensure(durable: options.isDurable, deadline: deadline)
        // The watcher starts before the server, so the server never runs without one.
        let watcher = Watcher(folder: folder, stopping: stopping(folder, account), removesFolder: removesFolder)
        try await watcher.launch(timeout: deadline.remaining)
        let server = ServerStart(
            folder: folder,
            installation: installation,
            account: account,
            options: options,
            logger: logger
        )
        let socketFolder = try await server.run(deadline: deadline)
        session?.logKeeper.cancel()
        session = Session(
            folder: folder,
            account: account,
            users: users,
            socketFolder: socketFolder,
            logKeeper: ServerLog(path: folder.log).keepBounded()
        )
    }

    private func performFinishedStop() async throws {
        guard let session, state == .stopping else { return }
        _ = try await stopping(session.folder, session.account).run(.fast)
    }

    private func performStop(_ mode: StopMode) async {
        guard let session else { return }
        self.session = nil
        session.logKeeper.cancel()
        // The release also keeps the lock alive until here: Swift may end an object after its last use. From here on, the
        // watcher stops the server.
        defer { session.users.unlock() }
        do {
            guard try await becomeLastUser(session) else {
                logger.info(
                    "the PostgreSQL server still has other users",
                    metadata: ["folder": "\(session.folder.path)"]
                )
                return
            }
            let folder: Logger.Metadata = ["folder": "\(session.folder.path)"]
            let isStopped = try await stopping(session.folder, session.account)
                .run(mode) {
                    logger.warning(
                        "the PostgreSQL server did not stop in time, and is stopped without a checkpoint",
                        metadata: folder
                    )
                }
            guard isStopped else {
                logger.error("the PostgreSQL server did not stop: end its process by hand", metadata: folder)
                return
            }
            SocketFolder(folder: session.folder, account: session.account).removeRecorded()
            if removesFolder { try session.folder.remove() }
            logger.info("the PostgreSQL server stopped", metadata: ["folder": "\(session.folder.path)"])
        } catch {
            logger.warning("the PostgreSQL server could not be stopped", metadata: ["error": "\(error)"])
        }
    }

    /// Changes the shared lock of the users into an exclusive one.
    ///
    /// - Returns: False if other processes use the server.
    private func becomeLastUser(_ session: Session) async throws -> Bool {
        let deadline = Deadline(after: options.stopTimeout)
        while try !session.users.tryLock(.exclusive) {
            // A shared lock is possible beside other users. It is not beside the watcher, which is then stopping the server.
            guard try !session.users.tryLock(.shared) else { return false }
            try await deadline.pause("for the watcher to stop the server")
        }
        return true
    }

    private func stopping(_ folder: ServerFolder, _ account: ServerAccount) -> ServerStop {
        ServerStop(folder: folder, installation: installation, account: account, timeout: options.stopTimeout)
    }

    private static func quote(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
