/// The life of a workspace: `creating → active ⇄ suspended → archived → deleting`.
///
/// An active workspace can be archived at once, and every one but a default can be deleted at any time.
public enum WorkspaceState: String, Sendable, Hashable, CaseIterable {
    /// Its database is being made.
    case creating
    /// Its keys are accepted.
    case active
    /// Its keys are refused until it is resumed.
    case suspended
    /// Its keys are refused for good; its history can be read.
    case archived
    /// Its database is being dropped.
    case deleting

    /// The states from which this one can be reached by a person's wish.
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

extension WorkspaceState {
    /// The type of the event that is written when somebody moves a workspace to this state.
    var eventType: String {
        switch self {
        case .creating: "workspace.created"
        case .active: "workspace.resumed"
        case .suspended: "workspace.suspended"
        case .archived: "workspace.archived"
        case .deleting: "workspace.deleted"
        }
    }
}
