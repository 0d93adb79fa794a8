/// The outcome of an attempt.
struct AttemptOutcome: Sendable {
    let milliseconds: Int
    let statusCode: Int?
    let response: String?
    let error: String?

    /// The status by which a receiver says that it wants no further attempt (RFC 9110 section 15.5.11).
    static let gone = 410

    /// A Boolean value that indicates whether the receiver has accepted the event.
    var isSuccess: Bool { statusCode.map { (200..<300).contains($0) } ?? false }

    /// Creates the outcome of an answer.
    init(_ answer: WebhookAnswer, milliseconds: Int) {
        self.milliseconds = milliseconds
        statusCode = answer.status
        // PostgreSQL's text cannot hold NUL.
        response = String(decoding: answer.body, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
        error =
            (300..<400).contains(answer.status) ? "the receiver redirects, and redirects are not followed" : nil
    }

    /// Creates the outcome of an attempt without an answer.
    init(error: String, milliseconds: Int) {
        self.milliseconds = milliseconds
        statusCode = nil
        response = nil
        self.error = String(error.prefix(1000)).replacing("\0", with: "\u{FFFD}")
    }
}
