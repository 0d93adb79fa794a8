public import FoundationEssentials
import Keys
public import Logging
import Migrations
public import Postgres

/// The PostgreSQL servers that an installation is restored to.
///
/// The control database is restored under another name, and gets its own name last. Until then there is no installation, so every step can
/// be interrupted and done again. The runtime role is marked first, so no other installation can start on the servers meanwhile.
public struct RestoreTarget: Sendable {
    /// The state of the servers before a restoration.
    public enum State: Sendable, Hashable {
        /// The servers have no installation.
        case empty
        /// A restoration of the same backup was interrupted.
        case interrupted
        /// The same backup was restored, and no operator has released the installation.
        case restored
    }

    let installation: Installation
    /// The name of the control database.
    let finalName: String
    let inventory: InstallationInventory
    let backup: UUID
    let clusters: [String: PostgresConfiguration]
    let conninfo: [String: String]
    let version: String
    let identifiers: IdentifierSource
    let reactor: Reactor
    let logger: Logger

    /// Describes the servers, without a connection to them.
    ///
    /// - Parameters:
    ///   - inventory: The contents of the backup.
    ///   - backup: The id of the backup.
    ///   - owner: The owner's connection to the control database, which must be missing or empty.
    ///   - clusters: Connection strings for clusters that are restored to another server than that of the backup, by their names.
    ///   - installation: The names of databases and roles.
    ///   - version: This program's version, for the ledgers.
    ///   - reactor: The thread of the connections.
    ///   - logger: The connections' logger.
    /// - Throws: `invalid` if a connection string cannot be used or names a cluster that the backup does not have, or if the owner's names
    ///   no database.
    public init(
        _ inventory: InstallationInventory,
        backup: UUID,
        owner: PostgresConfiguration,
        clusters: [String: String] = [:],
        installation: Installation = .standard,
        version: String,
        reactor: Reactor,
        logger: Logger
    ) throws {
        for name in clusters.keys where inventory.clusters[name] == nil || name == Cluster.primaryName {
            throw TenancyError(.invalid, "the backup has no cluster \(name) besides the primary one", field: "cluster")
        }
        // The database is created, so its name cannot come from a service file or a variable that only libpq reads.
        guard let finalName = owner.database, !finalName.isEmpty else {
            throw TenancyError(.invalid, "the database URL does not name the database", field: "database_url")
        }
        self.finalName = finalName
        var conninfo = inventory.clusters
        for (name, text) in clusters { conninfo[name] = try ControlDatabase.canonical(text) }
        self.conninfo = conninfo
        var configurations: [String: PostgresConfiguration] = [:]
        for (name, text) in conninfo {
            guard name != Cluster.primaryName else {
                configurations[name] = ControlDatabase.durable(owner)
                continue
            }
            var configuration = ControlDatabase.durable(try PostgresConfiguration(text))
            configuration.connectDeadline = owner.connectDeadline
            configuration.queryDeadline = owner.queryDeadline
            configuration.applicationName = owner.applicationName
            if configuration.database == nil { configuration.database = "postgres" }
            configurations[name] = configuration
        }
        self.clusters = configurations
        self.inventory = inventory
        self.backup = backup
        self.installation = installation
        self.version = version
        self.reactor = reactor
        self.logger = logger
        identifiers = .system
    }

    /// Checks connection strings of clusters, without a connection.
    ///
    /// - Parameter clusters: The connection strings, by the names of the clusters.
    /// - Throws: `invalid` if one cannot be used.
    public static func check(connections clusters: [String: String]) throws {
        for text in clusters.values { _ = try ControlDatabase.canonical(text) }
    }

    /// The name of the control database until the restoration is complete.
    var temporaryName: String { installation.restoringDatabase }

    /// The comment of each database that the restoration creates, until the end.
    var comment: String { "mortise restore \(UUIDv7.text(of: backup))" }

    /// Returns the owner's configuration for a database of a cluster.
    func configuration(_ cluster: String, _ database: String) throws -> PostgresConfiguration {
        guard let configuration = clusters[cluster] else { throw TenancyError.unknownCluster }
        return configuration.database(database)
    }

