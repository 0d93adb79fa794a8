import FoundationEssentials
public import KeyStore
import Keys
import Logging
import Migrations
import Postgres

extension ControlDatabase {
    /// Adds a PostgreSQL server, after it has connected to the server and prepared the runtime role there.
    ///
    /// - Parameters:
    ///   - name: The cluster's name: letters, digits and dashes, as in a slug.
    ///   - conninfo: The owner role's connection string without the password, which `ClusterCredentials` supplies by
    ///     the cluster's name. Its database, `postgres` if it names none, is the one to connect to for creating and
    ///     dropping others.
    ///   - attribution: The actor.
    /// - Returns: The cluster, on which workspaces can be created.
    /// - Throws: `invalid` naming the field, `clusterNameTaken`, `incompatible`, `wrongState` if another program changes the installation
    ///   for too long, and `PostgresError` if the server cannot be reached.
    public func addCluster(
        name: String,
        conninfo: String,
        by attribution: Attribution = .system
    ) async throws -> Cluster {
        guard (try? Slug(validating: name)) != nil else {
            throw TenancyError(
                .invalid,
                "a cluster's name is 1 to 63 lower-case letters, digits and dashes",
                field: "name"
            )
        }
        let canonical = try Self.canonical(conninfo)
        let candidate = Cluster(id: identifiers.id(), name: name, conninfo: canonical, createdAt: .earliest)
        guard !candidate.isPrimary else { throw TenancyError(.clusterNameTaken, "the name is taken", field: "name") }
        return try await withOwner(candidate, database: nil) { remote in
            try await withOwner(primary, database: nil) { control in
                try await changingClusters(control) {
                    guard try await ControlStore(control).cluster(name: name) == nil else {
                        throw TenancyError(.clusterNameTaken, "the name is taken", field: "name")
                    }
                    let server = Server(installation: installation, connection: remote)
                    try await server.checkMark(primary.id)
                    try await requireNew(server, control: control, besides: nil)
                    try await server.prepareRole()
                    try await prepareClusterDatabase(of: candidate, on: server)
                    // Before the row: whoever adds the server under another name after an interruption must find the mark.
                    try await server.setMark(primary.id)
                    // Before the password: if the name is taken, the password on the server that has it must not change.
                    let created = try await control.auditedTransaction { transaction in
                        try await writer(in: transaction)
                            .insertCluster(id: candidate.id, name: name, conninfo: canonical, by: attribution)
                    }
                    guard let created else { throw TenancyError(.clusterNameTaken, "the name is taken", field: "name") }
                    try await server.setPassword(credentials.runtimePassword(created.id))
                    return created
                }
            }
        }
    }

    /// Runs a change of the clusters under the lock of starts, one after the other: two changes at once could each find that a server is
    /// new.
    func changingClusters<T>(_ control: PostgresConnection, _ body: () async throws -> T) async throws -> T {
        do {
            return try await Self.lock.withLock(on: control, patience: migratorOptions.lockPatience, body)
        } catch let taken as AdvisoryLock.Taken {
            throw TenancyError(
                .wrongState,
                "another program changes the installation: \(taken); try again when it has ended"
            )
        }
    }

    /// Throws if a server is a cluster already, under whatever name and address.
    ///
    /// The runtime role has one password on a server, so a server is one cluster.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - control: A connection to the control database.
    ///   - known: The cluster that the server can be.
    /// - Throws: `invalid` with the name of the cluster, or if a cluster cannot be reached for the comparison.
    func requireNew(_ server: Server, control: PostgresConnection, besides known: Cluster?) async throws {
        let identifier = try await server.connection.systemIdentifier()
        guard try await identifier != control.systemIdentifier() else {
            throw TenancyError(.invalid, "this server is the primary cluster", field: "conninfo")
        }
        // Every cluster of this installation has its mark.
        guard try await server.hasMark() else { return }
        let store = ControlStore(control)
        var position = PagePosition.first
        while true {
            let page = try await store.clusters(PageRequest(limit: 100, position))
            for cluster in page.items where !cluster.isPrimary && cluster.id != known?.id {
                guard try await self.identifier(of: cluster) != identifier else {
                    throw TenancyError(.invalid, "this server is the cluster \(cluster.name)", field: "conninfo")
                }
            }
            guard let next = page.next else { return }
            position = .after(next)
        }
    }

