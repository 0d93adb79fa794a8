import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Surfaces
import Tenancy

/// The pages of the keys of one family.
struct KeyRoutes: Sendable {
    let context: ConsoleContext
    let family: KeyFamily

    var endpoints: [ConsoleEndpoint] {
        [list, csv, bulk, backFromBulk, form, create, show, save] + changes + [history]
            + (family == .service ? [plainList] : [])
    }

    /// The number of keys on a page.
    private static let pageSize = 50

    /// The navigation link of the family.
    var section: Section { family == .admin ? .adminKeys : .workspaces }

    // MARK: The list

    private var list: ConsoleEndpoint {
        context.page(family.listPath, id: "console\(family.id)s") { visit in
            try toOwnKeys(visit)
            let scene = try await visit.scene(family, .keysRead)
            let search = KeySearch(visit.query)
            let browse = search.browse(at: visit.moment)
            let page = try await visit.platform.keys.browse(browse, limit: Self.pageSize, in: scene.keys)
            let suggestions = try await visit.platform.keys.suggestions(in: scene.keys)
            let subjects = page.keys.compactMap(\.subject) + suggestions.owners
            let members = family == .client ? subjects.map { ActorKind.member.actor($0) } : []
            let actors = Set(page.keys.map(\.createdBy) + suggestions.owners + members)
            let names = try await visit.platform.keys.names(of: actors, for: visit.principal)
            var values = scene.values
            values.merge(search.values(suggestions.owners, names, family)) { _, new in new }
            values["keys"] = page.keys.map { view($0, scene, visit, names).row }
            values["hasKeys"] = !page.keys.isEmpty
            values["isFiltered"] = search.isFiltered
            values["isStart"] = page.keys.isEmpty && !search.isFiltered && !visit.query.contains("after")
            values["next"] = page.next.map { "\(scene.list)\(search.query(after: $0))" } ?? ""
            values["hasNext"] = page.next != nil
            values["isContinued"] = visit.query.contains("after")
            values["hasPages"] = visit.query.contains("after") || page.next != nil
            values["first"] = "\(scene.list)\(search.query(after: nil))"
            values["csv"] = "\(scene.base).csv\(search.query(after: nil))"
            values["ownerHeading"] = family == .client ? "Subject" : "Created by"
            if let workspace = scene.workspace {
                // A member's own client keys have another subject than the command names.
                values["hasShell"] = visit.allows(.keysWrite, in: workspace.id)
                values["canSeeServiceKeys"] = visit.allows(.keysRead, in: workspace.id)
                values["canSeeHistory"] = visit.allows(.eventsRead, in: workspace.id)
                values["canChangeWorkspace"] = visit.allows(.workspacesWrite, in: workspace.id)
            }
            let title = family == .admin ? "Admin keys" : scene.workspace.map { $0.name ?? $0.slug } ?? family.title
            return try await visit.page("keys", title: title, in: section, values)
        }
    }

    /// The path of the list as people guess it from the path of a key.
    private var plainList: ConsoleEndpoint {
        context.page(family.basePath, id: "consoleServiceKeyList") { visit in
            throw Redirect(location: family.list(FormText.encode(try visit.request.parameter("workspace"))))
        }
    }

    /// Sends a member without a permission over the service keys to the member's own client keys.
    private func toOwnKeys(_ visit: Visit) throws {
        guard family == .service, visit.principal.ownsClientKeys, !visit.principal.permissions.contains(.keysRead)
        else {
            return
        }
        throw Redirect(location: KeyFamily.client.list(FormText.encode(try visit.request.parameter("workspace"))))
    }

