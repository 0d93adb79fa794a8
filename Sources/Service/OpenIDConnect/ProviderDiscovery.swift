import JSON
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
    /// - Throws: `Refusal.unavailable` if it cannot be read.
    func provider() async throws(Refusal) -> Found { try await value.value() }

    /// Returns the provider, and reads it again if it lacks the key of a token.
    ///
    /// A key without an id is known to be absent only by the signature, which the caller checks again.
    ///
    /// - Parameter token: A token that came from the provider.
    /// - Returns: The provider, which can still lack the key.
    /// - Throws: `Refusal.unavailable` if it cannot be read.
    func provider(of token: CompactJWS) async throws(Refusal) -> Found {
        let found = try await value.value { found in token.keyID.map(found.keys.contains) ?? true }
        if token.header["kid"] != nil { return found }
        if let algorithm = token.algorithm, await found.keys.verifies(token, algorithm: algorithm) { return found }
        return try await value.value { _ in false }
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
