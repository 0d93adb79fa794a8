#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The membership of a user in an organization or in one workspace.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "members")
    public struct Member: Sendable, Hashable, Identifiable {
        /// The id of the membership.
        public let id: String
        /// The user.
        public let user: User
        /// The id of the organization.
        public let organizationID: String
        /// The id of the workspace that the role is limited to, or `nil` for the whole organization.
        public let workspaceID: String?
        /// The role of the member.
        public let role: Role
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
    }
}

extension Mortise.Member: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        user = try answer.object("user")
        organizationID = try answer.text("organization_id")
        workspaceID = try answer.textIfAny("workspace_id")
        role = Role(rawValue: try answer.text("role"))
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
    }
}
