import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix

/// Why no answer came, in words, and what to check.
struct ConnectionTrouble {
    /// What follows the URL in the sentence, with the full stop.
    let predicate: String
    let advice: [String]
    /// Whether nothing can have been sent yet.
    let isBeforeSending: Bool

    init(_ error: any Error) {
        let running = "Is `mortise serve` running there? Is --url (or MORTISE_URL) right?"
        switch error {
        case let error as NIOConnectionError:
            isBeforeSending = true
            if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
                predicate = "cannot be reached: there is no host of that name."
                advice = ["Is --url (or MORTISE_URL) right?"]
            } else {
                let reasons = error.connectionErrors.compactMap { ($0.error as? IOError)?.errnoCode }
                predicate = "cannot be reached: \(ConnectionTrouble.reason(reasons.first))."
                advice = [running]
            }
        case let error as IOError where error.errnoCode == ECONNREFUSED || error.errnoCode == ENOENT:
            isBeforeSending = true
            predicate = "cannot be reached: \(ConnectionTrouble.reason(error.errnoCode))."
            advice = [running]
        case let error as HTTPClientError where [.connectTimeout, .getConnectionFromPoolTimeout].contains(error):
            isBeforeSending = true
            predicate = "cannot be reached: no connection came about in time."
            advice = [running, "Does a firewall drop the packets?"]
        case let error as HTTPClientError where error == .tlsHandshakeTimeout:
            isBeforeSending = true
            predicate = "did not finish the TLS handshake in time."
            advice = ["Does the server speak TLS on this port? If not, the URL starts with http://."]
        case let error as HTTPClientError where [.remoteConnectionClosed, .uncleanShutdown].contains(error):
            isBeforeSending = false
            predicate = "closed the connection before it answered."
            advice = ["Has it just been stopped? If the port speaks TLS, the URL starts with https://."]
        case is IOError:
            isBeforeSending = false
            predicate = "broke the connection before it answered."
            advice = ["Has it just been stopped?"]
        case is NIOTooManyBytesError:
            isBeforeSending = false
            predicate = "answered with more than Mortise ever does."
            advice = [running]
        default:
            // What is left is TLS and HTTP itself; these libraries' descriptions hold certificates' faults, no headers.
            isBeforeSending = false
            predicate = "cannot be talked to: \(error)."
            advice = ["Is it an HTTP server, and is its certificate one that this system trusts?"]
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
