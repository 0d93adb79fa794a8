import KeyStore
import Keys

/// The values of keys in templates.
struct KeyView {
    let key: KeyRecord
    let now: Timestamp
    /// The path of the key's page.
    let path: String
    /// The names of actors.
    let names: [String: String]

    /// The name on one line, so that all parts of a page show it in the same way.
    private var name: String { key.name.withLineFeeds.replacing("\n", with: " ") }

    /// The values of a row in a list.
    var row: [String: Any] {
        var values: [String: Any] = [
            "id": UUIDv7.text(of: key.id), "name": name, "path": path, "prefix": key.prefix,
            "status": key.status.rawValue, "statusName": Self.name(key.status), "isTest": key.mode == .test,
            "isPublishable": key.kind == .anon, "mode": key.mode.rawValue,
            "owner": Self.owner(key.subject ?? key.createdBy, names),
            "scopes": key.scopes.prefix(3).map { ["text": $0] },
            "moreScopes": max(0, key.scopes.count - 3), "hasMoreScopes": key.scopes.count > 3,
            "description": key.description ?? "", "isWorking": key.status.isUsable,
        ]
        values["created"] = TimeView.values(key.createdAt, at: now)
        values["lastUsed"] = TimeView.values(key.lastUsedAt, at: now)
        values["lastAddress"] = key.lastUsedAddress.map { "\($0)" }
        values["ends"] = TimeView.values(end, at: now)
        values["endsSoon"] = end.map { $0 > now && $0 < now + .seconds(30 * 86_400) } ?? false
        values["isRotating"] = key.secrets.count > 1
        return values
    }

    /// The values of the key's page.
    var details: [String: Any] {
        var values = row
        values["isRevoked"] = key.status == .revoked
        values["isEnabled"] = key.disabledAt == nil
        values["disabled"] = Self.disabled(key)
        values["newestSecret"] = key.secrets.first.map { UUIDv7.text(of: $0.id) }
        values["canRotate"] = key.status != .revoked && key.status != .expired
        values["isDead"] = key.status == .revoked || key.status == .expired
        values["typeName"] = Self.name(key.kind)
        values["modeName"] = key.mode == .live ? "Live" : "Test"
        values["subject"] = key.subject ?? ""
        values["subjectName"] = key.subject.flatMap { names[ActorKind.member.actor($0)] }
        values["createdBy"] = Self.actor(key.createdBy, names)
        values["updated"] = TimeView.values(key.updatedAt, at: now)
        values["revoked"] = TimeView.values(key.revokedAt, at: now)
        values["revokedBy"] = key.revokedBy.map { Self.actor($0, names) } ?? ""
        if let reason = key.revocationReason, !reason.isEmpty { values["revocationReason"] = reason }
        values["deprecated"] = TimeView.values(key.deprecatedAt, at: now)
        values["secrets"] = key.secrets.enumerated()
            .map { index, secret -> [String: Any] in
                var values: [String: Any] = [
                    "prefix": secret.prefix, "isNewest": index == 0,
                    "isCurrent": index == 0 && key.status != .revoked && key.status != .expired,
                ]
                values["created"] = TimeView.values(secret.createdAt, at: now)
                values["ends"] = TimeView.values(secret.endsAt, at: now)
                values["lastUsed"] = TimeView.values(secret.lastUse?.at, at: now)
                return values
            }
        values["lastUse"] = lastUse
        values["hasLongName"] = key.name.unicodeScalars.count > 60
        return values
    }

    /// Returns the time at which a key was disabled, as a form sends it back; `nil` for an enabled key.
    static func disabled(_ key: KeyRecord) -> String? { key.disabledAt.map { "\($0.microsecondsSinceUnixEpoch)" } }

    /// The instant at which the key ends, by its expiry or its grace period.
    private var end: Timestamp? { [key.expiresAt, key.gracePeriodEndsAt].compactMap(\.self).min() }

    /// The clause about the last use, for questions about what will break.
    var lastUse: String {
        guard let used = key.lastUsedAt else { return "It was never used." }
        let place = key.lastUsedAddress.map { " from \($0)" } ?? ""
        return "It was last used \(TimeView.relative(used, to: now))\(place)."
    }

    static func name(_ status: KeyStatus) -> String {
        switch status {
        case .active: "Active"
        case .disabled: "Disabled"
        case .deprecated: "Deprecated"
        case .expired: "Expired"
        case .revoked: "Revoked"
        }
    }

    static func name(_ kind: KeyKind) -> String {
        switch kind {
        case .service: "Secret"
        case .anon: "Publishable"
        case .client: "Client key"
        case .admin: "Admin key"
        case .operator: "Operator key"
        }
    }

    /// Returns the owner of a key as people call it: a subject, or the actor that created the key.
    ///
    /// The subject of a member's own client key is the id of the user.
    static func owner(_ owner: String, _ names: [String: String]) -> String {
        names[ActorKind.member.actor(owner)] ?? actor(owner, names)
    }

    /// Returns an actor as people call it.
    static func actor(_ actor: String, _ names: [String: String]) -> String {
        if let name = names[actor] { return name }
        let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, UUIDv7.parse(parts[1]) != nil else { return actor == "system" ? "Mortise" : actor }
        return "\(parts[0].replacing("-", with: " ")) …\(parts[1].suffix(6))"
    }
}
