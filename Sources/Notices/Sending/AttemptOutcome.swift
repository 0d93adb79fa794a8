/// The outcome of an attempt.
struct AttemptOutcome: Sendable {
    let milliseconds: Int
    let statusCode: Int?
    let response: String?
    /// The reason of a failure and its remedy, for people.
    let error: String?
    /// The error of a library behind the reason, for the log; `nil` if Mortise itself has found the fault.
    let cause: Cause?

    /// An error of a library.
    struct Cause: Sendable, Equatable {
        /// The words of the library.
        let text: String
        /// True if the receiver cannot mend it.
        let isOfServer: Bool
    }

    /// The status by which a receiver says that it wants no further attempt (RFC 9110 section 15.5.11).
    static let gone = 410

    /// True if the receiver has accepted the event.
    var isSuccess: Bool { statusCode.map { (200..<300).contains($0) } ?? false }

    /// Creates the outcome of an answer.
    init(_ answer: WebhookAnswer, milliseconds: Int) {
        self.milliseconds = milliseconds
        statusCode = answer.status
        // PostgreSQL's text cannot hold NUL.
        response = String(decoding: answer.body, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
        error =
            (300..<400).contains(answer.status)
            ? "the receiver redirects, and redirects are not followed; enter the URL to which it leads" : nil
        cause = nil
    }

    /// Creates the outcome of an attempt that failed with an error.
    init(_ error: any Error, milliseconds: Int) {
        let fault = AttemptFault(error)
        self.init(
            error: fault.sentence,
            cause: error is WebhookFault ? nil : Cause(text: Self.stored("\(error)"), isOfServer: fault.isOfServer),
            milliseconds: milliseconds
        )
    }

    /// Creates the outcome of an attempt without an answer.
    init(error: String, cause: Cause? = nil, milliseconds: Int) {
        self.milliseconds = milliseconds
        statusCode = nil
        response = nil
        self.error = Self.stored(error)
        self.cause = cause
    }

    private static func stored(_ text: String) -> String {
        String(text.prefix(1000)).replacing("\0", with: "\u{FFFD}")
    }
}