    func with<Value>(
        _ cluster: String,
        _ database: String,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await ControlDatabase.connectToRecent(
            try configuration(cluster, database),
            reactor: reactor,
            logger: logger
        )
        return try await withResource(connection, body, close: { await $0.close() })
    }

    /// The database to connect to for creating and dropping others.
    ///
    /// The control database can have the name `postgres`, and then it is dropped and created.
    private func maintenanceDatabase(_ cluster: String) -> String {
        guard cluster == Cluster.primaryName else { return clusters[cluster]?.database ?? "postgres" }
        return finalName == "postgres" ? "template1" : "postgres"
    }

    /// Opens a session that creates and drops databases on a cluster.
    func withServer<Value>(_ cluster: String, _ body: (Server) async throws -> Value) async throws -> Value {
        try await with(cluster, maintenanceDatabase(cluster)) {
            try await body(Server(installation: installation, connection: $0))
        }
    }

    /// Runs `body` while no other program restores an installation to these servers.
    ///
    /// - Throws: `busy` if another program does.
    public func withLock<Value>(_ body: () async throws -> Value) async throws -> Value {
        let lock = AdvisoryLock("restoration of the installation")
        do {
            return try await withServer(Cluster.primaryName) { server in
                try await lock.withLock(on: server.connection, patience: .seconds(1), body)
            }
        } catch let taken as AdvisoryLock.Taken where taken.lock == lock.name {
            throw TenancyError(.busy, "another program is restoring an installation here; wait for its end")
        }
    }

    private static let names = Statement(
        """
        SELECT datname::text, shobj_description(oid, 'pg_database') FROM pg_database
        WHERE starts_with(datname, $1) OR datname = $2 ORDER BY 1
        """,
        prepared: false
    )
    private static let isOwned = Statement(
        "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = $1",
        prepared: false
    )
    private static let restored = Statement(
        "SELECT 1 FROM control.restorations WHERE id = $1 AND released_at IS NULL",
        prepared: false
    )
    private static let hasRestorations = Statement(
        "SELECT to_regclass('control.restorations') IS NOT NULL",
        prepared: false
    )
    private static let objects = Statement(
        """
        SELECT 1 FROM pg_namespace n
        WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
            AND (EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid)
                OR EXISTS (SELECT 1 FROM pg_proc WHERE pronamespace = n.oid))
        LIMIT 1
        """,
        prepared: false
    )

    /// Examines all servers, and changes nothing.
    ///
    /// - Parameter check: Called with the version of each server, as a number: 150004 is 15.4.
    /// - Returns: The state of the servers.
    /// - Throws: The error of `check`; `incompatible`, whose message names the fault, if a server has an installation or parts of one;
    ///   `PostgresError` if a server cannot be reached.
    public func examine(_ check: (Int) throws -> Void) async throws -> State {
        var state = State.empty
        var names: [Int64: String] = [:]
        for cluster in clusters.keys.sorted(by: Self.primaryFirst) {
            let isContinued = state == .interrupted
            let found: State
            do {
                found = try await withServer(cluster) { server in
                    // The runtime role has one password on a server, so a server is one cluster.
                    if let identifier = try await server.connection.systemIdentifier(),
                        let other = names.updateValue(cluster, forKey: identifier)
                    {
                        throw TenancyError(
                            .incompatible,
                            """
                            the clusters \(other) and \(cluster) are on the same server; name another one with \
                            --cluster \(cluster)=CONNECTION-STRING
                            """
                        )
                    }
                    try checkVersion(of: server, cluster)
                    try check(server.connection.serverVersion)
                    return try await examine(cluster, server, isContinued: isContinued)
                }
            } catch let error as PostgresError where error.code == .connectFailed && cluster != Cluster.primaryName {
                throw TenancyError(
                    .incompatible,
                    """
                    the server of the cluster \(cluster) cannot be reached (\(error.serverMessage ?? error.message)); \
                    name another one with --cluster \(cluster)=CONNECTION-STRING
                    """
                )
            }
            if cluster == Cluster.primaryName { state = found }
            if state == .restored { return state }
        }
        return state
    }

