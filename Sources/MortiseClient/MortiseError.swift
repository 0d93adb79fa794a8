/// Why a call failed.
///
/// Everything that the client throws is of this type. `reason` says what to do; the rest says what happened. No part of
/// it holds a token.
///
/// ```swift
/// do {
///     let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
///     print(key.name)
/// } catch let error where error.reason == .notFound {
///     print("There is no such key.")
/// }
/// ```
///
/// What to tell, and what to do when the answer got lost:
///
/// ```swift
/// let keys = client.keys(.service(workspace: "shop"))
/// let draft = Mortise.KeyDraft(name: "CI")
/// do {
///     print(try await keys.create(draft).key.id)
/// } catch {
///     print(error.message, error.status ?? 0, error.code ?? "", "request", error.requestID ?? "unknown")
///     for fault in error.faults { print(fault.place ?? "", fault.detail) }
///     if let pause = error.retryAfter { try await Task.sleep(for: pause) }
///     if error.mayHaveTakenEffect, let key = error.idempotencyKey {
///         print(try await keys.create(draft, idempotencyKey: key).key.id)
///     }
/// }
/// ```
public struct MortiseError: Error, Sendable, Equatable {
    /// What kind of failure it is.
    public let reason: Reason
    /// One sentence for people; part of it comes from the server.
    public let message: String
    /// The status of the server's answer; `nil` if there was none.
    public internal(set) var status: Int?
    /// The server's stable code for the failure, such as `not_found`; each dialect has its own codes.
    public internal(set) var code: String?
    /// What identifies the request in the server's log.
    public internal(set) var requestID: String?
    /// What is wrong with the request, each fault with its place.
    public internal(set) var faults: [Fault] = []
    /// How long the server asks to wait before the next attempt.
    public internal(set) var retryAfter: Duration?
    /// Whether the server may have done all the same what it was asked to do.
    public internal(set) var mayHaveTakenEffect = false
    /// The idempotency key that the call carried: the same call with it gives the answer that got lost, and does
    /// nothing twice.
    public internal(set) var idempotencyKey: String?
    /// Why no answer came; `nil` where that was not it.
    package internal(set) var connectionFault: ConnectionFault?

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The same error, known to be of that call.
    func of(_ call: Call, isUncertain: Bool) -> MortiseError {
        var error = self
        error.mayHaveTakenEffect = isUncertain && !call.isRead
        error.idempotencyKey = call.idempotencyKey
        return error
    }
}

extension MortiseError {
    /// One thing that is wrong with a request.
    ///
    /// ```swift
    /// do {
    ///     _ = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: ""))
    /// } catch {
    ///     for fault in error.faults { print(fault.place ?? "", fault.detail) }
    /// }
    /// ```
    public struct Fault: Sendable, Hashable {
        /// Where it is: a JSON pointer into the body, or the name of a parameter or header; `nil` if it is nowhere.
        public let place: String?
        /// What is wrong there.
        public let detail: String
    }

    /// The kinds of failures, of which there may be more one day.
    ///
    /// ```swift
    /// func advice(_ error: MortiseError) -> String {
    ///     switch error.reason {
    ///     case .invalidRequest, .conflict: "Ask for something else."
    ///     case .unauthenticated, .noCredential: "Use another token."
    ///     case .forbidden, .notFound: "This token does not reach that."
    ///     case .unavailable, .rateLimited, .unreachable, .timedOut: "Try again later."
    ///     case .cancelled: "Nobody waits for the answer."
    ///     case .refused, .unexpectedAnswer: "Is there a proxy in between?"
    ///     default: error.message
    ///     }
    /// }
    /// ```
    public struct Reason: Sendable, Hashable, CustomStringConvertible {
        /// The name of the reason.
        public let description: String

        /// The request is not valid: see `faults` (status 400, 413 or 422).
        public static let invalidRequest = Reason(description: "invalidRequest")
        /// There is no credential, or the server does not accept it (401).
        public static let unauthenticated = Reason(description: "unauthenticated")
        /// The credential does not permit it (403).
        public static let forbidden = Reason(description: "forbidden")
        /// It does not exist for this credential (404).
        public static let notFound = Reason(description: "notFound")
        /// The state of things does not allow it, or a name is taken (409).
        public static let conflict = Reason(description: "conflict")
        /// A limit is reached: see `retryAfter` (429).
        public static let rateLimited = Reason(description: "rateLimited")
        /// The server, or the workspace's database, cannot answer now: see `retryAfter` (502, 503, 504).
        public static let unavailable = Reason(description: "unavailable")
        /// The server refuses with another status.
        public static let refused = Reason(description: "refused")
        /// No server was reached, or the connection broke.
        public static let unreachable = Reason(description: "unreachable")
        /// The deadline passed.
        public static let timedOut = Reason(description: "timedOut")
        /// The task was cancelled.
        public static let cancelled = Reason(description: "cancelled")
        /// The answer is not one that Mortise gives.
        public static let unexpectedAnswer = Reason(description: "unexpectedAnswer")
        /// The credential could not be had, or cannot be sent; nothing was sent.
        public static let noCredential = Reason(description: "noCredential")
    }
}

extension MortiseError: CustomStringConvertible {
    /// The sentence, and what identifies the failure.
    public var description: String {
        let marks = [status.map(String.init), code, requestID.map { "request \($0)" }].compactMap(\.self)
        let places = faults.map { "; \($0.place.map { "\($0): " } ?? "")\($0.detail)" }.joined()
        return message + (marks.isEmpty ? "" : " (\(marks.joined(separator: ", ")))") + places
    }
}
