import CivilTime
import Connections
import Logging
import NIOPosix
import UnixSignals

/// Reads the certificate of the listener at the start, and again after each SIGHUP.
enum CertificateReload {
    /// Reads the files of a certificate.
    ///
    /// - Returns: The certificate, or `nil` without files.
    /// - Throws: `CommandFailure` of kind `refused` if a file cannot be used.
    static func load(_ files: ServerCertificate.Files?) async throws -> ServerCertificate? {
        guard let files else { return nil }
        do {
            return try await NIOThreadPool.singleton.runIfActive { try ServerCertificate(files) }
        } catch let fault as CertificateFault {
            throw CommandFailure(.refused, fault.description, details: [advice])
        }
    }

    private static var advice: String {
        let (certificate, key) = (Settings.tlsCertificate.declaration, Settings.tlsKey.declaration)
        return "The settings are \(certificate.flag) (\(certificate.variable)) and \(key.flag) (\(key.variable))."
    }

    /// Runs the body, and reads the certificate again after each SIGHUP until it returns.
    ///
    /// - Parameters:
    ///   - certificate: The certificate. Without one, SIGHUP stops the server, as it does when a terminal closes, unless `nohup` keeps
    ///     it away.
    ///   - logger: The logger.
    ///   - body: Runs the server until one of the signals that it is given.
    /// - Throws: The error of the body.
    static func during(
        _ certificate: ServerCertificate?,
        _ logger: Logger,
        _ body: ([UnixSignal]) async throws -> Void
    ) async throws {
        guard let certificate else { return try await body(Interrupt.trapped) }
        warnOfEnd(of: certificate, logger)
        // The signal is trapped before anything listens, so that none ends the process.
        let signals = await UnixSignalsSequence(trapping: .sighup)
        let reloads = Task {
            for await _ in signals { await reload(certificate, logger) }
        }
        defer { reloads.cancel() }
        try await body([.sigterm, .sigint])
    }

    private static func reload(_ certificate: ServerCertificate, _ logger: Logger) async {
        do {
            try await NIOThreadPool.singleton.runIfActive { try certificate.reload() }
            logger.notice(
                "the TLS certificate was read again",
                metadata: ["expires": .string(HTTPDate.text(seconds: certificate.end))]
            )
            warnOfEnd(of: certificate, logger)
        } catch {
            logger.error(
                "the TLS certificate was not replaced, and the one in use stays",
                metadata: [
                    "error": "\(error)", "expires": .string(HTTPDate.text(seconds: certificate.end)),
                ]
            )
        }
    }

    private static func warnOfEnd(of certificate: ServerCertificate, _ logger: Logger) {
        guard certificate.hasEnded() else { return }
        logger.warning(
            "the TLS certificate has ended, and clients refuse it; renew it and send SIGHUP",
            metadata: [
                "file": .string(certificate.files.certificate),
                "ended": .string(HTTPDate.text(seconds: certificate.end)),
            ]
        )
    }
}
