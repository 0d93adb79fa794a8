import LocalPostgres
import Server
package import Tenancy

/// How many connections a server may have to the cluster that holds the control database.
package struct ConnectionSettings: Sendable, Equatable {
    /// Threads that run requests, 1 to 64, each with a connection of its own to every workspace that keys are looked up in.
    ///
    /// Defaults to half as many as there are processors, up to 4: HTTP and PostgreSQL want the other half.
    package var threads: Int
    /// How many workspaces of a cluster are looked up in at once, 1 to 1000.
    ///
    /// Defaults to 32.
    package var lookupWorkspaces: Int
    /// How many workspaces of a cluster are managed at once, 1 to 1000.
    ///
    /// Defaults to 8.
    package var managedWorkspaces: Int

    /// What is left of a server's connections for people, migrations and the server's own reserve.
    static let reserve = 20

    init(_ reader: SettingReader) throws(CommandFailure) {
        threads = try reader.value(
            .threads,
            default: ServingThreads.defaultCount,
            expected: "a number from 1 to 64"
        ) { number($0, in: 1...64) }
        lookupWorkspaces = try reader.value(.lookupWorkspaces, default: 32, expected: "a number from 1 to 1000") {
            number($0, in: 1...1000)
        }
        managedWorkspaces = try reader.value(.managedWorkspaces, default: 8, expected: "a number from 1 to 1000") {
            number($0, in: 1...1000)
        }
    }

    /// The bounds in the terms of what opens the connections.
    package var options: DatabasesOptions {
        DatabasesOptions(
            maximumLookupDatabases: lookupWorkspaces,
            maximumManagedDatabases: managedWorkspaces
        )
    }

    /// The most connections at once.
    package var most: Int { options.maximumConnections(reactors: threads) }

    /// Refuses what the PostgreSQL that Mortise runs itself does not accept.
    func checkOwnServer() throws(CommandFailure) {
        let limit = LocalPostgres.Options.durable.maximumConnections - Self.reserve
        guard most > limit else { return }
        throw .usage(
            "These settings open up to \(most) connections; Mortise's own PostgreSQL has \(limit) for them.",
            details: [
                """
                Lower \(Setting.threads.variable), \(Setting.lookupWorkspaces.variable) or \
                \(Setting.managedWorkspaces.variable), or use a PostgreSQL of your own with more.
                """
            ]
        )
    }
}
