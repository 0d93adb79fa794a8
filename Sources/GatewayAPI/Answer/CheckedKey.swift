package import FoundationEssentials
import KeyStore
package import Keys
import Synchronization
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
    /// The fields, if the key is in memory with them.
    private var rendered: RenderedFields?

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

    /// Creates the facts of a verified key, whose fields are rendered once for as long as the key is in memory.
    package init(_ key: VerifiedKey) {
        self.init(
            state: key.found.state,
            name: key.found.name,
            subject: key.found.subject,
            workspaceID: key.workspaceID,
            organizationID: key.organizationID,
            readAt: key.checkedAt
        )
        // The workspace and the organization of a key never change.
        let rendering = key.found.rendering.load() ?? key.found.rendering.storeIfNil(KeyRendering(fields))
        rendered = rendering.value as? RenderedFields
    }

    /// The fields of an answer that lets the key in, without those that change with each request.
    var fields: RenderedFields {
        rendered ?? RenderedFields([GatewayAnswer.Field("Cache-Control", "no-store")] + GatewayAnswer.identity(self))
    }

    /// Returns true if all facts are equal, from which the fields follow.
    package static func == (left: CheckedKey, right: CheckedKey) -> Bool {
        left.state == right.state && left.name == right.name && left.subject == right.subject
            && left.workspaceID == right.workspaceID && left.organizationID == right.organizationID
            && left.readAt == right.readAt
    }

    /// Hashes the facts.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(state)
        hasher.combine(name)
        hasher.combine(subject)
        hasher.combine(workspaceID)
        hasher.combine(organizationID)
        hasher.combine(readAt)
    }
}
