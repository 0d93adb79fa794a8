import FoundationEssentials
import HTTPTestSupport
import Keys
import Locks
import NIOCore
import NIOPosix
import NIOSSL
import Tenancy
import TestSupport
import Testing

@testable import Notices

/// Connections to receivers that carry several requests.
@Suite(.hangLimit) struct KeptConnectionTests {
    private static let organization = IdentifierSource.system.id()
    private static let ok: @Sendable (SeenRequest) -> Reply = { _ in .json("{}") }

    /// The limits under which no connection is too old or waits for too long.
    private static var ample: KeptConnections.Limits {
        var limits = KeptConnections.Limits()
        limits.idle = .hours(1)
        limits.age = .hours(1)
        return limits
    }

    private static func sender(
        _ kept: KeptConnections,
        trusting roots: NIOSSLTrustRoots = .default,
        resolve: @escaping @Sendable (String) async throws -> IPAddress = { _ in .v4(0x7F00_0001) }
    ) throws -> WebhookSender {
        WebhookSender(
            policy: AddressPolicy(allowing: [try AddressRange("127.0.0.1")]),
            resolve: HostResolver(resolve),
            slots: AttemptSlots(),
            group: MultiThreadedEventLoopGroup.singleton,
            kept: kept,
            trustRoots: roots
        )
    }

    private static func send(
        _ url: String,
        of organization: UUID? = nil,
        over sender: WebhookSender
    ) async throws -> AttemptOutcome {
        let request = try WebhookRequest.sample(to: url)
        let limit = Duration.seconds(60).onThisMachine
        return try await sender.send(request, of: organization ?? Self.organization, within: limit)
    }

    /// The numbers of requests, from 1.
    private final class Numbers: Sendable {
        private let last = Locked(0)

        func next() -> Int {
            last.withLock { last in
                last += 1
                return last
            }
        }
    }

