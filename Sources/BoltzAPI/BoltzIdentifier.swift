import FoundationEssentials
import Keys

/// The dialect's spelling of ids: a prefix for the kind, and the UUID as 32 hexadecimal digits.
///
/// A key's id also contains the ref of its workspace, because a revocation names no workspace.
enum BoltzIdentifier {
    private static let keyPrefix = "api_key_"
    private static let workspacePrefix = "ws_"
    private static let organizationPrefix = "org_"

    /// Returns `api_key_<workspace ref><id>`.
    ///
    /// Admin keys have the root ref.
    static func key(_ id: UUID, at ref: WorkspaceRef) -> String { keyPrefix + ref.text + hex(id) }

    /// Returns `ws_<id>`.
    static func workspace(_ id: UUID) -> String { workspacePrefix + hex(id) }

    /// Returns `org_<id>`.
    static func organization(_ id: UUID) -> String { organizationPrefix + hex(id) }

    /// Parses the spelling of a key's id.
    ///
    /// `nil` for any other text.
    static func readKey(_ text: String) -> (ref: WorkspaceRef, id: UUID)? {
        guard text.hasPrefix(keyPrefix) else { return nil }
        let rest = text.dropFirst(keyPrefix.count)
        guard let ref = WorkspaceRef(String(rest.prefix(WorkspaceRef.length))),
            let id = uuid(rest.dropFirst(WorkspaceRef.length))
        else { return nil }
        return (ref, id)
    }

    /// Parses the spelling of a workspace's id.
    ///
    /// `nil` for any other text.
    static func readWorkspace(_ text: String) -> UUID? {
        text.hasPrefix(workspacePrefix) ? uuid(text.dropFirst(workspacePrefix.count)) : nil
    }

    private static func hex(_ id: UUID) -> String { UUIDv7.text(of: id).filter { $0 != "-" } }

    private static func uuid(_ hex: Substring) -> UUID? {
        guard hex.utf8.count == 32 else { return nil }
        var text = ""
        for (index, character) in hex.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(character)
        }
        return UUIDv7.parse(text)
    }
}
