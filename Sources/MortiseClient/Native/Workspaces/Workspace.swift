#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A workspace: a tenant with a database of its own, which holds its keys.
    public struct Workspace: Sendable, Hashable, Identifiable {
        /// The id of the workspace.
        public let id: String
        /// The id of the organization that owns the workspace.
        public let organizationID: String
        /// The reference in the tokens of the workspace, 8 characters.
        ///
        /// No other workspace ever gets it.
        public let ref: String
        /// The short name in URLs, unique in the organization.
        public let slug: String
        /// The name of the workspace.
        public let name: String?
        /// The id of the cluster, a PostgreSQL server, that has the database.
        public let clusterID: String
        /// The state of the workspace.
        public let state: State
        /// True if the workspace is used for requests of the organization that name none.
        public let isDefault: Bool
        /// True if an operator suspended or archived the workspace.
        ///
        /// Then only an operator can resume or restore it.
        public let isHeldByOperator: Bool
        /// The scopes that members can give to their own client keys.
        ///
        /// `nil` allows every scope without a wildcard.
        public let memberScopes: [String]?
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
        /// The time at which the workspace was archived, if it was.
        public let archivedAt: Date?
    }
}

extension Mortise.Workspace: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        organizationID = try answer.text("organization_id")
        ref = try answer.text("ref")
        slug = try answer.text("slug")
        name = try answer.textIfAny("name")
        clusterID = try answer.text("cluster_id")
        state = State(rawValue: try answer.text("state"))
        isDefault = try answer.bool("is_default")
        isHeldByOperator = try answer.boolIfAny("held_by_operator") ?? false
        memberScopes = try answer.textsIfAny("member_scopes")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
        archivedAt = try answer.timeIfAny("archived_at")
    }
}
