package import HTTPTypes
package import Logging

/// The authentication and authorization of a table of endpoints.
///
/// The HTTP layer knows neither credentials nor permissions.
package struct EndpointSecurity<Principal: Sendable>: Sendable {
    /// Returns the principal that the credential in the header fields belongs to.
    ///
    /// Throws `Problem.unauthorized` if there is no credential, and `Problem.invalidCredential` if the credential is not valid.
    /// Authentication runs before any other part of the request is read. It does not run for open endpoints. It runs a second
    /// time, with `isRepeated` true, for a request whose body was slow. The second run does not count as a use of the credential.
    package let authenticate:
        @Sendable (HTTPFields, MortiseRequestContext, _ isRepeated: Bool) async throws -> Principal

    /// Throws `Problem.forbidden` unless the caller has the audience and the permission.
    package let authorize: @Sendable (Principal, Access) throws -> Void

    /// Returns the members of a line in the access log that name the principal.
    ///
    /// None by default.
    package let describe: @Sendable (Principal) -> Logger.Metadata

    /// Runs a handler on behalf of the principal that sent the request.
    ///
    /// The handler's waits for what all callers share then count for the principal. `nil` if the table does not share anything.
    package let onBehalf: OnBehalf?

    /// Runs a handler on behalf of a principal; `nil` for a request to an open endpoint, which anybody can send.
    package typealias OnBehalf =
        @Sendable (Principal?, _ handler: () async throws -> EndpointResponse) async throws -> EndpointResponse

    /// Creates the security of a table.
    package init(
        authenticate: @escaping @Sendable (HTTPFields, MortiseRequestContext, Bool) async throws -> Principal,
        authorize: @escaping @Sendable (Principal, Access) throws -> Void,
        describe: @escaping @Sendable (Principal) -> Logger.Metadata = { _ in [:] },
        onBehalf: OnBehalf?
    ) {
        self.authenticate = authenticate
        self.authorize = authorize
        self.describe = describe
        self.onBehalf = onBehalf
    }
}

extension EndpointSecurity where Principal == Never {
    /// The security of a table that has open endpoints only.
    package static let open = EndpointSecurity(
        authenticate: { _, _, _ in throw Problem.unauthorized },
        authorize: { _, _ in },
        onBehalf: nil
    )
}
