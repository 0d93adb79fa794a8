import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Tenancy
import Verification

/// A change of one key that a person confirms.
enum KeyAction: String, CaseIterable {
    case rotate
    case disable
    case revoke
    case delete

    var title: String {
        switch self {
        case .rotate: "Rotate key"
        case .disable: "Disable key"
        case .revoke: "Revoke key"
        case .delete: "Delete key"
        }
    }

    /// The template of the form.
    var template: String { "action-\(rawValue)" }

    /// True if the change is final, so that a person enters the name of the key.
    var isFinal: Bool { self == .revoke || self == .delete }
}

/// The changes of one key.
extension KeyRoutes {
    var changes: [ConsoleEndpoint] {
        KeyAction.allCases.flatMap { [ask($0), perform($0)] } + [enable, back("enable"), tryToken, back("try")]
    }

    /// The page with the form of a change, for a browser without scripts.
    ///
    /// With scripts, the same form is in a dialog.
    private func ask(_ action: KeyAction) -> ConsoleEndpoint {
        context.page("\(family.basePath)/{id}/\(action.rawValue)", id: "consoleAsk\(action.rawValue)\(family.id)") {
            visit in
            let scene = try await visit.scene(family, .keysWrite)
            let key = try await findKey(scene, visit)
            guard key.revokedAt == nil || action == .delete, action != .rotate || scene.canIssue else {
                // Its page says why nothing else is left to do.
                throw Redirect(location: "\(scene.base)/\(UUIDv7.text(of: key.id))")
            }
            return try await actionPage(action, key, FormFaults(), scene, visit)
        }
    }

    private func actionPage(
        _ action: KeyAction,
        _ key: KeyRecord,
        _ faults: FormFaults,
        _ scene: KeyPageContext,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        var values = scene.values
        values["key"] = view(key, scene, visit, [:]).details
        values["is\(action.rawValue)"] = true
        values["ticket"] = visit.ticket
        values["reason"] = visit.form["reason"]
        values["confirmation"] = visit.form["confirmation"]
        values["graces"] = GraceChoice.values(visit.form["grace"])
        values.merge(faults.values) { _, new in new }
        return try await visit.page("key-action", title: action.title, in: section, values, status: status)
    }

    private func perform(_ action: KeyAction) -> ConsoleEndpoint {
        context.action("\(family.basePath)/{id}/\(action.rawValue)", id: "console\(action.rawValue)\(family.id)") {
            visit in
            let scene = try await visit.scene(family, .keysWrite)
            let id = try id(visit)
            if action == .rotate { return try await rotate(id, scene, visit) }
            let key = try await keyToChange(action, id, scene, visit)
            let faults = Self.faults(of: action, on: key, visit.form)
            guard faults.isEmpty else {
                return try await actionPage(action, key, faults, scene, visit, status: .unprocessableContent)
            }
            let service = visit.platform.keys
            let page = "\(scene.base)/\(UUIDv7.text(of: id))"
            do {
                switch action {
                case .rotate: break
                case .disable: _ = try await service.disable(id, in: scene.keys, by: visit.caller)
                case .revoke:
                    let reason = visit.form.text("reason")
                    _ = try await service.revoke(id, reason: reason, in: scene.keys, by: visit.caller)
                case .delete: try await service.delete(id, in: scene.keys, by: visit.caller)
                }
            } catch {
                return try await refusedPage(error, id, scene, visit)
            }
            if action == .delete { throw Redirect(location: "\(scene.list)?done=deleted") }
            throw Redirect(location: "\(page)?done=\(action == .disable ? "disabled" : "revoked")")
        }
        .stopping { _ in action != .rotate }
    }

