/// The tokens of a member's session.
struct SessionTokens: AnswerReadable {
    /// The credential of calls.
    let access: SecretToken
    /// The token that renews both tokens.
    ///
    /// It works once.
    let refresh: SecretToken
    /// The instant from which the tokens are renewed before they are used.
    let renewal: ContinuousClock.Instant

    /// The time between the renewal and the end of an access token, so that a token does not end on its way to the
    /// server.
    private static let margin = Duration.seconds(30)

    init(_ answer: AnswerReader) throws(AnswerFault) {
        access = try answer.token("access_token")
        refresh = try answer.token("refresh_token")
        renewal = .now + .seconds(try answer.integer("expires_in")) - SessionTokens.margin
    }
}
