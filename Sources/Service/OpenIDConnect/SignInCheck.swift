import Logging
import People
public import Postgres
import Tenancy

/// The ways in which members can sign in now, examined.
///
/// A start logs them, and `mortise doctor` shows them: an installation that nobody can sign in to must not look healthy.
public enum SignInFault: Sendable, Hashable {
    /// The provider cannot be read. The text says why.
    case unreachable(issuer: String, reason: String)
    /// Passwords are off, and no owner has signed in with the provider yet.
    case noOwner(issuer: String)

    /// The fault in one sentence.
    public var sentence: String {
        switch self {
        case .unreachable(let issuer, let reason):
            "The identity provider \(issuer) cannot be used, so members cannot sign in with it: \(reason)."
        case .noOwner(let issuer):
            "Passwords are off, and no owner has signed in with \(issuer) yet. If that fails, no owner can sign in."
        }
    }

    /// The next step in one sentence.
    public var remedy: String {
        switch self {
        case .unreachable: "Check MORTISE_OIDC_ISSUER, and whether this machine reaches it."
        case .noOwner:
            "Sign in to the console as an owner. If that is refused, start with MORTISE_PASSWORDS=on until it works."
        }
    }

    /// Examines a provider.
    ///
    /// - Parameters:
    ///   - provider: The provider.
    ///   - exchange: Sends requests.
    /// - Returns: The fault, or `nil` for a provider that can be used.
    public static func find(_ provider: IdentityProvider, exchange: OutboundExchange) async -> SignInFault? {
        do {
            _ = try await ProviderDiscovery.read(provider.issuer, exchange)
            return nil
        } catch {
            return .unreachable(issuer: provider.issuer, reason: "\(error)")
        }
    }

    /// Examines the owners, for an installation without passwords.
    ///
    /// - Parameters:
    ///   - provider: The provider.
    ///   - connection: A connection to the control database.
    /// - Returns: The fault, or `nil` if an owner has signed in with the provider.
    /// - Throws: The database's errors.
    public static func find(_ provider: IdentityProvider, on connection: PostgresConnection) async throws
        -> SignInFault?
    {
        try await PeopleStore(connection).hasOwner(boundTo: provider.issuer) ? nil : .noOwner(issuer: provider.issuer)
    }
}

extension Platform {
    /// Reads the identity provider, so that the first sign-in does not wait for it, and logs if members cannot sign in.
    public func checkSignIn() async {
        guard let providerSignIn else { return }
        // A provider that cannot be read is logged where it is read.
        _ = try? await providerSignIn.discovery.provider()
        guard passwordUse == .off else { return }
        let context = providerSignIn.context
        let found = try? await context.databases.control.pool.withConnection {
            try await SignInFault.find(providerSignIn.provider, on: $0)
        }
        guard let fault = found else { return }
        context.logger.warning(
            "members may be unable to sign in",
            metadata: ["fault": "\(fault.sentence)", "next": "\(fault.remedy)"]
        )
    }
}
