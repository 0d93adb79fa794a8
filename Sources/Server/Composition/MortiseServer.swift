import CoreMetrics
import Endpoints
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import KeyStore
import Keys
package import Logging
package import NIOCore
import Postgres
package import Service
import ServiceLifecycle
package import Surfaces
import Telemetry
import Tenancy
package import UnixSignals
import Verification

/// A whole server: databases, use cases, surfaces, and the work in the background.
///
/// Both the program and the tests make it with ``make(_:logger:)`` and run it with ``run(signals:onListening:)``.
package struct MortiseServer: Sendable {
    /// The use cases.
    package let platform: Platform

    /// The dialects of the API.
    package let surfaces: [any Surface]

    /// What this start made; to be shown once to whoever started the program.
    package let firstStart: FirstStart

    private let configuration: ServerConfiguration
    private let keySets: KeySetClient
    private let threads: ServingThreads
    private let registry: PrometheusRegistry
    private let draining: Draining
    private let logger: Logger

    /// Brings the databases to where this program needs them and everything else to where it can be run.
    ///
    /// On an empty server it makes the control database, the first keys and the organization `default`. Several programs may do this at once.
    ///
    /// - Parameters:
    ///   - configuration: what to make the server from.
    ///   - logger: gets what there is to say, now and later.
    ///   - show: shows the random keys of a first start to whoever started the program, before they count.
    /// - Returns: a server that is to be run, or else to be closed.
    /// - Throws: `PepperMismatch`, `PresetFault`, `TenancyError`, `MigrationError`, `PostgresError`, what `show` throws; nothing stays
    ///   open then.
    package static func make(
        _ configuration: ServerConfiguration,
        logger: Logger,
        show: @escaping @Sendable (FirstStart) async throws -> Void = { _ in }
    ) async throws -> MortiseServer {
        try Bootstrap.checkPresets(
            operatorToken: configuration.operatorToken,
            adminToken: configuration.adminToken
        )
        let threads = try ServingThreads(count: configuration.threads)
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
        let keySets = KeySetClient()
        let platform: Platform
        do {
            platform = try await Self.platform(configuration, keySets, threads, logger)
        } catch {
            await keySets.shutdown()
            throw error
        }
        do {
            let first = try await platform.bootstrap.seed(
                operatorToken: configuration.operatorToken,
                adminToken: configuration.adminToken,
                member: configuration.firstMember,
                show: show
            )
            let repair = try await platform.provisioner.repairAll()
            for cluster in repair.unreachableClusters {
                logger.warning("a cluster cannot be used at the moment", metadata: ["cluster": "\(cluster)"])
            }
            let registry = PrometheusRegistry(help: ServerMetrics.help)
            let context = SurfaceContext(
                platform: platform,
                clients: configuration.clients,
                settings: endpointSettings(configuration, registry),
                version: configuration.version,
                now: { Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds()) }
            )
            return MortiseServer(
                platform: platform,
                surfaces: try configuration.surfaces.map { try $0.init(context) },
                firstStart: first,
                configuration: configuration,
                keySets: keySets,
                threads: threads,
                registry: registry,
                draining: Draining(),
                logger: logger
            )
        } catch {
            await close(platform, keySets)
            throw error
        }
    }

    private static func platform(
        _ configuration: ServerConfiguration,
        _ keySets: KeySetClient,
        _ threads: ServingThreads,
        _ logger: Logger
    ) async throws -> Platform {
        let installation = configuration.installation
        let control = try await ControlDatabase.bootstrap(
            owner: configuration.database,
            installation: installation,
            credentials: ClusterCredentials(
                derivedFrom: configuration.secrets,
                installation: installation,
                ownerPassword: configuration.clusterPassword
            ),
            admit: { try await Bootstrap.admit(configuration.secrets, $0, logger) },
            version: configuration.version,
            reactor: threads.next,
            logger: logger
        )
        let databases = try Databases(control, reactors: threads.reactors, options: configuration.databases)
        let usage = UsageRecorder(options: configuration.usage, logger: logger) { home, counts in
            switch home {
            case .control:
                try await databases.control.pool.withConnection { try await UsageStore($0).add(counts) }
            case .workspace(let workspace):
                try await databases.withUsagePool(workspace) { pool in
                    try await pool.withConnection { try await UsageStore($0).add(counts) }
                }
            }
        }
        return Platform(
            control: control,
            installation: installation,
            provisioner: Provisioner(control, options: configuration.provisioner),
            databases: databases,
            verifier: Verifier(
                databases: databases,
                peppers: configuration.secrets.peppers,
                usage: usage,
                deadline: configuration.databases.lookupDeadline
            ),
            usage: usage,
            secrets: configuration.secrets,
            randomness: configuration.randomness,
            now: configuration.now,
            elapsed: configuration.elapsed,
            passwordCost: configuration.passwordCost,
            fetchKeySet: { try await keySets.fetch($0) },
            logger: logger
        )
    }

    private static func endpointSettings(
        _ configuration: ServerConfiguration,
        _ registry: PrometheusRegistry
    ) -> EndpointSettings {
        EndpointSettings(
            bodyDeadline: configuration.bodyDeadline,
            clock: configuration.clock,
            accessLog: configuration.accessLog,
            redact: Redaction.redact,
            metrics: registry
        )
    }

    /// Serves until it is told to stop by a signal, or by graceful shutdown of the task's service group.
    ///
    /// Then it accepts no more connections, answers what it has accepted, writes what it has counted, and closes its databases.
    ///
    /// - Parameters:
    ///   - signals: what tells it to stop; by default SIGTERM and SIGINT.
    ///   - onListening: called with the address once connections are accepted.
    /// - Throws: why it could not listen, or what broke; everything is closed then.
    package func run(
        signals: [UnixSignal] = [.sigterm, .sigint],
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) async throws {
        var settings = ServiceGroupConfiguration(
            services: services(onListening).map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
            gracefulShutdownSignals: signals,
            logger: logger
        )
        settings.maximumGracefulShutdownDuration = configuration.shutdownGrace
        do {
            try await ServiceGroup(configuration: settings).run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Closes a server that is not to be run.
    package func close() async {
        await Self.close(platform, keySets)
        await threads.shutdown()
    }

    private static func close(_ platform: Platform, _ keySets: KeySetClient) async {
        await platform.shutdown()
        await keySets.shutdown()
        await platform.provisioner.shutdown()
        await platform.databases.shutdown()
    }

    /// They are stopped in reverse order: first readiness, then the listener and its requests, then the writers of what these counted.
    private func services(
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> [any ServiceLifecycle.Service] {
        [
            BackgroundTask { [usage = platform.usage] in await usage.run() },
            BackgroundTask { [self] in await upkeep() },
            BackgroundTask { [self] in await repair() },
            BackgroundTask { [self] in await ServerMetrics(registry, version: configuration.version).sample(platform) },
            application(onListening),
            DrainNotice(draining: draining, delay: configuration.drainDelay, clock: configuration.drainClock),
        ]
    }

    private func upkeep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.upkeepInterval)
            if Task.isCancelled { return }
            do {
                let count = try await platform.upkeep.expire()
                if count > 0 { logger.debug("old rows were forgotten", metadata: ["count": "\(count)"]) }
                let sessions = try await platform.upkeep.forgetSessions()
                if sessions > 0 { logger.debug("old sessions were forgotten", metadata: ["count": "\(sessions)"]) }
            } catch {
                logger.warning("old rows could not be forgotten", metadata: ["error": "\(error)"])
            }
        }
    }

    private func repair() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.repairInterval)
            if Task.isCancelled { return }
            do {
                try await platform.upkeep.repair(atRestFor: .seconds(60))
            } catch {
                logger.warning("unfinished workspaces could not be looked for", metadata: ["error": "\(error)"])
            }
        }
    }

    private func application(
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> some ServiceLifecycle.Service {
        let address: BindAddress =
            switch configuration.listener {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        return Application(
            router: router(),
            server: HTTPServerBuilder { [threads] responder in
                threads.channel(
                    HTTP1Channel(
                        responder: responder,
                        configuration: HTTP1Channel.Configuration(idleTimeout: TimeAmount(configuration.idleTimeout))
                    )
                )
            },
            configuration: ApplicationConfiguration(address: address, serverName: nil),
            onServerRunning: { channel in
                if let address = channel.localAddress { await onListening(address) }
            },
            eventLoopGroupProvider: .shared(threads.eventLoops),
            logger: logger
        )
    }

    private func router() -> Router<MortiseRequestContext> {
        let operations = OperationsEndpoints(
            readiness: Readiness(clock: configuration.clock, check: readiness),
            metrics: registry,
            settings: Self.endpointSettings(configuration, registry)
        )
        let router = Router(context: MortiseRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                mounts: surfaces.flatMap(\.mounts) + operations.mounts
            )
        )
        for surface in surfaces { surface.register(on: router) }
        operations.register(on: router)
        return router
    }

    private static let probe = Statement("SELECT 1")

    private var readiness: Readiness.Check {
        { [platform, draining] in
            if draining.hasBegun { return ["the server is shutting down"] }
            do {
                _ = try await platform.databases.control.lookups.query(Self.probe)
                return []
            } catch {
                return ["the control database cannot be reached"]
            }
        }
    }
}
