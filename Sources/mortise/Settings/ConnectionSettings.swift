import LocalPostgres
package import Tenancy

/// The number of connections that a server opens to one PostgreSQL server.
package struct ConnectionSettings: Sendable, Equatable {
    /// The threads that run requests, 1 to 64.
    ///
    /// Each has a look-up connection to the control database.
    ///
    /// Defaults to half of the processors, up to 4: event loops and PostgreSQL need the other half.
    package var threads: Int
    /// The workspaces of a cluster that have a look-up connection, 1 to 1000.
    ///
    /// Defaults to `nil`: a third of the connections that the server allows.
    package var lookupWorkspaces: Int?
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
            maximumLookupConnections: lookupWorkspaces,
            maximumLookupOpenings: max(2, threads),
            // The more processors, the less an opening takes of them.
            lookupReplacementPause: Duration.milliseconds(300) / max(2, threads),
            maximumManagedDatabases: managedWorkspaces
        )
    }

    /// Returns the maximum number of connections to a server that allows a number of connections.
    package func maximum(allowed: Int) -> Int { options.maximumConnections(reactors: threads, allowed: allowed) }

    /// The maximum number of connections besides look-ups in workspaces.
    package var maximumBesidesLookups: Int {
        DatabasesOptions(maximumLookupConnections: 1, maximumManagedDatabases: managedWorkspaces)
            .maximumConnections(reactors: threads, allowed: 1) - 1
    }

    /// The number of connections that a server should allow for one program with these settings.
    package var recommended: Int {
        let others = maximumBesidesLookups + Self.reserve
        // Without a setting, a third of the connections is for look-ups.
        return lookupWorkspaces.map { others + $0 } ?? (others * 3 + 1) / 2
    }

    /// Throws if the PostgreSQL server that Mortise runs itself has too few connections.
    func checkOwnServer() throws(CommandFailure) {
        let allowed = LocalPostgres.Options.durable.maximumConnections
        let (limit, maximum) = (allowed - Self.reserve, maximum(allowed: allowed))
        guard maximum > limit else { return }
        let settings = [
            Settings.threads.declaration, Settings.lookupWorkspaces.declaration, Settings.managedWorkspaces.declaration,
        ]
        let variables = settings.map(\.variable).joined(separator: ", ")
        throw .usage(
            """
            These settings open up to \(maximum) connections, but the PostgreSQL server that Mortise runs itself has \
            \(limit) for them.
            """,
            details: ["Lower one of \(variables), or use a PostgreSQL server of your own with more connections."]
        )
    }
}
