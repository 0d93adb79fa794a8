import Locks
package import Logging
package import NIOCore

/// Logs faults in the configuration of a gateway, each kind at most once a minute.
///
/// The gateway repeats a fault with every request of its clients.
package final class ConfigurationLog: Sendable {
    /// A kind of fault.
    package enum Kind: Sendable, Hashable {
        /// The options of the path are wrong.
        case options(CheckFault)
        /// The audience does not exist.
        case audience
        /// The gateway's own credential is wrong.
        case credential
        /// A connection does not begin with the header of the PROXY protocol.
        case proxyHeader
    }

    private static let interval = TimeAmount.minutes(1)

    private let logger: Logger
    private let now: @Sendable () -> NIODeadline
    /// The time of the next line of a kind, and the number of faults since its last line.
    private let next = Locked<[Kind: (at: NIODeadline, suppressed: Int)]>([:])

    /// Creates a log without any line.
    ///
    /// - Parameters:
    ///   - logger: The logger.
    ///   - now: Returns the time.
    package init(_ logger: Logger, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.now = now
    }

    /// Logs a fault, unless a fault of its kind was logged within the last minute.
    package func report(_ kind: Kind) {
        let now = now()
        let suppressed: Int? = next.withLock { next in
            if let entry = next[kind], now < entry.at {
                next[kind]?.suppressed += 1
                return nil
            }
            defer { next[kind] = (now + Self.interval, 0) }
            return next[kind]?.suppressed ?? 0
        }
        guard let suppressed else { return }
        let (sentence, step) = Self.texts(kind)
        logger.warning(
            "the configuration of a gateway is wrong",
            metadata: ["fault": .string(sentence), "next": .string(step), "suppressed": "\(suppressed)"]
        )
    }

    private static func texts(_ kind: Kind) -> (sentence: String, step: String) {
        switch kind {
        case .options(let fault):
            (
                fault.sentence,
                "correct the path or the context extensions of the gateway; docs/gateways.md has the options"
            )
        case .audience:
            (
                "The configuration names a workspace or an organization that does not exist.",
                "correct the id or the slug in the path or the context extensions of the gateway"
            )
        case .credential:
            (
                "The gateway's own credential is missing, not valid, or of another organization than the path names.",
                "send X-Mortise-Key with an admin key that has keys:verify"
            )
        case .proxyHeader:
            (
                "A connection was closed, because it did not begin with the header of the PROXY protocol.",
                "let the gateway send the header, or remove ;proxy from the address in gateway_listen or grpc_listen"
            )
        }
    }
}
