import FoundationEssentials
import Keys

extension KeyState {
    /// Returns the state of an active service key with new ids.
    static func ofNewKey() -> KeyState {
        KeyState(
            keyID: UUID(),
            secretID: UUID(),
            workspaceRef: .root,
            workspaceIsActive: true,
            kind: .service,
            mode: .live
        )
    }
}
