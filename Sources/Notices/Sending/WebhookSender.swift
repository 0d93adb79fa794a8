import FoundationEssentials
import Keys
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends requests to webhooks.
///
/// For a new connection, the address of a name is looked up once, checked, and then connected to. A second answer of the name server has no
/// effect. A connection is kept for the next requests to its receiver.
struct WebhookSender: Sendable {
    /// The number of bytes of an answer that are kept.
    static let keptBytes = 1024

    let policy: AddressPolicy
    let resolve: HostResolver
    let slots: AttemptSlots
    let group: any EventLoopGroup
    let kept: KeptConnections
    /// The context of TLS; `nil` on a machine without CA certificates, on which no receiver can be trusted.
    private let tls: NIOSSLContext?

    /// Creates a sender.
    init(
        policy: AddressPolicy,
        resolve: HostResolver,
        slots: AttemptSlots,
        group: any EventLoopGroup,
        kept: KeptConnections = KeptConnections(),
        trustRoots: NIOSSLTrustRoots
    ) {
        self.policy = policy
        self.resolve = resolve
        self.slots = slots
        self.group = group
        self.kept = kept
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = trustRoots
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        tls = try? NIOSSLContext(configuration: configuration)
    }

    /// Sends a request and returns the outcome.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - organization: The organization of the webhook.
    ///   - limit: The maximum time, from the look-up of the name to the answer.
    /// - Returns: The outcome, also if there was no answer.
    /// - Throws: `CancellationError`.
    func send(
        _ request: WebhookRequest,
        of organization: UUID,
        within limit: Duration
    ) async throws -> AttemptOutcome {
        let clock = ContinuousClock()
        let start = clock.now
        func milliseconds() -> Int { Int((clock.now - start).wholeMicroseconds / 1000) }
        do {
            let answer = try await exchange(request, of: organization, within: limit)
            return AttemptOutcome(answer, milliseconds: milliseconds())
        } catch {
            try Task.checkCancellation()
            return AttemptOutcome(error, milliseconds: milliseconds())
        }
    }

    private func exchange(
        _ request: WebhookRequest,
        of organization: UUID,
        within limit: Duration
    ) async throws -> WebhookAnswer {
        let receiver = Receiver(request.url, of: organization)
        let end = NIODeadline.now() + .nanoseconds(limit.wholeNanoseconds)
        let expiry = WebhookFault(AttemptFault.late.sentence)
        if let channel = kept.take(receiver) {
            do {
                return try await answer(to: request, until: end, expiry) { exchange in
                    exchange.end(with: channel)
                    let written = channel.eventLoop.makePromise(of: Void.self)
                    written.futureResult.whenFailure { _ in exchange.promise.fail(StaleConnection()) }
                    channel.writeAndFlush(exchange, promise: written)
                }
            } catch is StaleConnection {
                // The receiver closed the connection, usually before the request reached it. A new connection is tried once, within the
                // same time. The request has the same `webhook-id`.
            }
        }
        return try await answer(to: request, until: end, expiry) { exchange in
            let address = try await checkedAddress(request.url, of: organization)
            // A name server can answer after the end of the attempt, when another node can make the next one.
            try Task.checkCancellation()
            try await connect(to: address, exchange, receiver, until: end)
        }
    }

    /// Starts an exchange and waits for its answer.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - end: The end of the wait.
    ///   - expiry: The error at the end of the wait.
    ///   - start: Starts the exchange. Its error ends the wait.
    /// - Returns: The answer.
    /// - Throws: `StaleConnection` if a kept connection ended without an answer, `CancellationError`, and the errors of the connection.
    private func answer(
        to request: WebhookRequest,
        until end: NIODeadline,
        _ expiry: WebhookFault,
        _ start: @escaping @Sendable (Exchange) async throws -> Void
    ) async throws -> WebhookAnswer {
        let loop = group.next()
        let promise = loop.makePromise(of: WebhookAnswer.self)
        let timeout = loop.scheduleTask(deadline: end) { promise.fail(expiry) }
        // The work goes on until it notices the end, so that nothing waits for a name server.
        let work = Task {
            do {
                try await start(Exchange(request, promise))
            } catch {
                promise.fail(error)
            }
        }
        defer {
            timeout.cancel()
            work.cancel()
        }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// Returns the address to connect to, after the check.
    private func checkedAddress(_ url: WebhookURL, of organization: UUID) async throws -> SocketAddress {
        let address = if let literal = url.address { literal } else { try await lookUp(url.host, of: organization) }
        if let reason = policy.refusal(of: address, own: try Self.ownAddresses()) {
            throw WebhookFault("\(reason), and was not called; the operator can allow it by webhook_allow")
        }
        return try SocketAddress(ipAddress: address.description, port: url.port)
    }

    private func lookUp(_ host: String, of organization: UUID) async throws -> IPAddress {
        slots.beginLookup(of: organization)
        defer { slots.endLookup(of: organization) }
        return try await resolve(host)
    }

    private func connect(
        to address: SocketAddress,
        _ exchange: Exchange,
        _ receiver: Receiver,
        until end: NIODeadline
    ) async throws {
        let url = exchange.request.url
        if url.isEncrypted, tls == nil {
            throw WebhookFault("the server has no CA certificates; install ca-certificates")
        }
        let rest: TimeAmount = end - NIODeadline.now()
        _ = try await ClientBootstrap(group: exchange.promise.futureResult.eventLoop)
            .connectTimeout(max(rest, .nanoseconds(1)))
            .channelInitializer { [tls, kept] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if url.isEncrypted, let tls {
                        // An address has no server name (RFC 6066 section 3). The certificate must then name the address.
                        let name = url.address == nil ? url.host : nil
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHTTPClientHandlers()
                    let handler = ExchangeHandler(exchange, to: receiver, limit: Self.keptBytes, kept: kept)
                    try pipeline.addHandler(handler)
                    // The end of the attempt also closes a channel that is still connecting.
                    exchange.end(with: channel)
                }
            }
            .connect(to: address)
            .get()
    }

    /// Returns the addresses of this machine.
    ///
    /// Nothing is sent if the system does not tell them, because the check would miss them.
    private static func ownAddresses() throws(OwnAddressesUnknown) -> [IPAddress] {
        do {
            return try System.enumerateDevices().compactMap { $0.address?.ipAddress.flatMap { IPAddress($0) } }
        } catch {
            throw OwnAddressesUnknown(reason: "\(error)")
        }
    }
}

/// The error of a machine that cannot list its own addresses.
///
/// Linux tells them over netlink, which a unit of systemd or a filter of system calls can forbid.
struct OwnAddressesUnknown: Error, CustomStringConvertible {
    let reason: String

    var description: String { "the addresses of this machine are unknown: \(reason)" }
}
