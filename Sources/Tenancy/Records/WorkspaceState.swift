import KeyStore

/// The state of a workspace: `creating → active ⇄ suspended → archived → deleting`.
///
/// An active workspace can be archived directly. Every workspace except a default one can be deleted in any state.
public enum WorkspaceState: String, Sendable, Hashable, CaseIterable {
    /// The database is being created.
    case creating
    /// The keys are accepted.
    case active
    /// The keys are refused until the workspace is resumed.
    case suspended
    /// The keys are refused. The history can be read, and the workspace can be restored for 30 days.
    case archived
    /// The database is being dropped.
    case deleting

    /// True for a state that a caller requested, and in which the keys are refused.
    public var isStopped: Bool {
        switch self {
        case .suspended, .archived: true
        case .creating, .active, .deleting: false
        }
    }

    /// The states from which a caller can request this state.
    public var origins: Set<WorkspaceState> {
        switch self {
        case .creating: []
        case .active: [.suspended]
        case .suspended: [.active]
        case .archived: [.active, .suspended]
        case .deleting: [.creating, .active, .suspended, .archived]
        }
    }
}

/// The rank of whoever asks for a state of a workspace.
public enum StateAuthority: Sendable, Hashable {
    /// A credential of the organization that owns the workspace.
    case organization
    /// An operator.
    case platform

    /// Returns true if only an operator can undo a state.
    ///
    /// - Parameters:
    ///   - state: The state that is asked for with this rank.
    ///   - current: The state before.
    ///   - isHeld: True if only an operator can undo the state before.
    /// - Returns: The decision.
    func holds(_ state: WorkspaceState, after current: WorkspaceState, isHeld: Bool) -> Bool {
        switch (self, current) {
        case _ where state == .active: false
        case (.organization, .active): false
        // A restored workspace is suspended again by whoever had suspended it.
        case (.organization, _), (.platform, .archived): isHeld
        case (.platform, _): true
        }
    }

    /// Returns true if the rank allows a state.
    ///
    /// - Parameters:
    ///   - state: The state that is asked for.
    ///   - current: The state before.
    ///   - isHeld: True if only an operator can undo the state before.
    /// - Returns: The decision.
    func allows(_ state: WorkspaceState, after current: WorkspaceState, isHeld: Bool) -> Bool {
        switch self {
        case .platform: true
        // To restore an archived workspace lets its keys work, or lets them be resumed.
        case .organization: !isHeld || state == .archived || current == .active
        }
    }
}

extension WorkspaceState {
    /// The type of the event for a request of this state.
    var eventType: EventType {
        switch self {
        case .creating: .workspaceCreated
        case .active: .workspaceResumed
        case .suspended: .workspaceSuspended
        case .archived: .workspaceArchived
        case .deleting: .workspaceDeleted
        }
    }
}
