import FoundationEssentials
public import Logging
public import Postgres

/// Examines what is behind a connection string, with sessions of its own and without changes.
public struct ConnectionExamination: Sendable {
    private let configuration: PostgresConfiguration
    private let reactor: Reactor
    private let logger: Logger

    /// The maximum wait for a notification, and for an answer to a session that a pooler keeps waiting.
    private static let patience = Duration.seconds(5)

    private static let process = Statement("SELECT pg_backend_pid()", prepared: false)
    private static let lock = Statement("SELECT pg_try_advisory_lock($1)", prepared: false)
    private static let unlock = Statement("SELECT pg_advisory_unlock($1)", prepared: false)
    private static let identity = Statement(
        """
        SELECT pg_is_in_recovery(), s.system_identifier, pg_postmaster_start_time()::text FROM pg_control_system() s
        """,
        prepared: false
    )

    /// Creates an examination.
    ///
    /// - Parameters:
    ///   - configuration: The connection string, as a role that can connect.
    ///   - reactor: The thread of the connections.
    ///   - logger: The logger.
    public init(_ configuration: PostgresConfiguration, reactor: Reactor, logger: Logger) {
        // A pooler that refuses settings and prepared statements is to be examined, too.
        var configuration = ControlDatabase.durable(configuration)
        configuration.settings = [:]
        configuration.usesPreparedStatements = false
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
    }

    // MARK: Sessions

    /// Checks whether a session is one process of the server for its whole life, as advisory locks and LISTEN need it.
    ///
    /// - Returns: The faults.
    /// - Throws: The errors of the connections.
    public func sessions() async throws -> [ConnectionFault] {
        try await withSession { first in
            try await withSession { second in
                var faults: [ConnectionFault] = []
                if try await !excludes(first, second) { faults.append(.sharedSessions) }
                if try await !hears(first, second) { faults.append(.noNotifications) }
                return faults
            }
        }
    }

    private func excludes(_ first: PostgresConnection, _ second: PostgresConnection) async throws -> Bool {
        let key = Int64.random(in: 0...Int64.max)
        let before = try await first.query(Self.process)[0].decode(0, as: Int32.self)
        guard try await first.query(Self.lock, [key])[0].decode(0, as: Bool.self) else { return false }
        guard try await !second.query(Self.lock, [key])[0].decode(0, as: Bool.self) else { return false }
        // While the second session keeps a process of the server, the first one must still reach its own.
        let isSeparate = try await second.transaction { second in
            let other = try await second.query(Self.process)[0].decode(0, as: Int32.self)
            do throws(PostgresError) {
                let rows = try await first.query(Self.process, deadline: Self.patience)
                return try rows[0].decode(0, as: Int32.self) == before && other != before
            } catch {
                guard error.code == .deadlineExceeded else { throw error }
                return false
            }
        }
        guard isSeparate else { return false }
        return try await first.query(Self.unlock, [key])[0].decode(0, as: Bool.self)
    }

    private func hears(_ first: PostgresConnection, _ second: PostgresConnection) async throws -> Bool {
        let channel = "mortise_\(UUID().uuidString.lowercased())"
        try await first.listen(channel)
        let listener = Task {
            for await notification in first.notifications where notification.channel == channel { return true }
            return false
        }
        try await second.script("NOTIFY \(PostgresConnection.quote(identifier: channel))")
        let timer = Task {
            try await Task.sleep(for: Self.patience)
            // The stream of notifications ends with the connection.
            await first.close()
        }
        defer { timer.cancel() }
        return await listener.value
    }

    // MARK: Hosts

    /// The state of one host of the connection string.
    private struct Host: Sendable {
        let name: String
        let isStandby: Bool
        let system: Int64
        let startedAt: String
    }

    /// Checks whether the hosts of the connection string are one primary and its standbys.
    ///
    /// With one host, it returns no fault.
    ///
    /// - Returns: The faults, and the hosts that cannot be reached.
    public func hosts() async -> (faults: [ConnectionFault], unreachable: [String]) {
        let single = configuration.singleHosts
        guard single.count > 1 else { return ([], []) }
        var found: [Host] = []
        var unreachable: [String] = []
        await withTaskGroup(of: (Int, Host?).self) { group in
            for (index, host) in single.enumerated() { group.addTask { (index, await state(of: host)) } }
            var states: [Host?] = Array(repeating: nil, count: single.count)
            for await (index, state) in group { states[index] = state }
            for (host, state) in zip(single, states) {
                if let state { found.append(state) } else { unreachable.append(Self.name(of: host)) }
            }
        }
        var faults: [ConnectionFault] = []
        let primaries = found.filter { !$0.isStandby }
        // Two names of one server are no fault.
        if Set(primaries.map { "\($0.system) \($0.startedAt)" }).count > 1 {
            faults.append(.severalPrimaries(primaries.map(\.name)))
        } else if Set(found.map(\.system)).count > 1 {
            faults.append(.foreignStandbys(found.map(\.name)))
        }
        return (faults, unreachable)
    }

    private func state(of host: PostgresConfiguration) async -> Host? {
        var configuration = host
        configuration.connectDeadline = min(host.connectDeadline, Self.patience)
        let examination = ConnectionExamination(exactly: configuration, self)
        return try? await examination.withSession { session in
            let (isStandby, system, startedAt) = try await session.query(Self.identity)[0]
                .decode((Bool, Int64, String).self)
            return Host(name: Self.name(of: host), isStandby: isStandby, system: system, startedAt: startedAt)
        }
    }

    private init(exactly configuration: PostgresConfiguration, _ other: ConnectionExamination) {
        self.configuration = configuration
        reactor = other.reactor
        logger = other.logger
    }

    private static func name(of host: PostgresConfiguration) -> String {
        let name = host.parameters["host"] ?? host.parameters["hostaddr"] ?? "local socket"
        return "\(name):\(host.parameters["port"] ?? "5432")"
    }

    private func withSession<Value: Sendable>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await withResource(try await connect(), body, close: { await $0.close() })
    }

    /// Opens a session to the database, or to `postgres` before the first start.
    private func connect() async throws(PostgresError) -> PostgresConnection {
        do throws(PostgresError) {
            return try await PostgresConnection.connect(configuration, reactor: reactor, logger: logger)
        } catch {
            guard error.sqlState == .undefinedDatabase else { throw error }
            let maintenance = configuration.database("postgres")
            return try await PostgresConnection.connect(maintenance, reactor: reactor, logger: logger)
        }
    }
}
