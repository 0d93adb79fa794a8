import Connections
import Endpoints
import GatewayAPI
import Glibc
import Keys
import Logging
import NIOCore
import Notices
import Postgres
import Server
import Telemetry
import Tenancy
import UnixSignals

/// Runs the server until SIGTERM or SIGINT, or until a SIGHUP that is neither ignored nor a sign to read the certificate again.
///
/// - Throws: `CommandFailure`.
func runServer(_ settings: ServeSettings) async throws {
    let queue = LogQueue(STDERR_FILENO)
    let telemetry = telemetry(settings.log, queue)
    try await withResource(queue) { _ in
        try await run(settings, telemetry)
    } close: {
        await $0.end(within: .seconds(2))
    }
}

private func run(_ settings: ServeSettings, _ telemetry: Telemetry) async throws {
    let logger = telemetry.bootstrap()
    settings.installation.log(to: logger)
    try await ListenCheck.run(settings)
    let certificate = try await CertificateReload.load(settings.tls)
    FreedMemory.returnLargeBlocks()
    let descriptors = DescriptorLimit.raise()
    let others = settings.connections.maximumBesidesLookups
    let lookups = DescriptorLimit.lookups(descriptors: descriptors, others: others)
    let notices = DescriptorLimit.notices(descriptors: descriptors)
    let connections = DescriptorLimit.apply(
        settings.clientConnections,
        others: others + (settings.connections.lookupWorkspaces ?? lookups) + notices.maximumDescriptors,
        listeners: settings.gateway.all.isEmpty ? 1 : 2,
        descriptors: descriptors,
        logger
    )
    // From the start on, because a renewal can fall into it.
    try await CertificateReload.during(certificate, logger) { signals in
        try await Host.with(settings.installation, secretsFile: .inDataFolder, logger: logger) { host in
            var configuration = try configuration(settings, host, telemetry)
            configuration.connections = connections
            configuration.certificate = certificate
            configuration.notices.maximumAttempts = notices.maximumAttempts
            configuration.databases.derivedLookupConnections = lookups
            let server = try await MortiseServer.make(configuration, logger: logger) { first in
                try await FirstStartNotice(first).show(in: settings.keysFile)
            }
            try await host.supervising {
                do {
                    try await run(server, settings, signals, logger)
                } catch let error as IOError {
                    // Another program may have taken an address meanwhile. The check finds which.
                    try await ListenCheck.run(settings)
                    throw error
                }
            }
        }
    }
}

private func run(
    _ server: MortiseServer,
    _ settings: ServeSettings,
    _ signals: [UnixSignal],
    _ logger: Logger
) async throws {
    try await server.run(signals: signals) { address in
        logger.notice("listening", metadata: ["address": "\(address.settingText)"])
    } onGatewayListening: { addresses in
        for (index, address) in addresses.enumerated() {
            let isRPC = index >= settings.gateway.addresses.count
            let message: Logger.Message = isRPC ? "listening for gRPC" : "listening for gateways"
            logger.notice(message, metadata: ["address": "\(address.settingText)"])
        }
    } onOperationsListening: { address in
        logger.notice("listening for operators", metadata: ["address": "\(address.settingText)"])
    }
}

private func telemetry(_ settings: LogSettings, _ queue: LogQueue) -> Telemetry {
    let output = JSONLogHandler.Output(
        sink: queue,
        format: settings.format == .json ? .json : .text,
        redact: Redaction.redact
    )
    let telemetry = Telemetry(output: output, level: settings.level, logsSpans: settings.spans == .sampled)
    telemetry.observe(queue)
    return telemetry
}

private func configuration(
    _ settings: ServeSettings,
    _ host: Host,
    _ telemetry: Telemetry
) throws -> ServerConfiguration {
    var configuration = ServerConfiguration(
        database: try host.configuration(),
        secrets: host.secrets,
        version: Version.current
    )
    configuration.listener = settings.listen
    configuration.gateway = settings.gateway
    configuration.operations = settings.operations
    configuration.clients = settings.clients
    configuration.publicURL = settings.publicURL
    configuration.leaks.gitHubKeys = settings.gitHubKeys
    configuration.notices.allowedAddresses = settings.webhookAllow
    configuration.notices.userAgent = "Mortise/\(Version.current)"
    configuration.publishesOperations = settings.publishesOperations
    configuration.operatorToken = settings.operatorKey
    configuration.adminToken = settings.adminKey
    configuration.firstMember = settings.firstMember
    configuration.identityProvider = settings.signIn.provider
    configuration.passwordUse = settings.signIn.passwords
    configuration.drainDelay = settings.drainDelay
    configuration.shutdownGrace = settings.shutdownGrace
    configuration.threads = settings.connections.threads
    configuration.databases = settings.connections.options
    configuration.quotas = settings.quotas
    configuration.cacheBytes = settings.cacheBytes
    configuration.eventDays = settings.eventDays
    configuration.metrics = telemetry.metrics
    configuration.tracer = telemetry.tracer
    configuration.accessLog =
        switch settings.log.access {
        case .management: .declared
        case .all: .all
        case .off: .failures
        }
    return configuration
}