    private var csv: ConsoleEndpoint {
        context.page("\(family.basePath).csv", id: "console\(family.id)File", waits: .long) { visit in
            let scene = try await visit.scene(family, .keysRead)
            var browse = KeySearch(visit.query).browse(at: visit.moment)
            browse.cursor = nil
            var table = CSV([
                "id", "name", "description", "prefix", "type", "mode", "status", "scopes", "owner", "owner_id",
                "created_at", "expires_at", "last_used_at",
            ])
            // The owners of one page are often those of the next one.
            var names: [String: String] = [:]
            var asked: Set<String> = []
            let longest = visit.platform.keys.longestFile
            var count = 0
            repeat {
                let limit = min(100, longest - count)
                let page = try await visit.platform.keys.browse(browse, limit: limit, in: scene.keys)
                let actors = Set(page.keys.flatMap { shownActors(of: $0) }).subtracting(asked)
                asked.formUnion(actors)
                let found = try await visit.platform.keys.names(of: actors, for: visit.principal)
                names.merge(found) { _, new in new }
                for key in page.keys {
                    let owner = key.subject ?? key.createdBy
                    table.append([
                        UUIDv7.text(of: key.id), key.name, key.description ?? "", key.prefix, key.kind.rawValue,
                        key.mode.rawValue, key.status.rawValue, key.scopes.joined(separator: " "),
                        KeyView.owner(owner, names), owner, key.createdAt.rfc3339, key.expiresAt?.rfc3339 ?? "",
                        key.lastUsedAt?.rfc3339 ?? "",
                    ])
                }
                try visit.platform.keys.requireShort(fileOf: table.byteCount)
                count += page.keys.count
                browse.cursor = page.next
            } while browse.cursor != nil && count < longest
            if browse.cursor != nil { table.appendCut(after: count) }
            return table.response(scene.workspace?.slug ?? "admin-keys")
        }
    }

    /// Returns the actors whose names a list of keys shows for a key.
    private func shownActors(of key: KeyRecord) -> [String] {
        [key.createdBy, key.subject.map { ActorKind.member.actor($0) }].compactMap(\.self)
    }

    // MARK: Several keys

    /// The two changes of several keys.
    private enum BulkChange: String {
        case disable
        case revoke
    }

    private var bulk: ConsoleEndpoint {
        context.action("\(family.basePath)/bulk", id: "console\(family.id)Bulk", waits: .long) { visit in
            let scene = try await visit.scene(family, .keysWrite)
            guard let change = BulkChange(rawValue: visit.form["change"]) else { throw Problem.notFound }
            let ids = visit.form.names(after: "key.").prefix(Self.pageSize).compactMap { UUIDv7.parse($0) }
            let keys = try await visit.platform.keys.find(ids, in: scene.keys)
            guard !keys.isEmpty else {
                throw Problem(
                    .invalidRequest,
                    detail: "No key is selected. Go back and select keys by their check boxes."
                )
            }
            // A revoked key needs not be disabled. Revoked again, it is known to be refused on every node when the page appears.
            let changed = change == .disable ? keys.filter { $0.revokedAt == nil } : keys
            guard !changed.isEmpty else {
                throw Problem(
                    .invalidRequest,
                    detail:
                        "All selected keys are revoked, which is final: they are refused for ever. Nothing was changed."
                )
            }
            var faults = FormFaults()
            if visit.form["confirmed"] == "yes" {
                let reason = change == .revoke ? visit.form.text("reason") : nil
                faults.add(KeyService.faults(ofReason: reason)) { $0 }
                if faults.isEmpty { try await perform(change, changed, scene, visit) }
            }
            let names = try await visit.platform.keys.names(of: Set(changed.map(\.createdBy)), for: visit.principal)
            var values = scene.values
            values["keys"] = changed.map { view($0, scene, visit, names).row }
            if changed.count < keys.count {
                values["leftOut"] = NumberText.counted(keys.count - changed.count, "selected key")
            }
            values["isRevoke"] = change == .revoke
            values["change"] = change.rawValue
            values["meant"] = changed.count == 1 ? "this key" : "these \(NumberText.counted(changed.count, "key"))"
            values["them"] = changed.count == 1 ? "it" : "them"
            values["reason"] = visit.form["reason"]
            values.merge(faults.values) { _, new in new }
            let title = change == .revoke ? "Revoke keys" : "Disable keys"
            let status: HTTPResponse.Status = faults.isEmpty ? .ok : .unprocessableContent
            return try await visit.page("bulk", title: title, in: section, values, status: status)
        }
        .stopping { (try? $0.body.optional("confirmed", as: String.self)) == "yes" }
    }

    /// The way back from the address of the form for several keys, such as after a sign-in.
    private var backFromBulk: ConsoleEndpoint {
        context.page("\(family.basePath)/bulk", id: "console\(family.id)BulkPage") { visit in
            throw Redirect(location: try await visit.scene(family, .keysRead).list)
        }
    }

