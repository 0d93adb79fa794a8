import JSON

extension Mortise {
    /// Asks whether a token may be accepted.
    ///
    /// A verdict that says no is an answer, not an error. The call counts as a use of the key, so it is not repeated once
    /// it was sent.
    ///
    /// ```swift
    /// let verdict = try await client.verify(SecretToken("mks_live_…"), scopes: ["read:orders"], namespace: "eu")
    /// print(verdict.isValid, verdict.code.rawValue)
    /// ```
    ///
    /// - Parameters:
    ///   - token: the token that was presented to your application.
    ///   - scopes: what it must be allowed to do.
    ///   - address: where it was presented from, for keys that are bound to addresses.
    ///   - mode: the mode that it must have.
    ///   - namespace: where it is to be used.
    /// - Returns: The verdict.
    /// - Throws: `MortiseError`.
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

    /// Asks about up to a hundred tokens at once.
    ///
    /// ```swift
    /// let questions = ["mks_live_…", "mkc_live_…"].map { Mortise.Verification(SecretToken($0)) }
    /// let verdicts = try await client.verify(questions)
    /// print(verdicts.count { $0.isValid })
    /// ```
    ///
    /// - Parameter questions: what is asked, 1 to 100 of them.
    /// - Returns: The verdicts, in the order of the questions.
    /// - Throws: `MortiseError`.
    public func verify(_ questions: [Verification]) async throws(MortiseError) -> [Verdict] {
        let body: JSONObject = ["requests": .array(questions.map { .object($0.body) })]
        return try await transport.read(.post(["v1", "verify", "batch"], body)) { answer throws(AnswerFault) in
            let verdicts: [Verdict] = try AnswerReader(answer).objects("verdicts")
            guard verdicts.count == questions.count else {
                throw AnswerFault(place: "/verdicts", expected: "one verdict for each token")
            }
            return verdicts
        }
    }

    /// What is asked of a token.
    ///
    /// ```swift
    /// var question = Mortise.Verification(SecretToken("mks_live_…"), scopes: ["write:orders"], mode: .live)
    /// question.address = "203.0.113.7"
    /// let verdicts = try await client.verify([question])
    /// if verdicts[0].code == .wrongAddress { print("Was it stolen?", question.token) }  // (secret)
    /// ```
    public struct Verification: Sendable, Hashable {
        /// The token.
        public var token: SecretToken
        /// What it must be allowed to do.
        public var scopes: [String]
        /// Where it was presented from.
        public var address: String?
        /// The mode that it must have.
        public var mode: Key.Mode?
        /// Where it is to be used.
        public var namespace: String?

        /// Asks about a token; what is absent is not asked.
        ///
        /// ```swift
        /// let question = Mortise.Verification(SecretToken("mks_live_…"), namespace: "eu")
        /// print(question.scopes.isEmpty)
        /// ```
        public init(
            _ token: SecretToken,
            scopes: [String] = [],
            address: String? = nil,
            mode: Key.Mode? = nil,
            namespace: String? = nil
        ) {
            self.token = token
            self.scopes = scopes
            self.address = address
            self.mode = mode
            self.namespace = namespace
        }

        var body: JSONObject {
            var body = JSONObject()
            body.add("token", token.reveal())
            if !scopes.isEmpty { body.add("scopes", scopes) }
            body.add("address", address)
            body.add("mode", mode?.rawValue)
            body.add("namespace", namespace)
            return body
        }
    }
}
