import FoundationEssentials
import Glibc
import HTTPTestSupport
import Keys
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Tenancy
import TestSupport
import Testing

@testable import Notices

/// The words about an attempt that got no answer.
@Suite(.hangLimit) struct AttemptFaultTests {
    private static let organization = IdentifierSource.system.id()

    private static func outcome(
        _ url: String,
        trusting roots: NIOSSLTrustRoots = .default,
        within limit: Duration = .seconds(60).onThisMachine,
        resolve: @escaping @Sendable (String) async throws -> IPAddress = { _ in .v4(0x7F00_0001) }
    ) async throws -> AttemptOutcome {
        let kept = KeptConnections(limits: KeptConnections.Limits(total: 0))
        defer { kept.shutdown() }
        let sender = WebhookSender(
            policy: AddressPolicy(allowing: [try AddressRange("127.0.0.0/8")]),
            resolve: HostResolver(resolve),
            slots: AttemptSlots(),
            group: MultiThreadedEventLoopGroup.singleton,
            kept: kept,
            trustRoots: roots
        )
        return try await sender.send(try .sample(to: url), of: organization, within: limit)
    }

    private static func roots(_ certificate: TestCertificate) throws -> NIOSSLTrustRoots {
        .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificate.utf8)))
    }

    @Test func `an attempt says that nothing listens, that no name was found, and that no answer came in time`()
        async throws
    {
        try await ScriptedServer.with { _ in
            .silence
        } _: { receiver in
            // The receiver listens at 127.0.0.1 alone.
            let refused = try await Self.outcome("http://localhost:\(receiver.port)/") { _ in .v4(0x7F00_0002) }
            #expect(refused.error == AttemptFault.refused.sentence && refused.cause?.isOfServer == false)
            let unknown = try await Self.outcome("http://localhost:\(receiver.port)/") { _ in
                // No name server is asked for a name with a label of more than 63 characters.
                let name = String(repeating: "a", count: 64) + ".example"
                _ = try SocketAddress.makeAddressResolvingHost(name, port: 443)
                return .v4(0x7F00_0001)
            }
            let sentences = [AttemptFault.unknownHost, .unresolved].map(\.sentence)
            #expect(sentences.contains(unknown.error ?? "") && unknown.cause?.isOfServer == false, "\(unknown)")
            let limit = Duration.milliseconds(100).onThisMachine
            let late = try await Self.outcome("http://127.0.0.1:\(receiver.port)/", within: limit)
            #expect(late.error == AttemptFault.late.sentence)
        }
    }

    @Test(arguments: [Reply.hangUp, .cut])
    func `an attempt says that the receiver closed the connection`(_ reply: Reply) async throws {
        try await ScriptedServer.with { _ in
            reply
        } _: { receiver in
            let outcome = try await Self.outcome("http://127.0.0.1:\(receiver.port)/")
            #expect(outcome.error == AttemptFault.closed.sentence, "\(outcome)")
        }
    }

    @Test func `an attempt says that a certificate is not trusted, or names another host`() async throws {
        let own = TestCertificate.first
        try await ScriptedServer.withTLS(certificate: own.certificate, key: own.key) { _ in
            .json("{}")
        } _: { receiver in
            let other = try await Self.outcome(
                "https://localhost:\(receiver.port)/",
                trusting: try Self.roots(.second)
            )
            #expect(other.error == AttemptFault.untrustedCertificate.sentence, "\(other)")
            #expect(other.cause?.text.contains("CERTIFICATE_VERIFY_FAILED") == true)
            let elsewhere = try await Self.outcome(
                "https://other.example:\(receiver.port)/",
                trusting: try Self.roots(own)
            )
            #expect(elsewhere.error == AttemptFault.otherHost.sentence, "\(elsewhere)")
            #expect(receiver.requests.isEmpty)
        }
    }

    /// The errors of libraries that an attempt can end with.
    private static let errors: [(error: any Error, fault: AttemptFault)] = [
        (IOError(errnoCode: ECONNREFUSED, reason: "connect"), .refused),
        (IOError(errnoCode: ETIMEDOUT, reason: "connect"), .unreachable),
        (IOError(errnoCode: EHOSTUNREACH, reason: "connect"), .unreachable),
        (IOError(errnoCode: ENETUNREACH, reason: "connect"), .unreachable),
        (IOError(errnoCode: ECONNRESET, reason: "read"), .closed),
        (IOError(errnoCode: EPIPE, reason: "write"), .closed),
        (IOError(errnoCode: EPERM, reason: "connect"), .forbidden),
        (IOError(errnoCode: EMFILE, reason: "socket"), .exhausted),
        (IOError(errnoCode: EBADF, reason: "read"), .unknown),
        (ChannelError.connectTimeout(.seconds(1)), .late), (ChannelError.ioOnClosedChannel, .closed),
        (ChannelError.eof, .closed), (SocketAddressError.unsupported, .unknownHost),
        (HTTPParserError.invalidEOFState, .closed), (HTTPParserError.invalidConstant, .unreadable),
        (NIOHTTPDecoderError.unsolicitedResponse, .unreadable), (NIOSSLError.uncleanShutdown, .closed),
        (NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])), .closed),
        (NIOSSLError.handshakeFailed(.sslError([])), .noTLS),
        (NIOSSLError.unableToValidateCertificate, .untrustedCertificate),
        (NIOSSLExtraError.failedToValidateHostname, .otherHost), (NIOSSLExtraError.invalidSNIHostname, .noTLS),
        (OwnAddressesUnknown(reason: "getifaddrs"), .noOwnAddresses), (EventLoopError.shutdown, .unknown),
    ]

    @Test func `each error has words for people, and the log has the words of the library`() {
        for (error, fault) in Self.errors {
            #expect(AttemptFault(error) == fault, "\(error)")
            let outcome = AttemptOutcome(error, milliseconds: 1)
            #expect(outcome.error == fault.sentence && outcome.cause?.text == "\(error)")
            // The list of deliveries shows the first 200 characters.
            #expect(fault.sentence.count <= 200)
            for word in ["errno", "NIO", "Error", "SSL", "("] { #expect(!fault.sentence.contains(word), "\(fault)") }
        }
    }

    // A tenant chooses the receiver, and must not fill the log.
    @Test func `only a fault of the server itself is news for the operator`() {
        let faults: [AttemptFault] = [
            .said("a"), .refused, .unreachable, .late, .unknownHost, .unresolved, .closed, .untrustedCertificate,
            .otherHost, .noTLS, .unreadable,
        ]
        #expect(faults.allSatisfy { !$0.isOfServer })
        let own: [AttemptFault] = [.forbidden, .exhausted, .noOwnAddresses, .unknown]
        #expect(own.allSatisfy { $0.isOfServer })
        #expect(AttemptOutcome(WebhookFault("a"), milliseconds: 1).cause == nil)
    }
}