    /// Throws if a server is older than that of the backup, because PostgreSQL cannot load the dump of a newer server.
    private func checkVersion(of server: Server, _ cluster: String) throws {
        let (version, needed) = (server.connection.serverVersion / 10_000, inventory.serverVersion / 10_000)
        guard version < needed else { return }
        throw TenancyError(
            .incompatible,
            "the server of the cluster \(cluster) is PostgreSQL \(version), and the backup is of PostgreSQL \(needed); use \(needed) or later"
        )
    }

    private static func primaryFirst(_ one: String, _ other: String) -> Bool {
        (one == Cluster.primaryName ? 0 : 1, one) < (other == Cluster.primaryName ? 0 : 1, other)
    }

    private func examine(_ cluster: String, _ server: Server, isContinued: Bool) async throws -> State {
        let isPrimary = cluster == Cluster.primaryName
        let connection = server.connection
        let rows = try await connection.query(Self.names, ["\(installation.prefix)_", isPrimary ? finalName : ""])
        var comments: [String: String?] = [:]
        for row in rows {
            comments.updateValue(try row.decode(1, as: String?.self), forKey: try row.decode(0, as: String.self))
        }
        let found = Set(comments.keys)
        if isPrimary, found.contains(finalName), try await hasObjects(finalName, on: cluster) {
            if try await isRestored() { return .restored }
            throw TenancyError(
                .incompatible,
                "the database \(finalName) is not empty, and a backup is restored only to empty servers"
            )
        }
        if isPrimary, found.contains(finalName),
            try await connection.query(Self.isOwned, [finalName]).first?.decode(0, as: Bool.self) == false
        {
            throw TenancyError(
                .incompatible,
                "the database \(finalName) belongs to another role, and the restoration replaces it; drop it first"
            )
        }
        try await server.checkMark(inventory.installation)
        var state = State.empty
        if isPrimary, let comment = comments[temporaryName] {
            guard try await isOwn(temporaryName, comment: comment, on: cluster) else {
                throw TenancyError(
                    .incompatible,
                    """
                    the database \(temporaryName) is from a restoration of another backup that was interrupted; end that one first, or \
                    drop its databases
                    """
                )
            }
            state = .interrupted
        }
        var expected: Set<String> = []
        if state == .interrupted || isContinued {
            // A database of the same name can also be that of a living installation, which another --cluster has spared so far.
            for database in inventory.databases where database.cluster == cluster && database.workspace != nil {
                guard let comment = comments[database.name] else { continue }
                if try await isOwn(database.name, comment: comment, on: cluster) { expected.insert(database.name) }
            }
        }
        let foreign = found.subtracting(expected)
            .filter { name in
                name != finalName && name != temporaryName && name.hasPrefix("\(installation.prefix)_w_")
            }
            .sorted()
        if let first = foreign.first {
            throw TenancyError(
                .incompatible,
                """
                the server of the cluster \(cluster) has databases of an installation (\(foreign.count), such as \(first)), and a \
                backup is restored only to empty servers
                """
            )
        }
        return state
    }

    /// Returns true if a restoration of this backup has created a database.
    ///
    /// Without a comment and without tables, the creation of the database was interrupted.
    private func isOwn(_ database: String, comment: String?, on cluster: String) async throws -> Bool {
        guard let comment else { return try await !hasObjects(database, on: cluster) }
        return comment == self.comment
    }

    /// Returns true if a database has tables, views, sequences or functions.
    func hasObjects(_ database: String, on cluster: String) async throws -> Bool {
        try await with(cluster, database) { try await !$0.query(Self.objects).isEmpty }
    }

    private func isRestored() async throws -> Bool {
        try await with(Cluster.primaryName, finalName) { connection in
            guard try await connection.query(Self.hasRestorations).first?.decode(0, as: Bool.self) == true else {
                return false
            }
            return try await !connection.query(Self.restored, [backup]).isEmpty
        }
    }
}