    /// Changes all of the keys, or none.
    private func perform(_ change: BulkChange, _ keys: [KeyRecord], _ scene: KeyPageContext, _ visit: Visit)
        async throws
    {
        let outcome: Outcome = change == .disable ? .keysDisabled : .keysRevoked
        let done = Redirect(location: "\(scene.list)?done=\(outcome.rawValue)")
        let ids = keys.map(\.id)
        do {
            switch change {
            case .disable: _ = try await visit.platform.keys.disable(ids, in: scene.keys, by: visit.caller)
            case .revoke:
                let reason = visit.form.text("reason")
                _ = try await visit.platform.keys.revoke(ids, reason: reason, in: scene.keys, by: visit.caller)
            }
        } catch Refusal.ofKeys(let positions, let refusal) {
            guard var problem = DomainProblems.problem(for: refusal) else { throw refusal }
            let names = positions.map { "\"\(keys[$0].name)\"" }.joined(separator: ", ")
            problem.detail += " This is about \(names). No key was changed: go back and select keys again."
            throw problem
        }
        throw done
    }

    // MARK: Creating

    private var form: ConsoleEndpoint {
        context.page("\(family.basePath)/new", id: "consoleNew\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysWrite)
            // The list says why there is no form.
            guard scene.canIssue else { throw Redirect(location: scene.list) }
            return try await formPage(KeyForm(family: family), FormFaults(), scene, visit, status: .ok)
        }
    }

    private var create: ConsoleEndpoint {
        context.action("\(family.basePath)/new", id: "consoleCreate\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysWrite)
            let form = KeyForm(visit.form, family: family)
            var faults = FormFaults()
            let draft = form.draft(scene.keys, &faults)
            if faults.isEmpty {
                do {
                    let issued = try await visit.platform.keys.create(draft, in: scene.keys, by: try visit.callerOnce())
                    {
                        "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}"
                    }
                    return try await issuedPage(issued, scene, visit, isRotation: false)
                } catch {
                    guard let found = FormFaults(error, name: form.field) else { throw error }
                    faults = found
                }
            } else {
                let others = visit.platform.keys.faults(of: draft, in: scene.keys, at: visit.moment)
                faults.add(others, name: form.field)
            }
            return try await formPage(form, faults, scene, visit, status: .unprocessableContent)
        }
    }

    private func formPage(
        _ form: KeyForm,
        _ faults: FormFaults,
        _ scene: KeyPageContext,
        _ visit: Visit,
        status: HTTPResponse.Status
    ) async throws -> EndpointResponse {
        var values = scene.values
        values.merge(form.values(visit.moment)) { _, new in new }
        values.merge(faults.values) { _, new in new }
        let scopes = try await visit.platform.keys.suggestions(in: scene.keys).scopes
        values["suggestions"] = scopes.prefix(24).map { ["text": $0] }
        values["hasSuggestions"] = !scopes.isEmpty
        values["needsSubject"] = family == .client && scene.keys.subject == nil
        values["ticket"] = visit.ticket
        values["isNew"] = true
        return try await visit.page("key-form", title: "Create key", in: section, values, status: status)
    }

    /// Returns the page with a new token.
    ///
    /// It is the answer to the form itself, so that the token is in no other answer. The same form again finds the key and gets no token.
    func issuedPage(
        _ issued: IssuedKey,
        _ scene: KeyPageContext,
        _ visit: Visit,
        isRotation: Bool
    ) async throws -> EndpointResponse {
        var values = scene.values
        let key = try await visit.platform.keys.get(issued.keyID, in: scene.keys)
        values["key"] = view(key, scene, visit, [:]).row
        values["isRotation"] = isRotation
        values["isReplay"] = issued.isReplay
        if !issued.isReplay { values["token"] = issued.token.reveal() }
        values["origin"] = context.origin.origin(of: visit.request.head) ?? ""
        values["done"] = issued.isReplay ? "" : isRotation ? "The key has a new token." : "The key is created."
        values["hasDone"] = !issued.isReplay
        let title = isRotation ? "New token" : "Key created"
        let status: HTTPResponse.Status = issued.isReplay || isRotation ? .ok : .created
        return try await visit.page("key-issued", title: title, in: section, values, status: status)
    }

    // MARK: One key

    /// Returns the key id in the path.
    func id(_ visit: Visit) throws -> UUID {
        guard let id = UUIDv7.parse(try visit.request.parameter("id")) else { throw Refusal.notFound }
        return id
    }

