extension Mortise {
    /// The outcome for the client keys of a removed subject.
    public struct ClientKeyOutcome: Sendable, Hashable {
        /// The name of the outcome in the API.
        public let rawValue: String

        /// The keys go on working.
        public static let keep = ClientKeyOutcome(rawValue: "keep")
        /// The keys do not work until an administrator enables them.
        public static let disable = ClientKeyOutcome(rawValue: "disable")
        /// The keys never work again.
        public static let revoke = ClientKeyOutcome(rawValue: "revoke")
    }
}

/// The response to the end of a subject's client keys.
struct RetiredClientKeys: AnswerReadable {
    let count: Int

    init(_ answer: AnswerReader) throws(AnswerFault) { count = try answer.integer("client_key_count") }
}
