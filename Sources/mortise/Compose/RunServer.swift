import Endpoints
import Keys
import Logging
import Postgres
import Server
import Telemetry
import Tenancy

/// Runs the server until SIGTERM or SIGINT.
///
/// - Throws: `CommandFailure`.
func runServer(_ settings: ServeSettings) async throws {
    let telemetry = telemetry(settings.log)
    let logger = telemetry.bootstrap()
    settings.installation.log(to: logger)
    try await Host.with(settings.installation, secretsFile: .inDataFolder, logger: logger) { host in
        let server = try await MortiseServer.make(try configuration(settings, host, telemetry), logger: logger) {
            first in
            try await Blocking.run { try FirstStartNotice(first).show() }
        }
        try await server.run(onListening: { address in
            logger.notice("listening", metadata: ["address": "\(address)"])
        })
    }
}

private func telemetry(_ settings: LogSettings) -> Telemetry {
    let output = JSONLogHandler.Output(
        sink: DescriptorSink.standardError,
        format: settings.format == .json ? .json : .text,
        redact: Redaction.redact
    )
    return Telemetry(output: output, level: settings.level, logsSpans: settings.spans == .sampled)
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
    configuration.listener = .tcp(host: settings.listen.host, port: settings.listen.port)
    configuration.clients = settings.clients
    configuration.operatorToken = settings.operatorKey
    configuration.adminToken = settings.adminKey
    configuration.firstMember = settings.firstMember
    configuration.drainDelay = settings.drainDelay
    configuration.shutdownGrace = settings.shutdownGrace
    configuration.threads = settings.connections.threads
    configuration.databases = settings.connections.options
    configuration.quotas = settings.quotas
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
