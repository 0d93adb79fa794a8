/// Who sends a request.
struct FuzzCredential: Sendable {
    /// What kind of caller the credential makes.
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
        /// What should get nowhere.
        case other
    }

    let kind: Kind
    let token: String
}

/// What a request was meant to reach, where nothing in it is meant to miss.
struct FuzzAim: Sendable, Hashable {
    let operation: String
    /// Who sends it; `nil` where nobody needs to.
    let kind: FuzzCredential.Kind?
}
