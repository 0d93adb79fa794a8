/// The error of every failed call.
///
/// ``reason`` tells what to do about the error. The other properties tell what happened. No part of an error holds a
/// token, so an error can be logged.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/HandleErrors", slice: "not-found")
///
/// A creation whose answer was lost can be repeated without creating anything twice:
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/HandleErrors", slice: "repeat")
public struct MortiseError: Error, Sendable, Equatable {
    /// The kind of the error.
    public let reason: Reason
    /// A sentence for people, partly from the server.
    public let message: String
    /// The HTTP status of the response, or `nil` if there was none.
    public internal(set) var status: Int?
    /// The server's stable code, such as `not_found`; each dialect has its own codes.
    public internal(set) var code: String?
    /// The id of the request in the server's log, if the response had one.
    public internal(set) var requestID: String?
    /// The faults of the request that the server named, each with its place.
    public internal(set) var faults: [Fault] = []
    /// The time to wait before the next attempt, as the server asked for, from 0 to 24 hours.
    public internal(set) var retryAfter: Duration?
    /// True if the server may have done what the call asked for.
    ///
    /// Always false for reads.
    public internal(set) var mayHaveTakenEffect = false
    /// The idempotency key that the call carried.
    ///
    /// Repeat the same call with this key to get the lost answer. The server does nothing twice within 24 hours.
    public internal(set) var idempotencyKey: String?
    /// The reason why the connection failed, or `nil` if something else failed.
    package internal(set) var connectionFault: ConnectionFault?

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// Returns this error with what is known from its call.
    func of(_ call: Call, isUncertain: Bool) -> MortiseError {
        var error = self
        error.mayHaveTakenEffect = isUncertain && !call.isRead
        error.idempotencyKey = call.idempotencyKey
        return error
    }
}

extension MortiseError: CustomStringConvertible {
    /// The message with the status, code, request id and faults.
    public var description: String {
        let marks = [status.map(String.init), code, requestID.map { "request \($0)" }].compactMap(\.self)
        let places = faults.map { "; \($0.place.map { "\($0): " } ?? "")\($0.detail)" }.joined()
        return message + (marks.isEmpty ? "" : " (\(marks.joined(separator: ", ")))") + places
    }
}

extension MortiseError {
    /// The error of a call whose task was cancelled.
    static var cancelled: MortiseError { MortiseError(.cancelled, "The call was cancelled.") }
}
