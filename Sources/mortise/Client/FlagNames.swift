/// The flags that give the members and parameters of a request.
///
/// The server names the place of a fault by a JSON pointer, which says nothing to a person who typed flags.
enum FlagNames {
    /// The members whose flag has another name.
    private static let names = [
        "name": "the name", "email": "the e-mail address", "issuer": "the issuer", "scopes": "--scope",
        "permissions": "--permission", "allowed_namespaces": "--namespace", "allowed_ips": "--allow-ip",
        "grace_period_seconds": "--grace", "workspace_id": "--workspace", "organization_id": "--organization",
        "algorithms": "--algorithm", "authorized_parties": "--authorized-party", "audiences": "--audience",
        "read_roles": "--read-role", "manage_roles": "--manage-role", "member_scopes": "--member-scope",
        "expires_at": "--expires-at or --expires-in", "metadata": "--metadata or --metadata-file",
        "password": "the password", "token": "the token", "jwks": "--jwks", "Idempotency-Key": "--idempotency-key",
        // The flag --url is the address of the server.
        "event_types": "--event", "url": "the URL",
    ]

    /// Returns the flag for the place of a fault.
    ///
    /// - Parameter place: A JSON pointer, or the name of a query parameter or header.
    /// - Returns: The flag. An element of a list has its number behind it, from 1.
    static func text(for place: String) -> String {
        let parts = place.split(separator: "/").map(String.init)
        guard let member = parts.first else { return place }
        let flag = names[member] ?? SettingNames.flag(member)
        guard parts.count > 1 else { return flag }
        guard parts.count == 2, let index = Int(parts[1]) else {
            return "\(flag), \(parts.dropFirst().joined(separator: "/"))"
        }
        return "\(flag), number \(index + 1)"
    }
}
