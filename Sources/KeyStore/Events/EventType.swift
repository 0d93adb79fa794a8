/// The types of events that this program writes.
///
/// A database can hold types that a newer program wrote, so an ``EventRecord`` has its type as text.
public enum EventType: String, Sendable, CaseIterable {
    // Keys.
    case created
    case updated
    case disabled
    case enabled
    case deprecated
    case rotated
    case revoked
    case deleted

    // Notices about keys, which no caller caused.
    case expiring
    case graceEnding = "grace_ending"
    case unused
    case limitReached = "limit_reached"

    // A token of a key was found in a public place.
    case leaked

    // Organizations, workspaces and clusters.
    case organizationCreated = "organization.created"
    case organizationUpdated = "organization.updated"
    case organizationDeleted = "organization.deleted"
    case workspaceCreated = "workspace.created"
    case workspaceUpdated = "workspace.updated"
    case workspaceSuspended = "workspace.suspended"
    case workspaceResumed = "workspace.resumed"
    case workspaceArchived = "workspace.archived"
    case workspaceDeleted = "workspace.deleted"
    case clusterCreated = "cluster.created"
    case clusterUpdated = "cluster.updated"
    case clusterRemoved = "cluster.removed"

    // Webhooks.
    case webhookCreated = "webhook.created"
    case webhookUpdated = "webhook.updated"
    case webhookDeleted = "webhook.deleted"
    case webhookEnabled = "webhook.enabled"
    case webhookDisabled = "webhook.disabled"
    case webhookSecretRotated = "webhook.secret_rotated"

    // People.
    case memberAdded = "member.added"
    case memberUpdated = "member.updated"
    case memberRemoved = "member.removed"
    case passwordChanged = "member.password_changed"
    case identityBound = "member.identity_bound"
    case identityUnbound = "member.identity_unbound"
    case sessionBegun = "session.begun"
    case sessionRefused = "session.refused"
    case sessionReused = "session.reused"
    case sessionEnded = "session.ended"
    case sessionIssuerAdded = "session_issuer.added"
    case sessionIssuerRemoved = "session_issuer.removed"
}
