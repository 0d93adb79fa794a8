import Connections
import Endpoints
import GatewayAPI
import Keys
package import Logging
package import Service
package import Surfaces
import Telemetry
import Tenancy

/// A whole server: databases, use cases, surfaces, and background work.
///
/// The program and the tests create the server with ``make(_:logger:show:)`` and run it with ``run(signals:onListening:)``.
package struct MortiseServer: Sendable {
    /// The use cases.
    package let platform: Platform

    /// The dialects that the server speaks.
    package let surfaces: [any Surface]

    /// The keys that this start created.
    ///
    /// The program shows them once.
    package let firstStart: FirstStart

    let configuration: ServerConfiguration
    let outbound: OutboundClient
    let threads: ServingThreads
    let registry: PrometheusRegistry
    let connections: OpenConnections
    let standbys: StandbyFigures
    /// Answers the checks of gateways, on each listener.
    let authorizer: Authorizer
    let draining: Draining
    let logger: Logger

    /// Migrates the control database, creates the first keys, and creates a server that is ready to run.
    ///
    /// On an empty PostgreSQL server, the function creates the control database, the first keys and the organization
    /// `default`. Several programs can do this at the same time.
    ///
    /// - Parameters:
    ///   - configuration: The parts and limits of the server.
    ///   - logger: The logger of the server.
    ///   - show: Shows the random keys of a first start to the operator. It runs before the keys are committed.
    /// - Returns: A server. The caller must run or close it.
    /// - Throws: `PepperMismatch`, `PresetFault`, `TenancyError`, `MigrationError`, `PostgresError`, or the error of `show`. Nothing
    ///   stays open then.
    package static func make(
        _ configuration: ServerConfiguration,
        logger: Logger,
        show: @escaping @Sendable (FirstStart) async throws -> Void = { _ in }
    ) async throws -> MortiseServer {
        try Bootstrap.checkPresets(
            operatorToken: configuration.operatorToken,
            adminToken: configuration.adminToken
        )
        let threads = try ServingThreads(count: configuration.threads, eventLoops: configuration.eventLoops)
        do {
            return try await make(configuration, threads, logger, show)
        } catch {
            await threads.shutdown()
            throw error
        }
    }

    private static func make(
        _ configuration: ServerConfiguration,
        _ threads: ServingThreads,
        _ logger: Logger,
        _ show: @Sendable (FirstStart) async throws -> Void
    ) async throws -> MortiseServer {
        try await Bootstrap.checkBefore(
            configuration.secrets,
            owner: configuration.database,
            reactor: threads.next,
            logger: logger
        )
        let outbound = OutboundClient(tracer: configuration.tracer, deadline: configuration.outboundDeadline)
        let platform: Platform
        do {
            platform = try await Self.platform(configuration, outbound, threads, logger)
        } catch {
            await outbound.shutdown()
            throw error
        }
        do {
            let first = try await platform.bootstrap.seed(
                operatorToken: configuration.operatorToken,
                adminToken: configuration.adminToken,
                member: configuration.firstMember,
                show: show
            )
            let repair = try await platform.provisioner.repairAll(within: configuration.repairPatience)
            for cluster in repair.unreachableClusters {
                logger.warning("a cluster is unreachable", metadata: ["cluster": "\(cluster)"])
            }
            try await platform.databases.readStoppedWorkspaces()
            // The first requests would wait for the lease, which takes some milliseconds.
            try await platform.databases.join(waitingAtMost: .seconds(1))
            let registry = configuration.metrics
            let connections = OpenConnections(limit: configuration.connections.maximum, registry)
            let standbys = StandbyFigures()
            ServerMetrics.add(to: registry, platform, connections, standbys, version: configuration.version)
            registry.describe(OpenConnections.help)
            registry.describe(EndpointMetrics.help)
            registry.describe(AnswerCounters.help)
            let context = SurfaceContext(
                platform: platform,
                clients: configuration.clients,
                settings: endpointSettings(configuration, registry),
                version: configuration.version,
                publishesDocument: configuration.publishesOperations,
                publicURL: configuration.publicURL
            )
            return MortiseServer(
                platform: platform,
                surfaces: try configuration.surfaces.map { try $0.init(context) },
                firstStart: first,
                configuration: configuration,
                outbound: outbound,
                threads: threads,
                registry: registry,
                connections: connections,
                standbys: standbys,
                authorizer: Authorizer(
                    platform,
                    clients: configuration.clients,
                    deadline: configuration.databases.lookupDeadline,
                    metrics: registry,
                    accessLog: configuration.accessLog,
                    logger: logger
                ),
                draining: Draining(),
                logger: logger
            )
        } catch {
            await close(platform, outbound)
            throw error
        }
    }
}
