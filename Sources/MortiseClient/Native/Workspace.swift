public import FoundationEssentials

extension Mortise {
    /// A workspace: a tenant with a database of its own, where its keys live.
    ///
    /// ```swift
    /// for try await workspace in client.workspaces.list(state: .archived) where !workspace.isDefault {
    ///     let end = workspace.archivedAt ?? workspace.updatedAt
    ///     let isOver = end.timeIntervalSinceNow < -90 * 86_400
    ///     if isOver { try await client.workspaces.delete(workspace.id) }
    /// }
    /// ```
    ///
    /// Whose token that is, and where its database is:
    ///
    /// ```swift
    /// let workspace = try await client.workspaces.get("shop")
    /// print(workspace.name ?? workspace.slug, "of", workspace.organizationID, "since", workspace.createdAt)
    /// print("Its tokens carry", workspace.ref, "and its database is on", workspace.clusterID)
    /// if workspace.state == .suspended { print("They do not work now.") }
    /// ```
    public struct Workspace: Sendable, Hashable, Identifiable {
        /// What a workspace can do now; there may be more states one day.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.get("shop")
        /// switch workspace.state {
        /// case .creating: print("Its database is not there yet.")
        /// case .active: print("Its keys work.")
        /// case .suspended: print(try await client.workspaces.resume(workspace.id).state.rawValue)
        /// case .archived: print("Its keys never work again.")
        /// default: print("It is in a newer state:", workspace.state.rawValue)
        /// }
        /// ```
        public struct State: RawRepresentable, Sendable, Hashable {
            /// The state on the wire.
            public let rawValue: String

            /// Takes a state as it is on the wire.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// Its database is being made.
            public static let creating = State(rawValue: "creating")
            /// Its keys work.
            public static let active = State(rawValue: "active")
            /// Its keys do not work until it is resumed.
            public static let suspended = State(rawValue: "suspended")
            /// Its keys never work again.
            public static let archived = State(rawValue: "archived")
        }

        /// Its id.
        public let id: String
        /// The organization that it belongs to.
        public let organizationID: String
        /// What its tokens carry.
        public let ref: String
        /// Its short name in URLs, unique in the organization.
        public let slug: String
        /// Its name, for people.
        public let name: String?
        /// The PostgreSQL server that holds its database.
        public let clusterID: String
        /// What it can do now.
        public let state: State
        /// Whether it is meant where a request names none.
        public let isDefault: Bool
        /// When it was made.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date
        /// When it was archived.
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
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
        archivedAt = try answer.timeIfAny("archived_at")
    }
}
