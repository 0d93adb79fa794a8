/// A change that has succeeded, as a page says it after a redirect.
///
/// The query has the word and never a sentence, so nobody can put words into the console's mouth by a link.
enum Outcome: String {
    case saved
    case disabled
    case enabled
    case revoked
    case deleted
    case keysDisabled = "keys-disabled"
    case keysRevoked = "keys-revoked"
    case memberAdded = "member-added"
    case memberRemoved = "member-removed"
    case issuerAdded = "issuer-added"
    case issuerRemoved = "issuer-removed"
    case passwordChanged = "password-changed"
    case sessionEnded = "session-ended"
    case sessionsEnded = "sessions-ended"
    case memberSessionsEnded = "member-sessions-ended"
    case unbound
    case created
    case suspended
    case resumed
    case archived
    case restored
    case workspaceDeleted = "workspace-deleted"
    case webhookDisabled = "webhook-disabled"
    case webhookEnabled = "webhook-enabled"
    case webhookDeleted = "webhook-deleted"
    case testQueued = "test-queued"
    case deliveryQueued = "delivery-queued"

    /// Returns the outcome that the query of a request names, if a page of the console led to it.
    ///
    /// A link of another site, or in a mail, does not say what has not happened.
    init?(of request: ConsoleRequest) {
        guard request.isFromConsole else { return nil }
        self.init(rawValue: request.query["done"])
    }

    /// The sentence.
    var sentence: String {
        switch self {
        case .saved: "The changes are saved."
        case .disabled: "The key is disabled. It is refused from now on, until you enable it again."
        case .enabled: "The key is enabled again."
        case .revoked: "The key is revoked. It is refused from now on."
        case .deleted: "The key is deleted. Its history stays in the events."
        case .keysDisabled: "The keys are disabled. They are refused from now on, until you enable them again."
        case .keysRevoked: "The keys are revoked. They are refused from now on."
        case .memberAdded: "The member is added."
        case .memberRemoved: "The member is removed, and the member's sessions have ended."
        case .issuerAdded: "The sessions of the application are trusted from now on."
        case .issuerRemoved: "The sessions of the application are not trusted any more."
        case .passwordChanged: "The password is changed, and your other sessions have ended."
        case .sessionEnded: "The session has ended."
        case .sessionsEnded: "The other sessions have ended."
        case .memberSessionsEnded: "The member’s sessions have ended."
        case .unbound:
            "The member is separated from the account. The next sign-in with the same address binds another one."
        case .created: "The workspace is created. Its first key is the next step."
        case .suspended: "The workspace is suspended. Its keys are refused until you resume it."
        case .resumed: "The workspace is active again."
        case .archived: "The workspace is archived. Its keys are refused. You can restore it for 30 days."
        case .restored: "The workspace is restored, with the state that it had before."
        case .workspaceDeleted: "The workspace is deleted, with its database."
        case .webhookDisabled: "The webhook is disabled. Nothing is sent until you enable it again."
        case .webhookEnabled: "The webhook is enabled. Events are sent from now on."
        case .webhookDeleted: "The webhook is deleted. Its receiver is told of nothing more."
        case .testQueued: "A test event is on its way. Load the page again to see its delivery."
        case .deliveryQueued: "The delivery is sent again. Load the page again to see the attempt."
        }
    }
}
