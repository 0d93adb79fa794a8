import Keys
import Logging
import Postgres
import Service
import Tenancy

/// What `mortise cluster` does, as the owner of the control database.
struct ClusterRun {
    private let settings: InstallationSettings

    init(_ settings: InstallationSettings) { self.settings = settings }

    /// Adds a cluster.
    func add(_ name: String, _ conninfo: String) async throws {
        try await withControl { control, _ in
            do {
                _ = try await control.addCluster(name: name, conninfo: conninfo, by: .system)
            } catch let error as TenancyError where error.field != nil {
                throw CommandFailure.usage("The cluster was not added: \(error.message).")
            }
        }
    }

    /// All clusters, newest first.
    func list() async throws -> [Cluster] {
        try await withControl { control, connection in
            let store = control.store(on: connection)
            var clusters: [Cluster] = []
            var position = PagePosition.first
            while true {
                let page = try await store.clusters(PageRequest(limit: 100, position))
                clusters += page.items
                guard let next = page.next else { return clusters }
                position = .after(next)
            }
        }
    }

    private func withControl<Value>(
        _ body: (ControlDatabase, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let logger = Logger(label: "mortise.cluster") { _ in SwiftLogNoOpLogHandler() }
        try settings.printWarnings()
        let result: Result<Value, any Error>
        do {
            let host = try await Host.prepare(
                settings,
                makesSecrets: false,
                logger: logger
            )
            do {
                let reactor = try Reactor()
                do {
                    result = .success(try await Self.withControl(host, reactor, logger, body))
                } catch {
                    result = .failure(error)
                }
                await reactor.shutdown()
            } catch {
                await host.stop()
                throw error
            }
            await host.stop()
        } catch {
            throw CommandFailure.composing(error)
        }
        do {
            return try result.get()
        } catch {
            throw CommandFailure.composing(error)
        }
    }

    private static func withControl<Value>(
        _ host: Host,
        _ reactor: Reactor,
        _ logger: Logger,
        _ body: (ControlDatabase, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let owner = try host.configuration()
        // The password of the role on the new server comes from this file, and must be what every node has.
        try await Bootstrap.checkBefore(host.secrets, owner: owner, reactor: reactor, logger: logger)
        let found = try await ControlDatabase.inspect(
            owner: owner,
            credentials: ClusterCredentials(derivedFrom: host.secrets, installation: .standard),
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        guard let control = found.control else {
            throw CommandFailure(
                .refused,
                "There is no installation yet.",
                details: ["`mortise serve` sets it up."]
            )
        }
        let connection = try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        do {
            let value = try await body(control, connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}
