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

    /// Returns the principal of a credential that can be judged without a wait, or `nil` if only `authenticate` can tell.
    ///
    /// `nil` if every authentication waits.
    package let authenticateAtOnce: AuthenticateAtOnce?

    /// Authenticates without a wait.
    ///
    /// It counts a use as `authenticate` does, if it returns a principal.
    package typealias AuthenticateAtOnce =
        @Sendable (HTTPFields, MortiseRequestContext, _ isRepeated: Bool) -> Principal?

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
        atOnce authenticateAtOnce: AuthenticateAtOnce? = nil,
        authorize: @escaping @Sendable (Principal, Access) throws -> Void,
        describe: @escaping @Sendable (Principal) -> Logger.Metadata = { _ in [:] },
        onBehalf: OnBehalf?
    ) {
        self.authenticate = authenticate
        self.authenticateAtOnce = authenticateAtOnce
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
