/// The sender of a request.
struct FuzzCredential: Sendable {
    /// The kind of caller that the credential belongs to.
    enum Kind: String, Sendable, CaseIterable {
        case adminKey, operatorKey
        /// A member who may do everything in the organization.
        case owner
        /// A member who has client keys of their own and may do nothing else.
        case member
        /// A session of an application's user, acting for nobody else.
        case session
        /// The same, acting for an organization of the application.
        case organizationSession
        case workspaceKey
        /// A credential that no operation accepts.
        case other
    }

    let kind: Kind
    let token: String
}

/// The operation and caller of a request that is valid on purpose.
struct FuzzAim: Sendable, Hashable {
    let operation: String
    /// The kind of caller.
    ///
    /// `nil` if the operation is open.
    let kind: FuzzCredential.Kind?
}
