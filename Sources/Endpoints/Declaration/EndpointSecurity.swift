package import HTTPTypes

/// How a table of endpoints finds out who calls and what they may do; the HTTP layer knows neither.
package struct EndpointSecurity<Principal: Sendable>: Sendable {
    /// Turns the credential in the header fields into whoever it belongs to.
    ///
    /// Throws `Problem.unauthorized` where there is none, and `Problem.invalidCredential` where it does not count. It
    /// runs before anything else of the request is looked at, and not at all for open endpoints. For a request that was held up it runs
    /// again, which is no further use of the credential.
    package let authenticate: @Sendable (HTTPFields, MortiseRequestContext, _ isAgain: Bool) async throws -> Principal

    /// Throws `Problem.forbidden` unless the caller has the audience and the permission.
    package let authorize: @Sendable (Principal, Access) throws -> Void

    /// Makes the pair.
    package init(
        authenticate: @escaping @Sendable (HTTPFields, MortiseRequestContext, Bool) async throws -> Principal,
        authorize: @escaping @Sendable (Principal, Access) throws -> Void
    ) {
        self.authenticate = authenticate
        self.authorize = authorize
    }
}

extension EndpointSecurity where Principal == Never {
    /// For tables that have open endpoints only.
    package static let open = EndpointSecurity(
        authenticate: { _, _, _ in throw Problem.unauthorized },
        authorize: { _, _ in }
    )
}
