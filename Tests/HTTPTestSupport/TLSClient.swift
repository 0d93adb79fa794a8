import Locks
package import NIOCore
import NIOSSL

/// The handler of TLS for a connection that a test makes.
///
/// It trusts every certificate, and keeps what it has seen.
package final class TLSClient: Sendable {
    private let seen = Locked<String?>(nil)
    private let protocols: [String]
    private let maximum: TLSVersion?

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - protocols: The protocols that the client offers.
    ///   - isOld: True for a client that knows TLS 1.1 at most.
    package init(_ protocols: String..., isOld: Bool = false) {
        self.protocols = protocols
        maximum = isOld ? .tlsv11 : nil
    }

    /// The common name of the last certificate of a server.
    package var name: String? { seen.withLock { $0 } }

    /// Adds the handler to a connection.
    package func prepare(_ channel: any Channel) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = protocols
        configuration.maximumTLSVersion = maximum
        configuration.minimumTLSVersion = .tlsv1
        let handler = try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: configuration),
            serverHostname: nil,
            customVerificationCallback: { [self] certificates, promise in
                seen.withLock { $0 = certificates.first.map { "\($0)" } }
                promise.succeed(.certificateVerified)
            }
        )
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