    @Test func `requests to a receiver follow each other over one connection`() async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            for path in ["a", "b", "c"] {
                let outcome = try await Self.send("\(receiver.url)/\(path)", over: sender)
                #expect(outcome.statusCode == 200 && outcome.response == "{}", "\(outcome)")
            }
            #expect(receiver.requests.map(\.uri) == ["/a", "/b", "/c"])
            #expect(receiver.connectionCount == 1)
            #expect(kept.count == 1)
            kept.shutdown()
            #expect(kept.count == 0)
            let outcome = try await Self.send("\(receiver.url)/d", over: sender)
            #expect(outcome.isSuccess)
            #expect(kept.count == 0)
        }
    }

    @Test func `a connection over TLS is kept, too`() async throws {
        let (certificate, key) = (TestCertificate.first.certificate, TestCertificate.first.key)
        try await ScriptedServer.withTLS(certificate: certificate, key: key, Self.ok) { receiver in
            let roots = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept, trusting: .certificates(roots))
            for _ in 0..<3 {
                let outcome = try await Self.send("https://localhost:\(receiver.port)/", over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
            }
            #expect(receiver.connectionCount == 1)
            // The certificate does not name this host, so the connection of the other name does not help.
            let other = try await Self.send("https://other.example:\(receiver.port)/", over: sender)
            #expect(other.statusCode == nil && other.error != nil, "\(other)")
            #expect(receiver.requests.count == 3)
        }
    }

    // The attack: an answer over a shared connection reaches the deliveries of another organization.
    @Test func `organizations share no connection`() async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            for organization in [Self.organization, IdentifierSource.system.id(), Self.organization] {
                let outcome = try await Self.send(receiver.url, of: organization, over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
            }
            #expect(receiver.connectionCount == 2)
        }
    }

    // The fault: a receiver closes a connection that waits, and the next event is recorded as failed.
    @Test func `a kept connection that ends without an answer is replaced within the same attempt`() async throws {
        let numbers = Numbers()
        try await ScriptedServer.with { _ in
            numbers.next() == 2 ? .hangUp : .json("{}")
        } _: { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            for _ in 0..<2 {
                let outcome = try await Self.send(receiver.url, over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
            }
            #expect(receiver.requests.count == 3)
            #expect(receiver.connectionCount == 2)
        }
    }

    @Test func `a new connection that ends without an answer is a failed attempt, and is not repeated`() async throws {
        let numbers = Numbers()
        try await ScriptedServer.with { _ in
            numbers.next() == 1 ? .json("{}") : .hangUp
        } _: { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            let first = try await Self.send(receiver.url, over: sender)
            #expect(first.isSuccess, "\(first)")
            // The kept connection ends, and then the new one.
            let second = try await Self.send(receiver.url, over: sender)
            #expect(second.statusCode == nil && second.error != nil, "\(second)")
            #expect(receiver.requests.count == 3)
            let third = try await Self.send(receiver.url, over: sender)
            #expect(third.statusCode == nil && third.error != nil, "\(third)")
            #expect(receiver.requests.count == 4)
        }
    }

    // The fault: the receiver has begun its answer, so it has the event, and gets it again at once.
    @Test func `an attempt of which a part of the answer came is not repeated`() async throws {
        let numbers = Numbers()
        try await ScriptedServer.with { _ in
            numbers.next() == 1 ? .json("{}") : .cut
        } _: { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            _ = try await Self.send(receiver.url, over: sender)
            let outcome = try await Self.send(receiver.url, over: sender)
            #expect(outcome.statusCode == nil && outcome.error != nil, "\(outcome)")
            #expect(receiver.requests.count == 2)
            #expect(receiver.connectionCount == 1)
        }
    }

    @Test func `a receiver that announces the end of a connection gets a new one`() async throws {
        try await ScriptedServer.with { _ in
            .answer(200, "{}", headers: [("Connection", "close")])
        } _: { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            for _ in 0..<2 {
                let outcome = try await Self.send(receiver.url, over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
                #expect(kept.count == 0)
            }
            #expect(receiver.connectionCount == 2)
        }
    }

    // The attack: the name of a receiver leads to an allowed address first, and then into the operator's network.
    @Test func `each new connection is checked, and a kept one stays at the address that was checked`() async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            let time = Locked(NIODeadline.now())
            let lookups = Locked(0)
            let kept = KeptConnections(limits: Self.ample) { time.withLock { $0 } }
            defer { kept.shutdown() }
            let sender = try Self.sender(kept) { _ in
                let isFirst = lookups.withLock { lookups in
                    lookups += 1
                    return lookups == 1
                }
                return .v4(isFirst ? 0x7F00_0001 : 0x7F00_0002)
            }
            let url = "http://localhost:\(receiver.port)/"
            for _ in 0..<2 {
                let outcome = try await Self.send(url, over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
            }
            #expect(lookups.withLock { $0 } == 1)
            // A connection that is too old takes no further request.
            time.withLock { $0 = $0 + .hours(1) }
            let outcome = try await Self.send(url, over: sender)
            #expect(outcome.error?.contains("127.0.0.2") == true, "\(outcome)")
            #expect(lookups.withLock { $0 } == 2)
            #expect(receiver.requests.count == 2)
            #expect(kept.count == 0)
        }
    }

    // The fault: the request of an attempt that has ended is written, and nothing ends the connection after it.
    @Test func `an attempt that ends before its request is written ends the connection that it took`() async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            let kept = KeptConnections(limits: Self.ample)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            let outcome = try await Self.send(receiver.url, over: sender)
            #expect(outcome.isSuccess, "\(outcome)")
            let request = try WebhookRequest.sample(to: receiver.url)
            let taken = kept.take(Receiver(request.url, of: Self.organization))
            let channel = try #require(taken)
            let promise = channel.eventLoop.makePromise(of: WebhookAnswer.self)
            promise.fail(CancellationError())
            Exchange(request, promise).end(with: channel)
            try await channel.closeFuture.get()
            #expect(receiver.requests.count == 1)
        }
    }

    @Test func `a connection that waits for too long is closed`() async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            var limits = Self.ample
            limits.idle = .milliseconds(1)
            let kept = KeptConnections(limits: limits)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            let outcome = try await Self.send(receiver.url, over: sender)
            #expect(outcome.isSuccess, "\(outcome)")
            try await eventually("the connection is closed") { kept.count == 0 }
            let next = try await Self.send(receiver.url, over: sender)
            #expect(next.isSuccess, "\(next)")
            #expect(receiver.connectionCount == 2)
        }
    }

    @Test(arguments: ["in all", "of an organization", "to a receiver"])
    func `the number of kept connections is bounded`(_ bound: String) async throws {
        try await ScriptedServer.with(Self.ok) { receiver in
            var limits = Self.ample
            switch bound {
            case "in all": limits.total = 0
            case "of an organization": limits.perOrganization = 0
            default: limits.perReceiver = 0
            }
            let kept = KeptConnections(limits: limits)
            defer { kept.shutdown() }
            let sender = try Self.sender(kept)
            for _ in 0..<2 {
                let outcome = try await Self.send(receiver.url, over: sender)
                #expect(outcome.isSuccess, "\(outcome)")
                #expect(kept.count == 0)
            }
            #expect(receiver.connectionCount == 2)
        }
    }
}
