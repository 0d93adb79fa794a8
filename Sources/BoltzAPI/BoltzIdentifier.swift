import FoundationEssentials
import Keys

/// How the things of this dialect are called: a word that tells what it is, and the id as 32 hexadecimal digits.
///
/// A key's id carries the reference of its workspace too, because revoking names no workspace.
enum BoltzIdentifier {
    private static let keyPrefix = "api_key_"
    private static let workspacePrefix = "ws_"
    private static let organizationPrefix = "org_"

    /// `api_key_<reference of the workspace><id>`; admin keys have the root reference.
    static func key(_ id: UUID, at ref: WorkspaceRef) -> String { keyPrefix + ref.text + hex(id) }

    /// `ws_<id>`.
    static func workspace(_ id: UUID) -> String { workspacePrefix + hex(id) }

    /// `org_<id>`.
    static func organization(_ id: UUID) -> String { organizationPrefix + hex(id) }

    /// What `key` was made of; `nil` for any other text.
    static func readKey(_ text: String) -> (ref: WorkspaceRef, id: UUID)? {
        guard text.hasPrefix(keyPrefix) else { return nil }
        let rest = text.dropFirst(keyPrefix.count)
        guard let ref = WorkspaceRef(String(rest.prefix(WorkspaceRef.length))),
            let id = uuid(rest.dropFirst(WorkspaceRef.length))
        else { return nil }
        return (ref, id)
    }

    /// What `workspace` was made of; `nil` for any other text.
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
