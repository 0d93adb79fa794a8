import AsyncHTTPClient
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The reason why a connection failed before a response came.
package enum ConnectionFault: Sendable, Equatable {
    /// The name of the host cannot be resolved.
    case unknownHost
    /// The connection was refused, for this reason of the operating system.
    case refused(String)
    /// The connection was not established in time.
    case connectTimeout
    /// The TLS handshake did not finish in time.
    case handshakeTimeout
    /// The server closed the connection before it responded.
    case closed
    /// The connection broke before a response came.
    case broken
    /// The response is larger than any response of Mortise.
    case tooLarge
    /// The certificate of the server is not trusted.
    case untrustedCertificate
    /// The certificate of the server is for another name.
    case otherName
    /// The server does not use TLS on this port.
    case notEncrypted
    /// TLS or HTTP failed.
    ///
    /// The text comes from the libraries: it describes certificates and protocols, and has no headers.
    case protocolFailed(String)

    /// Reads the error of a connection.
    package init(_ error: any Error) {
        switch error {
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
                self = .unknownHost
            } else {
                let codes = error.connectionErrors.compactMap { ($0.error as? IOError)?.errnoCode }
                self = .refused(ConnectionFault.reason(codes.first))
            }
        case let error as IOError where ConnectionFault.refusals.contains(error.errnoCode):
            self = .refused(ConnectionFault.reason(error.errnoCode))
        case let error as HTTPClientError where [.connectTimeout, .getConnectionFromPoolTimeout].contains(error):
            self = .connectTimeout
        case ChannelError.connectTimeout: self = .connectTimeout
        case SocketAddressError.unixDomainSocketPathTooLong: self = .refused("the path is too long for a socket")
        case let error as HTTPClientError where error == .tlsHandshakeTimeout: self = .handshakeTimeout
        case let error as HTTPClientError where [.remoteConnectionClosed, .uncleanShutdown].contains(error):
            self = .closed
        case is IOError: self = .broken
        case is NIOTooManyBytesError: self = .tooLarge
        default: self = ConnectionFault.ofProtocol("\(error)")
        }
    }

    /// Reads the text of an error of TLS or HTTP.
    ///
    /// BoringSSL writes `error:<number>:SSL routines:OPENSSL_internal:<REASON> at <file of its source>`.
    private static func ofProtocol(_ text: String) -> ConnectionFault {
        // Of SwiftNIO, which compares the name after BoringSSL has accepted the certificate.
        if text.contains("failedToValidateHostname") { return .otherName }
        let marker = "OPENSSL_internal:"
        guard let start = text.firstRange(of: marker)?.upperBound else { return .protocolFailed(text) }
        let reason = text[start...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        switch reason {
        case "CERTIFICATE_VERIFY_FAILED": return .untrustedCertificate
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST": return .notEncrypted
        default: return .protocolFailed("TLS says \(reason.lowercased().replacing("_", with: " "))")
        }
    }

    /// The system errors of connecting: nothing listens, or the Unix socket is missing, not a socket or forbidden.
    private static let refusals = [ECONNREFUSED, ENOENT, ENOTDIR, ENOTSOCK, EACCES, EPERM]

    /// True if the fault came before anything was sent.
    var isBeforeSending: Bool {
        switch self {
        case .unknownHost, .refused, .connectTimeout, .handshakeTimeout, .untrustedCertificate, .otherName,
            .notEncrypted:
            true
        case .closed, .broken, .tooLarge, .protocolFailed: false
        }
    }

    /// The predicate of a sentence about the server, with the full stop.
    package var predicate: String {
        switch self {
        case .unknownHost: "cannot be reached: the host name cannot be resolved."
        case .refused(let reason): "cannot be reached: \(reason)."
        case .connectTimeout: "cannot be reached: the connection was not established in time."
        case .handshakeTimeout: "did not finish the TLS handshake in time."
        case .closed: "closed the connection before it responded."
        case .broken: "cannot be reached: the connection broke before a response came."
        case .tooLarge: "sent a response that is larger than any response of Mortise."
        case .untrustedCertificate: "has a certificate that this system does not trust."
        case .otherName: "has a certificate for another name."
        case .notEncrypted: "does not use TLS on this port."
        case .protocolFailed(let reason): "does not follow the protocol: \(reason)."
        }
    }

    private static func reason(_ code: CInt?) -> String {
        switch code {
        case ECONNREFUSED: "nothing listens there (connection refused)"
        case .some(let code): String(cString: strerror(code)).lowercased()
        case nil: "the connection was not established"
        }
    }
}
