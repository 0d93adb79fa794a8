import JSON

extension Mortise {
    /// Verifies a token.
    ///
    /// Requires the permission `keys:verify`. A refused token is a verdict, not an error. The audience is the
    /// organization or workspace of the credential, and a token of any other gets the verdict
    /// ``Verdict/Code/notFound``. Admin and operator keys are never valid here. Each call counts as a use of the key,
    /// so the call is retried only if nothing was sent.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "fail-closed")
    ///
    /// - Parameters:
    ///   - token: The token that your application received, at most 4096 characters.
    ///   - scopes: The scopes that the key must have, at most 100. An empty array accepts every key.
    ///   - address: The IP address of the end client. A key that is restricted to addresses needs it.
    ///   - mode: The mode that the key must have. `nil` accepts both.
    ///   - namespace: The namespace in which the key is used. `nil` means `default`.
    /// - Returns: The verdict. Only ``Verdict/isValid`` means that the token is accepted.
    /// - Throws: ``MortiseError``, for example with the reason `.unavailable` if the database of the workspace is
    ///   unavailable. Treat every error as a refusal.
    public func verify(
        _ token: SecretToken,
        scopes: [String] = [],
        address: String? = nil,
        mode: Key.Mode? = nil,
        namespace: String? = nil
    ) async throws(MortiseError) -> Verdict {
        let question = Verification(token, scopes: scopes, address: address, mode: mode, namespace: namespace)
        return try await transport.read(.post(["v1", "verify"], question.body))
    }

    /// Verifies up to 100 tokens in one call.
    ///
    /// Requires the permission `keys:verify`. A token whose workspace is unavailable gets the verdict
    /// ``Verdict/Code/workspaceUnavailable``, and the others are not affected. The call is retried only if nothing was
    /// sent.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "batch")
    ///
    /// - Parameter questions: The tokens and what they must allow, 1 to 100.
    /// - Returns: The verdicts, in the order of the questions.
    /// - Throws: ``MortiseError``. Treat every error as a refusal of all tokens.
    public func verify(_ questions: [Verification]) async throws(MortiseError) -> [Verdict] {
        let body: JSONObject = ["requests": .array(questions.map { .object($0.body) })]
        return try await transport.read(.post(["v1", "verify", "batch"], body)) { answer throws(AnswerFault) in
            let verdicts: [Verdict] = try AnswerReader(answer).objects("verdicts")
            guard verdicts.count == questions.count else {
                throw AnswerFault(place: "/verdicts", expected: "an array with one verdict for each token")
            }
            return verdicts
        }
    }
}
