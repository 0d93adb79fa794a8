import FoundationEssentials
import Keys
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends requests to webhooks.
///
/// The address of a name is looked up once, checked, and then connected to. A second answer of the name server has no effect.
struct WebhookSender: Sendable {
    /// The number of bytes of an answer that are kept.
    static let keptBytes = 1024

    let policy: AddressPolicy
    let resolve: HostResolver
    let slots: AttemptSlots
    let group: any EventLoopGroup
    /// Is `nil` on a machine without certificates of authorities, on which no receiver can be trusted.
    private let tls: NIOSSLContext?

    /// Creates a sender.
    init(
        policy: AddressPolicy,
        resolve: HostResolver,
        slots: AttemptSlots,
        group: any EventLoopGroup,
        trustRoots: NIOSSLTrustRoots
    ) {
        self.policy = policy
        self.resolve = resolve
        self.slots = slots
        self.group = group
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
            return AttemptOutcome(error: Self.text(of: error), milliseconds: milliseconds())
        }
    }

    private func exchange(
        _ request: WebhookRequest,
        of organization: UUID,
        within limit: Duration
    ) async throws -> WebhookAnswer {
        let loop = group.next()
        let promise = loop.makePromise(of: WebhookAnswer.self)
        let timeout = loop.scheduleTask(in: .nanoseconds(limit.wholeNanoseconds)) {
            promise.fail(WebhookFault("no complete answer came within \(limit)"))
        }
        // The work goes on until it notices the end, so that nothing waits for a name server.
        let work = Task {
            do {
                let address = try await checkedAddress(request.url, of: organization)
                // A name server can answer after the end of the attempt, when another node can make the next one.
                try Task.checkCancellation()
                try await connect(to: address, on: loop, request, within: limit, promise)
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
            throw WebhookFault("\(reason), and was not called")
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
        on loop: any EventLoop,
        _ request: WebhookRequest,
        within limit: Duration,
        _ promise: EventLoopPromise<WebhookAnswer>
    ) async throws {
        if request.url.isEncrypted, tls == nil {
            throw WebhookFault("the server has no certificates of authorities, as those of ca-certificates")
        }
        _ = try await ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(limit.wholeNanoseconds))
            .channelInitializer { [tls] channel in
                // The end of the attempt also closes a channel that is still connecting.
                promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if request.url.isEncrypted, let tls {
                        // An address has no server name (RFC 6066 section 3). The certificate must then name the address.
                        let name = request.url.address == nil ? request.url.host : nil
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(ExchangeHandler(request, limit: Self.keptBytes, promise))
                }
            }
            .connect(to: address)
            .get()
    }

    /// Returns the addresses of this machine.
    ///
    /// Nothing is sent if the system does not tell them, because the check would miss them.
    private static func ownAddresses() throws -> [IPAddress] {
        try System.enumerateDevices().compactMap { $0.address?.ipAddress.flatMap { IPAddress($0) } }
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let fault as WebhookFault: fault.description
        case let error as NIOConnectionError:
            "the connection failed: \(error.connectionErrors.first.map { "\($0.error)" } ?? error.host)"
        case let error as SocketAddressError: "the name cannot be resolved: \(error)"
        case let error as IOError: "the connection failed: \(error)"
        case is ChannelError: "the connection failed"
        default: "the request failed: \(error)"
        }
    }
}
