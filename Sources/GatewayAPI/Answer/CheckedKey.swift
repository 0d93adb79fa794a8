package import FoundationEssentials
import KeyStore
package import Keys
package import Verification

/// The facts of a genuine key of the audience that an answer needs.
package struct CheckedKey: Sendable, Hashable {
    /// The state of the key and of the presented secret.
    package var state: KeyState
    /// The name.
    package var name: String
    /// The subject of a client key.
    package var subject: String?
    /// The id of the key's workspace.
    package var workspaceID: UUID
    /// The id of the key's organization.
    package var organizationID: UUID
    /// The database's time of the read.
    package var readAt: Timestamp

    /// Creates the facts.
    package init(
        state: KeyState,
        name: String,
        subject: String?,
        workspaceID: UUID,
        organizationID: UUID,
        readAt: Timestamp
    ) {
        self.state = state
        self.name = name
        self.subject = subject
        self.workspaceID = workspaceID
        self.organizationID = organizationID
        self.readAt = readAt
    }

    /// Creates the facts of a verified key.
    package init(_ key: VerifiedKey) {
        self.init(
            state: key.found.state,
            name: key.found.name,
            subject: key.found.subject,
            workspaceID: key.workspaceID,
            organizationID: key.organizationID,
            readAt: key.checkedAt
        )
    }
}
