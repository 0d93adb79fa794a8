import AsyncHTTPClient
import Locks
import NIOCore
import NIOSSL

/// HTTP clients that trust the certificates of a file instead of the system's.
enum CertificateAuthorities {
    // A client must be shut down before its memory is freed. The process ends first.
    private static let clients = Locked<[String: HTTPClient]>([:])

    /// Returns the client for a file of certificates in the PEM format.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the file cannot be read or has no certificate.
    static func client(trusting path: String) throws(CommandFailure) -> HTTPClient {
        if let known = clients.withLock({ $0[path] }) { return known }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try configuration(path))
        clients.withLock { $0[path] = client }
        return client
    }

    private static func configuration(_ path: String) throws(CommandFailure) -> HTTPClient.Configuration {
        let bytes: [UInt8]
        do throws(FileAccess.Fault) {
            bytes = try FileAccess.readNow(path, limit: 4 * 1024 * 1024)
        } catch {
            throw .usage("The file of certificates \(path) (--ca-file) cannot be read: \(error.reason).")
        }
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw .usage(
                "The file \(path) (--ca-file) holds no certificate in the PEM format.",
                details: ["Such a certificate begins with -----BEGIN CERTIFICATE-----."]
            )
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(certificates)
        // A redirection can send the credential to another server, so none is followed.
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