    private func identifier(of cluster: Cluster) async throws -> Int64? {
        let connection: PostgresConnection
        do {
            connection = try await connectAsOwner(cluster, database: nil)
        } catch {
            throw TenancyError(
                .invalid,
                "this server belongs to the installation already, and the cluster \(cluster.name) cannot be reached to compare it",
                field: "conninfo"
            )
        }
        return try await withResource(connection, { try await $0.systemIdentifier() }, close: { await $0.close() })
    }

    /// Sets up the runtime role on a cluster other than the primary one again: it completes an interrupted addition and sets a new
    /// password.
    ///
    /// - Parameters:
    ///   - cluster: The cluster.
    ///   - control: A connection to the control database.
    ///   - level: The level of the log line of a failure.
    /// - Returns: False if that failed.
    func prepareAgain(_ cluster: Cluster, control: PostgresConnection, failingAt level: Logger.Level) async -> Bool {
        do {
            try await prepare(cluster, control: control, setsPassword: true)
            return true
        } catch {
            logger.log(
                level: level,
                "a cluster cannot be used",
                metadata: ["cluster": "\(cluster.name)", "error": "\(error)"]
            )
            return false
        }
    }

    /// Sets up the runtime role and the cluster database of a cluster other than the primary one.
    ///
    /// - Parameters:
    ///   - cluster: The cluster.
    ///   - control: A connection to the control database, for the lock.
    ///   - setsPassword: True to set the runtime role's password. A program that does not serve must leave it alone.
    /// - Throws: `incompatible`, `MigrationError`, `PostgresError`, `AdvisoryLock.Taken`.
    func prepare(_ cluster: Cluster, control: PostgresConnection, setsPassword: Bool) async throws {
        try await withOwner(cluster, database: nil) { remote in
            let server = Server(installation: installation, connection: remote)
            // Without the lock, sessions that alter one role at once get "tuple concurrently updated".
            try await Self.lock.withLock(on: control, patience: migratorOptions.lockPatience) {
                try await server.checkMark(primary.id)
                try await server.prepareRole()
                _ = try await server.resetRole()
                try await server.setMark(primary.id)
                if setsPassword { try await server.setPassword(credentials.runtimePassword(cluster.id)) }
                try await prepareClusterDatabase(of: cluster, on: server)
            }
        }
    }

    /// Returns a connection string as keywords and values in a fixed order, whatever its form.
    static func canonical(_ conninfo: String) throws -> String {
        guard let configuration = try? PostgresConfiguration(conninfo) else {
            throw TenancyError(.invalid, "the connection string cannot be read", field: "conninfo")
        }
        guard configuration.password == nil, configuration.parameters["sslpassword"] == nil,
            configuration.parameters["passfile"] == nil
        else {
            throw TenancyError(
                .invalid,
                "a cluster's connection string is stored and must not hold a password",
                field: "conninfo"
            )
        }
        let characters = configuration.parameters.values.lazy.flatMap(\.unicodeScalars)
        guard characters.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw TenancyError(
                .invalid,
                "the connection string has a line end or another control character",
                field: "conninfo"
            )
        }
        guard !configuration.parameters.isEmpty else {
            throw TenancyError(.invalid, "the connection string is empty", field: "conninfo")
        }
        return configuration.parameters.sorted { $0.key < $1.key }
            // Quotes and backslashes are escaped by a backslash (libpq manual 34.1.1.1).
            .map { (key, value) in "\(key)='\(value.escaping(by: "\\") { $0 == "'" || $0 == "\\" })'" }
            .joined(separator: " ")
    }
}

extension PostgresConnection {
    private static let identifier = Statement("SELECT system_identifier FROM pg_control_system()", prepared: false)

    /// Returns the identifier that a server shares with its standbys and with no other server.
    func systemIdentifier() async throws(PostgresError) -> Int64? {
        try await query(Self.identifier).first?.decode(0)
    }
}
