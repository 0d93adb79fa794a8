import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The reason for which an attempt got no answer, for people who look after the receiver.
enum AttemptFault: Sendable, Equatable {
    /// Mortise's own words, such as those of ``WebhookFault``.
    case said(String)
    /// Nothing listens, or a firewall refuses.
    case refused
    /// The host or its network does not answer.
    case unreachable
    /// No complete answer came in time.
    case late
    /// The name of the host has no address.
    case unknownHost
    /// The look-up of the name failed.
    case unresolved
    /// The connection ended before the answer was complete.
    case closed
    /// The certificate has no trusted authority, or is not valid today.
    case untrustedCertificate
    /// The certificate names other hosts.
    case otherHost
    /// The receiver does not speak TLS, or no version of it that Mortise speaks.
    case noTLS
    /// The answer is not one of HTTP/1.1.
    case unreadable
    /// The firewall or the service settings of the Mortise server block the connection.
    case forbidden
    /// The Mortise server has no free descriptors or memory for the connection.
    case exhausted
    /// The Mortise server cannot list its own addresses, so no address can be checked.
    case noOwnAddresses
    /// Any other error.
    case unknown

    /// Creates the fault of an error of a resolver, a socket, TLS or HTTP.
    init(_ error: any Error) {
        switch error {
        case let fault as WebhookFault: self = .said(fault.description)
        case is OwnAddressesUnknown: self = .noOwnAddresses
        case let error as IOError: self.init(system: error.errnoCode)
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first?.error { self.init(first) } else { self = .unknownHost }
        case let error as SocketAddressError.UnknownHost:
            self = Self.absences.contains(error.errorCode) ? .unknownHost : .unresolved
        case is SocketAddressError: self = .unknownHost
        case let error as ChannelError: if case .connectTimeout = error { self = .late } else { self = .closed }
        case let error as HTTPParserError:
            self = error == .invalidEOFState || error == .closedConnection ? .closed : .unreadable
        case is NIOHTTPDecoderError: self = .unreadable
        case let error as NIOSSLError: self.init(tls: error)
        case let error as NIOSSLExtraError:
            let names: [NIOSSLExtraError] = [.failedToValidateHostname, .serverHostnameImpossibleToMatch]
            self = names.contains(error) ? .otherHost : .noTLS
        case is BoringSSLError: self = .noTLS
        default: self = .unknown
        }
    }

    /// The answers of the resolver that say that the host has no address: `EAI_NONAME`, and the extension `EAI_NODATA`.
    private static let absences = [Int(EAI_NONAME), -5]

    private init(system code: CInt) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL, EAFNOSUPPORT: self = .unreachable
        case ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN: self = .closed
        case EACCES, EPERM: self = .forbidden
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: self = .exhausted
        default: self = .unknown
        }
    }

    private init(tls error: NIOSSLError) {
        if Self.ends.contains(error) {
            self = .closed
        } else if error == .unableToValidateCertificate || error == .noCertificateToValidate {
            self = .untrustedCertificate
        } else if error == .cannotMatchULabel {
            self = .otherHost
        } else {
            // BoringSSL has the reason in the text alone: `error:<number>:SSL routines:OPENSSL_internal:<REASON> at <file>`.
            self = "\(error)".contains("CERTIFICATE_VERIFY_FAILED") ? .untrustedCertificate : .noTLS
        }
    }

    /// The errors of TLS that say that the receiver closed the connection.
    private static let ends: [NIOSSLError] = [
        .uncleanShutdown, .handshakeFailed(.sslError([.eofDuringHandshake])), .handshakeFailed(.zeroReturn),
        .handshakeFailed(.syscallError),
    ]

    /// True if the receiver cannot mend the fault, so that the operator has to know of it.
    var isOfServer: Bool {
        switch self {
        case .forbidden, .exhausted, .noOwnAddresses, .unknown: true
        default: false
        }
    }

    /// The fault and its remedy.
    var sentence: String {
        switch self {
        case .said(let text): text
        case .refused:
            "the connection was refused; check that the receiver runs, and that it listens on the port of the URL"
        case .unreachable:
            "the receiver cannot be reached from the server; check the address of the host, and the firewalls on the way"
        case .late: "no complete answer came in time; answer at once, and do the work afterwards"
        case .unknownHost: "the name of the host was not found; check the URL, and the host's entry in the DNS"
        case .unresolved:
            "the name of the host could not be looked up; check the URL, and the name servers of the host's domain"
        case .closed:
            "the receiver closed the connection before its answer was complete; its log can say why"
        case .untrustedCertificate:
            """
            the certificate of the receiver is not trusted; check that it has not expired, that a public authority has signed it, and \
            that the receiver sends the whole chain
            """
        case .otherHost: "the certificate does not name the host; use the name in the URL that the certificate has"
        case .noTLS: "the receiver did not agree on TLS; check that the port of the URL speaks TLS 1.2 or 1.3"
        case .unreadable: "the answer is not HTTP/1.1; check the port of the URL, and what answers there"
        case .forbidden:
            "the firewall or the service settings of the Mortise server block the connection; its operator can allow it"
        case .exhausted:
            "the Mortise server had no free descriptors or memory for the connection; the log of the server has the reason"
        case .noOwnAddresses:
            """
            the Mortise server cannot list its own addresses, to which no webhook is sent; its operator can allow sockets of the family \
            AF_NETLINK
            """
        case .unknown: "the request failed; the log of the server has the reason"
        }
    }
}