    /// Returns the key of a form.
    ///
    /// A form of a deletion that was answered with an error can be sent again. The answer says that the key is gone once that is safe, as
    /// the answer to a repeated request of the API does (decision 0014, rules 30 and 31).
    private func keyToChange(_ action: KeyAction, _ id: UUID, _ scene: KeyPageContext, _ visit: Visit) async throws
        -> KeyRecord
    {
        do {
            return try await findKey(scene, visit)
        } catch let missing as MissingObject where action == .delete {
            try await visit.platform.keys.confirmMissing(id, in: scene.keys)
            throw missing
        }
    }

    /// Returns the faults of the form of a change.
    private static func faults(of action: KeyAction, on key: KeyRecord, _ form: FormFields) -> FormFaults {
        var faults = FormFaults()
        if action == .revoke {
            for fault in KeyService.faults(ofReason: form.text("reason")) {
                faults.add("reason", fault.detail, anchor: "revoke-reason")
            }
        }
        if action.isFinal, !KeyName.matches(form["confirmation"], key.name) {
            faults.add(
                "confirmation",
                "This is not the name of the key. Nothing was changed.",
                anchor: "\(action.rawValue)-confirmation"
            )
        }
        return faults
    }

    private func rotate(_ id: UUID, _ scene: KeyPageContext, _ visit: Visit) async throws -> EndpointResponse {
        guard let grace = Int(visit.form["grace"]).flatMap(GracePeriod.init(seconds:)) else {
            throw Problem(.invalidRequest, detail: "Choose a grace period.")
        }
        let issued: IssuedKey
        do {
            issued = try await visit.platform.keys.rotate(
                id,
                grace: grace,
                replacing: UUIDv7.parse(visit.form["shown_secret"]),
                in: scene.keys,
                by: try visit.callerOnce()
            ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}" }
        } catch {
            guard scene.canIssue, Self.asksForAnotherRotation(error),
                let faults = FormFaults(error, again: "rotate the key once more")
            else { return try await refusedPage(error, id, scene, visit) }
            let key = try await visit.platform.keys.get(id, in: scene.keys)
            guard key.status != .revoked, key.status != .expired else {
                return try await refusedPage(error, id, scene, visit)
            }
            return try await actionPage(.rotate, key, faults, scene, visit, status: .conflict)
        }
        return try await issuedPage(issued, scene, visit, isRotation: true)
    }

    /// Returns the page of a key with the reason why it was not changed, such as for a form of a page that is older than its revocation.
    ///
    /// - Throws: The error, if no page of the key can show it.
    private func refusedPage(
        _ error: any Error,
        _ id: UUID,
        _ scene: KeyPageContext,
        _ visit: Visit
    ) async throws -> EndpointResponse {
        if case Refusal.notFound = error { throw scene.missingKey }
        guard case Refusal.conflict = error, let faults = FormFaults(error),
            let key = try? await visit.platform.keys.get(id, in: scene.keys)
        else { throw error }
        return try await keyPage(key, KeyForm(key, family: family), faults, scene, visit, status: .conflict)
    }

    /// Returns true if the page of a rotation can be shown again after an error, with the present token.
    private static func asksForAnotherRotation(_ error: any Error) -> Bool {
        switch error {
        case Refusal.conflict, Refusal.idempotencyKeyReused, Refusal.idempotencyKeyInUse: true
        default: false
        }
    }

    private var enable: ConsoleEndpoint {
        context.action("\(family.basePath)/{id}/enable", id: "consoleEnable\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysWrite)
            let id = try id(visit)
            return try await OldPage.comparing {
                let key = try await findKey(scene, visit)
                if let shown = OldPage(visit.form).shown("disabled"), let now = KeyView.disabled(key), shown != now {
                    var faults = FormFaults()
                    faults.add("Somebody enabled the key and disabled it again meanwhile. Nothing was changed.")
                    return try await keyPage(key, KeyForm(key, family: family), faults, scene, visit, status: .conflict)
                }
                _ = try await visit.platform.keys.enable(id, ifStill: key, in: scene.keys, by: visit.caller)
                throw Redirect(location: "\(scene.base)/\(UUIDv7.text(of: id))?done=enabled")
            }
        }
    }

