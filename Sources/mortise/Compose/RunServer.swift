import Endpoints
import FoundationEssentials
import Keys
import Logging
import Postgres
import Server
import Telemetry
import Tenancy

/// Runs the server until it is told to stop.
func runServer(_ settings: ServeSettings) async throws {
    let telemetry = telemetry(settings.log)
    let logger = telemetry.bootstrap()
    settings.installation.log(to: logger)
    do {
        let host = try await Host.prepare(
            settings.installation,
            makesSecrets: true,
            logger: logger
        )
        let result: Result<Void, any Error>
        do {
            let server = try await MortiseServer.make(try configuration(settings, host, telemetry), logger: logger) {
                first in
                try await Blocking.run { try FirstStartNotice(first).show() }
            }
            try await server.run(onListening: { address in
                logger.notice("listening", metadata: ["address": "\(address)"])
            })
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await host.stop()
        try result.get()
    } catch {
        throw CommandFailure.composing(error)
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
