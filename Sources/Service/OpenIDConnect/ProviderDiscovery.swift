import Logging

/// The metadata and the public keys of the identity provider, as this node last read them.
struct ProviderDiscovery: Sendable {
    /// A provider that can be used.
    struct Found: Sendable {
        let metadata: ProviderMetadata
        let keys: KeySet
    }

    private let value: RefreshedValue<Found>

    /// Creates a discovery that has read nothing yet.
    init(
        _ provider: IdentityProvider,
        exchange: @escaping OutboundExchange,
        elapsed: @escaping @Sendable () -> Duration,
        logger: Logger
    ) {
        value = RefreshedValue(elapsed: elapsed) {
            do {
                return try await Self.read(provider.issuer, exchange)
            } catch {
                logger.warning(
                    "the identity provider cannot be read",
                    metadata: ["issuer": "\(provider.issuer)", "reason": "\(error)"]
                )
                return nil
            }
        }
    }

    /// The provider as it was last read.
    var current: Found? { value.current }

    /// Returns the provider.
    ///
    /// - Parameter keyID: A key that is needed. `nil` needs none.
    /// - Returns: The provider, which can still lack the key.
    /// - Throws: `Refusal.unavailable` if it cannot be read.
    func provider(with keyID: String? = nil) async throws(Refusal) -> Found {
        try await value.value { found in keyID.map(found.keys.contains) ?? true }
    }

    /// Ends a read that is under way.
    func shutdown() async { await value.shutdown() }

    /// Reads a provider.
    ///
    /// - Throws: `ProviderMetadata.Fault`, the errors of the exchange.
    static func read(_ issuer: String, _ exchange: OutboundExchange) async throws -> Found {
        let metadata = try ProviderMetadata(try await body(ProviderMetadata.url(of: issuer), exchange), of: issuer)
        guard let keys = KeySet(try await body(metadata.keys, exchange), allowsKeysWithoutID: true),
            await keys.canVerify(metadata.algorithms)
        else { throw ProviderMetadata.Fault("\(metadata.keys) is no JSON Web Key Set with a key for ID tokens") }
        return Found(metadata: metadata, keys: keys)
    }

    private static func body(_ url: String, _ exchange: OutboundExchange) async throws -> [UInt8] {
        let answer = try await exchange(OutboundRequest(url))
        guard answer.status == 200 else { throw ProviderMetadata.Fault("\(url) answered \(answer.status)") }
        return answer.body
    }
}
