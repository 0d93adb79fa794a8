#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// An organization, which owns workspaces, members and admin keys.
    public struct Organization: Sendable, Hashable, Identifiable {
        /// The id of the organization.
        public let id: String
        /// The name of the organization.
        public let name: String
        /// The short name in URLs, unique on the server.
        public let slug: String
        /// The prefix of the organization's new tokens, or `nil` for Mortise's own prefixes, such as `mks`.
        public let tokenPrefix: String?
        /// The days before the end of a key at which the event `key.expiring` comes, or `nil` for 30, 7 and 1.
        public let expiryNoticeDays: [Int]?
        /// The days without a use after which the event `key.unused` comes, or `nil` for 90.
        ///
        /// Zero means never.
        public let unusedAfterDays: Int?
        /// The reaction to a leaked token of a workspace's key: `notify`, `quarantine` or `revoke`.
        ///
        /// `nil` is `notify` for test keys and publishable keys, and `revoke` for others. Admin keys are always revoked.
        public let leakAction: String?
        /// The id of the workspace for requests that name none.
        public let defaultWorkspaceID: String?
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
    }
}

extension Mortise.Organization: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        slug = try answer.text("slug")
        tokenPrefix = try answer.textIfAny("token_prefix")
        expiryNoticeDays = try answer.integersIfAny("expiry_notice_days")
        unusedAfterDays = try answer.integerIfAny("unused_after_days")
        leakAction = try answer.textIfAny("leak_action")
        defaultWorkspaceID = try answer.textIfAny("default_workspace_id")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
    }
}
