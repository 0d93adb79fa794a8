/// The sender of a request.
struct FuzzCredential: Sendable {
    /// The kind of caller that the credential belongs to.
    enum Kind: String, Sendable, CaseIterable {
        case adminKey, operatorKey
        /// A member with all permissions in the organization.
        case owner
        /// A member who can manage only their own client keys.
        case member
        /// A session of an application's user without an active organization.
        case session
        /// A session of an application's user with an active organization.
        case organizationSession
        case workspaceKey
        /// A credential that no operation accepts.
        case other
    }

    let kind: Kind
    let token: String
}

/// The operation and the kind of caller of a request that is meant to be valid.
struct FuzzAim: Sendable, Hashable {
    let operation: String
    /// The kind of caller.
    ///
    /// `nil` if the operation is open.
    let kind: FuzzCredential.Kind?
}