    /// Returns the key that the path names.
    ///
    /// - Throws: `MissingObject`; the errors of the use case.
    func findKey(_ scene: KeyPageContext, _ visit: Visit) async throws -> KeyRecord {
        try await scene.missingKey.found { try await visit.platform.keys.get(try id(visit), in: scene.keys) }
    }

    func view(_ key: KeyRecord, _ scene: KeyPageContext, _ visit: Visit, _ names: [String: String]) -> KeyView {
        KeyView(key: key, now: visit.moment, path: "\(scene.base)/\(UUIDv7.text(of: key.id))", names: names)
    }

    private var show: ConsoleEndpoint {
        context.page("\(family.basePath)/{id}", id: "console\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysRead)
            let key = try await findKey(scene, visit)
            return try await keyPage(key, KeyForm(key, family: family), FormFaults(), scene, visit)
        }
    }

    private var save: ConsoleEndpoint {
        context.action("\(family.basePath)/{id}", id: "consoleSave\(family.id)") { visit in
            let scene = try await visit.scene(family, .keysWrite)
            return try await OldPage.comparing { try await save(try await findKey(scene, visit), scene, visit) }
        }
    }

    /// Saves the form of a key, if the key is still as it was read.
    private func save(_ key: KeyRecord, _ scene: KeyPageContext, _ visit: Visit) async throws -> EndpointResponse {
        var form = KeyForm(visit.form, family: family)
        let present = KeyForm(key, family: family)
        var faults = FormFaults()
        if let shown = KeyForm(shownBy: visit.form, family: family) {
            form = form.rebased(from: shown, onto: present, &faults)
        }
        let patch = form.patch(from: present, &faults)
        if faults.isEmpty {
            do {
                _ = try await visit.platform.keys.update(key.id, patch, ifStill: key, in: scene.keys, by: visit.caller)
            } catch {
                guard let found = FormFaults(error, name: form.field) else { throw error }
                faults = found
            }
            if faults.isEmpty {
                throw Redirect(location: "\(scene.base)/\(UUIDv7.text(of: key.id))?done=saved")
            }
        } else {
            let others = visit.platform.keys.faults(of: patch, in: scene.keys, at: visit.moment)
            faults.add(others, name: form.field)
        }
        return try await keyPage(key, form, faults, scene, visit, status: .unprocessableContent)
    }

    /// The number of events on a key's page.
    private static let historyLength = 8

    func keyPage(
        _ key: KeyRecord,
        _ form: KeyForm,
        _ faults: FormFaults,
        _ scene: KeyPageContext,
        _ visit: Visit,
        _ more: [String: Any] = [:],
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        var events: [EventRecord] = []
        if scene.canSeeEvents {
            let page = PageRequest(limit: Self.historyLength)
            events = try await visit.platform.keys.events(EventFilter(keyID: key.id), page, in: scene.keys).items
        }
        let member = key.subject.map { ActorKind.member.actor($0) }
        let actors = Set(events.map(\.actor) + [key.createdBy, key.revokedBy, member].compactMap(\.self))
        let names = try await visit.platform.keys.names(of: actors, for: visit.principal)
        let period = UsagePeriod(rawValue: visit.query["range"]) ?? .hour
        let usage = period.request(for: key.id, until: visit.moment)
        let bars = try await visit.platform.keys.usage(usage, in: scene.keys).rows
        var values = scene.values
        let view = view(key, scene, visit, names)
        values["key"] = view.details
        values.merge(form.values(visit.moment)) { _, new in new }
        values["shown"] = KeyForm(key, family: family).shown
        values.merge(faults.values) { _, new in new }
        values["chart"] = ChartView.chart(bars, period, at: visit.moment)
        values["events"] = events.map { EventView($0, names).values(at: visit.moment) }
        values["canSeeEvents"] = scene.canSeeEvents
        values["canEdit"] = scene.canWrite && key.status != .revoked
        values["ticket"] = visit.ticket
        values["graces"] = GraceChoice.values(visit.form["grace"])
        let scopes = try await visit.platform.keys.suggestions(in: scene.keys).scopes
        values["suggestions"] = scopes.prefix(24).map { ["text": $0] }
        values["hasSuggestions"] = !scopes.isEmpty
        values.merge(more) { _, new in new }
        return try await visit.page("key", title: key.name, in: section, values, status: status)
    }
}
