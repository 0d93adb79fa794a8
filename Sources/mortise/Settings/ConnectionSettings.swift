import LocalPostgres
package import Tenancy

/// The number of connections that a server opens to one PostgreSQL server.
package struct ConnectionSettings: Sendable, Equatable {
    /// The threads that run requests, 1 to 64.
    ///
    /// Each has a connection to every workspace that keys are looked up in.
    ///
    /// Defaults to half of the processors, up to 4: HTTP and PostgreSQL need the other half.
    package var threads: Int
    /// The workspaces of a cluster that have look-up connections, 1 to 1000.
    ///
    /// Defaults to 32.
    package var lookupWorkspaces: Int
    /// The workspaces of a cluster that have connections for changes, 1 to 1000.
    ///
    /// Defaults to 8.
    package var managedWorkspaces: Int

    /// The connections that stay free for people, for migrations and for PostgreSQL's own reserve.
    static let reserve = 20

    init(_ reader: SettingReader) throws(CommandFailure) {
        threads = try reader.value(Settings.threads)
        lookupWorkspaces = try reader.value(Settings.lookupWorkspaces)
        managedWorkspaces = try reader.value(Settings.managedWorkspaces)
    }

    /// The bounds as the pools of databases take them.
    package var options: DatabasesOptions {
        DatabasesOptions(
            maximumLookupDatabases: lookupWorkspaces,
            maximumManagedDatabases: managedWorkspaces
        )
    }

    /// The maximum number of connections.
    package var maximum: Int { options.maximumConnections(reactors: threads) }

    /// Throws if the PostgreSQL server that Mortise runs itself has too few connections.
    func checkOwnServer() throws(CommandFailure) {
        let limit = LocalPostgres.Options.durable.maximumConnections - Self.reserve
        guard maximum > limit else { return }
        let settings = [Settings.threads, Settings.lookupWorkspaces, Settings.managedWorkspaces]
        let variables = settings.map(\.declaration.variable).joined(separator: ", ")
        throw .usage(
            """
            These settings open up to \(maximum) connections, but the PostgreSQL server that Mortise runs itself has \
            \(limit) for them.
            """,
            details: ["Lower one of \(variables), or use a PostgreSQL server of your own with more connections."]
        )
    }
}
