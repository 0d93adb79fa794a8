package import Service

/// Examines an identity provider without a server.
package enum IdentityProviderCheck {
    /// Returns the fault of a provider, or `nil` for one that can be used.
    package static func run(_ provider: IdentityProvider) async -> SignInFault? {
        let client = OutboundClient(tracer: nil, deadline: .seconds(5))
        let fault = await SignInFault.find(provider) { try await client.send($0) }
        await client.shutdown()
        return fault
    }
}
