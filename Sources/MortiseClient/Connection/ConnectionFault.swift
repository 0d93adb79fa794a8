import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix

/// Why no answer came.
package enum ConnectionFault: Sendable, Equatable {
    /// The name of the host means nothing.
    case unknownHost
    /// The connection was refused, with the system's reason.
    case refused(String)
    /// No connection came about in time.
    case connectTimeout
    /// The TLS handshake took too long.
    case handshakeTimeout
    /// The server closed the connection before it answered.
    case closed
    /// The connection broke before an answer came.
    case broken
    /// The answer is larger than any of Mortise's.
    case tooLarge
    /// TLS or HTTP itself failed; the libraries' descriptions hold certificates' faults, no headers.
    case protocolFailed(String)

    init(_ error: any Error) {
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
        case let error as HTTPClientError where error == .tlsHandshakeTimeout: self = .handshakeTimeout
        case let error as HTTPClientError where [.remoteConnectionClosed, .uncleanShutdown].contains(error):
            self = .closed
        case is IOError: self = .broken
        case is NIOTooManyBytesError: self = .tooLarge
        default: self = .protocolFailed("\(error)")
        }
    }

    /// What connecting fails with: nothing listens there, or, of a Unix socket, it is not there, not a socket or not for this user.
    private static let refusals = [ECONNREFUSED, ENOENT, ENOTDIR, ENOTSOCK, EACCES, EPERM]

    /// Whether nothing can have been sent yet.
    var isBeforeSending: Bool {
        switch self {
        case .unknownHost, .refused, .connectTimeout, .handshakeTimeout: true
        case .closed, .broken, .tooLarge, .protocolFailed: false
        }
    }

    /// What follows the URL in a sentence, with the full stop.
    package var predicate: String {
        switch self {
        case .unknownHost: "cannot be reached: there is no host of that name."
        case .refused(let reason): "cannot be reached: \(reason)."
        case .connectTimeout: "cannot be reached: no connection came about in time."
        case .handshakeTimeout: "did not finish the TLS handshake in time."
        case .closed: "closed the connection before it answered."
        case .broken: "broke the connection before it answered."
        case .tooLarge: "answered with more than Mortise ever does."
        case .protocolFailed(let reason): "cannot be talked to: \(reason)."
        }
    }

    private static func reason(_ code: CInt?) -> String {
        switch code {
        case ECONNREFUSED: "nothing listens there (connection refused)"
        case .some(let code): String(cString: strerror(code)).lowercased()
        case nil: "no connection came about"
        }
    }
}
