import JSON

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// A session with its tokens, for a program that keeps them between two runs.
package struct SessionGrant: Sendable {
    /// The credential of calls.
    package let access: SecretToken
    /// The token that renews both tokens.
    ///
    /// It works once.
    package let refresh: SecretToken
    /// The time at which the access token ends.
    package let end: Date
    /// The e-mail address of the member.
    package let email: String
    /// The id of the organization of the session.
    package let organizationID: String
}

extension SessionGrant: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        access = try answer.token("access_token")
        refresh = try answer.token("refresh_token")
        // The clock of this machine counts, which can differ from the server's.
        end = Date().addingTimeInterval(Double(try answer.integer("expires_in")))
        let user: Mortise.User = try answer.object("user")
        email = user.email
        organizationID = try answer.text("organization_id")
    }
}

extension Mortise {
    /// Signs a member in and returns the tokens of the session.
    ///
    /// - Parameters:
    ///   - email: The e-mail address of the member.
    ///   - password: The password of the member.
    ///   - organization: The id or slug of the organization to work in. `nil` means the one of the oldest membership.
    /// - Returns: The tokens.
    /// - Throws: ``MortiseError``, with the reason `.unauthenticated` if the address or the password is wrong.
    package func beginSession(
        email: String,
        password: SecretToken,
        organization: String?
    ) async throws(MortiseError) -> SessionGrant {
        var body = JSONObject()
        body.add("email", email)
        body.add("password", password.reveal())
        body.add("organization", organization)
        return try await transport.with(credential: nil).read(.post(["v1", "sessions"], body))
    }

    /// Exchanges a code that the console gave to this program, for the tokens of a session.
    ///
    /// - Parameters:
    ///   - code: The code, which works once.
    ///   - verifier: The text whose digest was the challenge.
    /// - Returns: The tokens.
    /// - Throws: ``MortiseError``, with the reason `.unauthenticated` if the code is late, used, or another program's.
    package func beginSession(code: SecretToken, verifier: SecretToken) async throws(MortiseError) -> SessionGrant {
        let body: JSONObject = ["code": .string(code.reveal()), "code_verifier": .string(verifier.reveal())]
        return try await transport.with(credential: nil).read(.post(["v1", "sessions", "code"], body))
    }

    /// Renews the tokens of a session.
    ///
    /// - Parameter refresh: The refresh token, which does not work a second time.
    /// - Returns: The new tokens.
    /// - Throws: ``MortiseError``, with the reason `.unauthenticated` if the session has ended.
    package func renewSession(_ refresh: SecretToken) async throws(MortiseError) -> SessionGrant {
        let body: JSONObject = ["refresh_token": .string(refresh.reveal())]
        return try await transport.with(credential: nil).read(.post(["v1", "sessions", "refresh"], body))
    }
}
