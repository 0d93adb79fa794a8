#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A session of a member in a list, without its tokens.
    public struct SessionSummary: Sendable, Hashable, Identifiable {
        /// The id of the session.
        public let id: String
        /// The id of the organization that the session acts in.
        public let organizationID: String
        /// True for the session of the client that made the call.
        public let isCurrent: Bool
        /// The address that the user signed in from.
        public let address: String?
        /// The time at which the session began.
        public let createdAt: Date
        /// The time at which the session ends, unless it is refreshed.
        public let refreshUntil: Date
        /// The time at which the session ends in any case.
        public let expiresAt: Date
    }
}

extension Mortise.SessionSummary: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        organizationID = try answer.text("organization_id")
        isCurrent = try answer.bool("is_current")
        address = try answer.textIfAny("address")
        createdAt = try answer.time("created_at")
        refreshUntil = try answer.time("refresh_until")
        expiresAt = try answer.time("expires_at")
    }
}

/// The response with a list of sessions.
struct SessionList: AnswerReadable {
    let sessions: [Mortise.SessionSummary]

    init(_ answer: AnswerReader) throws(AnswerFault) { sessions = try answer.objects("data") }
}

/// The response to the end of several sessions.
struct EndedSessions: AnswerReadable {
    let count: Int

    init(_ answer: AnswerReader) throws(AnswerFault) { count = try answer.integer("sessions") }
}