    /// The way back from the path of a change that has no page, such as after a sign-in.
    private func back(_ suffix: String) -> ConsoleEndpoint {
        context.page("\(family.basePath)/{id}/\(suffix)", id: "consoleBack\(suffix)\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysRead)
            throw Redirect(location: "\(scene.base)/\(UUIDv7.text(of: try id(visit)))")
        }
    }

    // MARK: Trying a token

    private var tryToken: ConsoleEndpoint {
        context.action("\(family.basePath)/{id}/try", id: "consoleTry\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysRead)
            guard let workspace = scene.workspace, scene.canVerify else { throw Refusal.forbidden(.keysVerify) }
            let key = try await findKey(scene, visit)
            var faults = FormFaults()
            var address: IPAddress?
            if let text = visit.form.text("address") {
                address = IPAddress(text)
                if address == nil { faults.add("try-address", "This is not an IPv4 or IPv6 address.") }
            }
            var values: [String: Any] = [
                "tryAddress": visit.form["address"], "tryNamespace": visit.form["namespace"],
            ]
            if faults.isEmpty {
                let verdict = try await visit.platform.verifier.verify(
                    visit.form["token"].trimmed,
                    VerificationRequest(address: address, namespace: visit.form.text("namespace")),
                    audience: .workspace(workspace.id, of: workspace.organizationID),
                    use: .asked
                )
                values["verdict"] = VerdictView.values(verdict, key: key)
            }
            return try await keyPage(key, KeyForm(key, family: family), faults, scene, visit, values)
        }
    }

    // MARK: The whole history

    var history: ConsoleEndpoint {
        context.page("\(family.basePath)/{id}/events", id: "console\(family.id)Events") { visit in
            let scene = try await visit.scene(family, .eventsRead)
            let id = try id(visit)
            let search = try await EventSearch(visit, in: scene.keys)
            let page = try await visit.platform.keys.events(search.filter(key: id), search.page, in: scene.keys)
            let names = try await visit.platform.keys.names(of: EventView.actors(page.items), for: visit.principal)
            var values = scene.values
            values.merge(search.values(at: "\(scene.base)/\(UUIDv7.text(of: id))/events", page.next)) { _, new in new }
            values["events"] = page.items.map { EventView($0, names).values(at: visit.moment) }
            values["hasEvents"] = !page.items.isEmpty
            values["isOfKey"] = true
            values["keyPath"] = "\(scene.base)/\(UUIDv7.text(of: id))"
            values["keyName"] = page.items.first?.keyName ?? "Key"
            return try await visit.page("events", title: "History", in: section, values)
        }
    }
}

/// The comparison of a key's name with what a person entered to confirm a final change.
enum KeyName {
    /// Returns true if a person who sees the name can have meant it.
    ///
    /// A person can enter neither marks of direction nor the same white space, so both are left out.
    static func matches(_ entered: String, _ name: String) -> Bool {
        let (entered, name) = (entered.visible, name.visible)
        return entered == name || name.isEmpty
    }
}

/// The grace periods that a person can choose for a rotation.
enum GraceChoice {
    private static let choices = [
        ("0", "Now"), ("3600", "1 h"), ("86400", "24 h"), ("604800", "7 days"), ("2592000", "30 days"),
    ]

    /// Returns the words of a choice, or the seconds themselves if they are none.
    static func text(_ seconds: String) -> String { choices.first { $0.0 == seconds }?.1 ?? seconds }

    /// Returns the choices for a template, of which one is chosen.
    ///
    /// - Parameter seconds: The seconds that the form had. Any other text stands for a day.
    /// - Returns: The values of each choice.
    static func values(_ seconds: String) -> [[String: Any]] {
        let chosen = choices.contains { $0.0 == seconds } ? seconds : "86400"
        return choices.map { ["seconds": $0.0, "text": $0.1, "isChosen": $0.0 == chosen] }
    }
}
