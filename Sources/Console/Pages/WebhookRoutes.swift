import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import Notices
import Service
import Tenancy

/// The webhooks of the organization, with their deliveries.
struct WebhookRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] {
        [list, form, create, show, save, enable, disable, rotateSecret, test, retry, delete, backFromRetry]
            + ["enable", "disable", "rotate-secret", "test", "delete"].map(back)
    }

    private static let path = "/console/webhooks"
    private static let newPath = "/console/webhooks/new"
    private static let onePath = "/console/webhooks/{id}"

    private func id(_ visit: Visit, _ name: String = "id") throws -> UUID {
        guard let id = UUIDv7.parse(try visit.request.parameter(name)) else { throw Refusal.notFound }
        return id
    }

    private static let missing = MissingObject(noun: "webhook", end: "deleted", list: path)

    /// Returns a webhook.
    ///
    /// - Throws: `MissingObject`; the errors of the use case.
    private func find(_ id: UUID, _ visit: Visit) async throws -> Webhook {
        try await Self.missing.found {
            try await visit.platform.webhooks.get(id, organization: visit.organization, by: visit.caller)
        }
    }

    /// Returns the page that the target names.
    private static func page(_ limit: Int, _ visit: Visit) -> PageRequest {
        guard let cursor = PageCursor(visit.query["after"]) else { return PageRequest(limit: limit) }
        return PageRequest(limit: limit, .after(cursor))
    }

    private static func path(_ id: UUID) -> String { "\(path)/\(UUIDv7.text(of: id))" }

    private func canWrite(_ visit: Visit) -> Bool { (try? visit.principal.require(.webhooksWrite)) != nil }

    // MARK: The list

    private var list: ConsoleEndpoint {
        context.page(Self.path, id: "consoleWebhooks") { visit in
            let page = try await visit.platform.webhooks.list(
                Self.page(50, visit),
                organization: visit.organization,
                by: visit.caller
            )
            let workspaces = try await visit.workspaces()
            let values: [String: Any] = [
                "webhooks": page.items.map { WebhookView.values($0, workspaces, at: visit.moment) },
                "hasWebhooks": !page.items.isEmpty, "canWrite": canWrite(visit), "hasNext": page.next != nil,
                "next": page.next.map { "\(Self.path)?after=\(FormText.encode($0.text))" } ?? "",
            ]
            return try await visit.page("webhooks", title: "Webhooks", in: .webhooks, values)
        }
    }

    // MARK: A new webhook

    private var form: ConsoleEndpoint {
        context.page(Self.newPath, id: "consoleNewWebhook") { visit in
            try visit.principal.require(.webhooksWrite)
            return try await newPage(FormFaults(), visit)
        }
    }

    private func newPage(
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let form = visit.form
        // A member with a role in single workspaces makes webhooks for those.
        let isWide = (try? visit.principal.requireWide(.webhooksWrite)) != nil
        var places: [(value: String, label: String)] = isWide ? [("", "All workspaces")] : []
        for workspace in try await visit.workspaces() {
            places.append((UUIDv7.text(of: workspace.id), workspace.name ?? workspace.slug))
        }
        var values: [String: Any] = [
            "form": [
                "url": form["url"], "eventTypes": form.contains("event_types") ? form["event_types"] : "key.*",
                "description": form["description"],
                "places": SelectView.options(places, selected: form["workspace"]),
            ] as [String: Any],
            "isNew": true, "ticket": visit.ticket, "suggestions": WebhookView.suggestions,
        ]
        values.merge(faults.values) { _, new in new }
        return try await visit.page("webhook-new", title: "Create webhook", in: .webhooks, values, status: status)
    }

    /// Returns the form's name for a member of the API.
    private static func field(_ member: String) -> String { member == "workspace_id" ? "workspace" : member }

    private var create: ConsoleEndpoint {
        context.action(Self.newPath, id: "consoleCreateWebhook") { visit in
            let new = NewWebhook(
                workspaceID: try visit.form.workspaceID(),
                url: visit.form["url"].trimmed,
                description: visit.form.text("description"),
                eventTypes: visit.form.lines("event_types")
            )
            do {
                let created = try await visit.platform.webhooks.create(
                    new,
                    organization: visit.organization,
                    by: try visit.callerOnce()
                ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}" }
                return try await issued(created, isRotation: false, visit)
            } catch {
                guard let faults = FormFaults(error, name: Self.field) else { throw error }
                return try await newPage(faults, visit, status: .unprocessableContent)
            }
        }
    }

    /// Returns the page that shows a signing secret once.
    private func issued(
        _ revealed: RevealedWebhook,
        isRotation: Bool,
        _ visit: Visit
    ) async throws -> EndpointResponse {
        var values: [String: Any] = [
            "url": revealed.webhook.url, "path": Self.path(revealed.webhook.id), "isReplay": revealed.isReplay,
            "isRotation": isRotation,
        ]
        if !revealed.isReplay {
            values["secret"] = revealed.secret.reveal()
            values["done"] = isRotation ? "The secret is replaced." : "The webhook is created."
        }
        let status: HTTPResponse.Status = isRotation || revealed.isReplay ? .ok : .created
        return try await visit.page("webhook-issued", title: "Signing secret", in: .webhooks, values, status: status)
    }

    // MARK: One webhook

    private var show: ConsoleEndpoint {
        context.page(Self.onePath, id: "consoleWebhook") { visit in
            try await page(try id(visit), FormFaults(), visit)
        }
    }

    private func page(
        _ id: UUID,
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let webhook = try await find(id, visit)
        let page = try await visit.platform.webhooks.deliveries(
            Self.page(25, visit),
            of: id,
            organization: visit.organization,
            by: visit.caller
        )
        let old = OldPage(visit.form)
        let types = webhook.eventTypes.joined(separator: "\n")
        let path = Self.path(id)
        let canWrite = canWrite(visit)
        var values: [String: Any] = [
            "webhook": WebhookView.values(webhook, try await visit.workspaces(), at: visit.moment),
            "deliveries": page.items.map { WebhookView.values($0, of: path, at: visit.moment) },
            "hasDeliveries": !page.items.isEmpty, "canWrite": canWrite, "canRetry": canWrite && webhook.isEnabled,
            "form": [
                "url": old.value("url", now: webhook.url), "eventTypes": old.value("event_types", now: types),
                "description": old.value("description", now: webhook.description ?? ""),
            ] as [String: Any],
            "shown": OldPage.hidden([
                ("url", webhook.url), ("event_types", types), ("description", webhook.description ?? ""),
            ]),
            "confirmation": visit.form["confirmation"], "secretName": webhook.secretName,
            "suggestions": WebhookView.suggestions, "ticket": visit.ticket, "hasNext": page.next != nil,
            "next": page.next.map { "\(path)?after=\(FormText.encode($0.text))" } ?? "",
        ]
        values.merge(faults.values) { _, new in new }
        return try await visit.page("webhook", title: webhook.url, in: .webhooks, values, status: status)
    }

    private var save: ConsoleEndpoint {
        context.action(Self.onePath, id: "consoleSaveWebhook") { visit in
            try await OldPage.comparing { try await save(try id(visit), visit) }
        }
    }

    /// Saves the form of a webhook, if the webhook is still as it was read.
    private func save(_ id: UUID, _ visit: Visit) async throws -> EndpointResponse {
        let webhook = try await find(id, visit)
        var faults = FormFaults()
        let change = Self.change(of: webhook, visit.form, &faults)
        faults.add(WebhookService.faults(of: change)) { $0 }
        guard faults.isEmpty else { return try await page(id, faults, visit, status: .unprocessableContent) }
        do {
            _ = try await visit.platform.webhooks.update(
                id,
                change,
                ifStill: webhook,
                organization: visit.organization,
                by: visit.caller
            )
        } catch {
            guard let faults = FormFaults(error) else { throw error }
            return try await page(id, faults, visit, status: .unprocessableContent)
        }
        throw Redirect(location: "\(Self.path(id))?done=saved")
    }

    /// Returns the change that the form asks for: what the person changed in it.
    private static func change(of webhook: Webhook, _ form: FormFields, _ faults: inout FormFaults) -> WebhookChange {
        let old = OldPage(form)
        var change = WebhookChange()
        if old.changes("url", to: form["url"], from: webhook.url, &faults) { change.url = form["url"].trimmed }
        if old.changes("description", to: form["description"], from: webhook.description ?? "", &faults) {
            change.description = .some(form.text("description"))
        }
        let types = form.lines("event_types")
        let present = webhook.eventTypes.joined(separator: "\n")
        if old.changes("event_types", to: types.joined(separator: "\n"), from: present, &faults) {
            change.eventTypes = types
        }
        return change
    }

    /// Declares a change of a webhook's state.
    private func change(
        _ name: String,
        id operation: String,
        done: Outcome,
        _ body: @escaping @Sendable (UUID, Visit) async throws -> Void
    ) -> ConsoleEndpoint {
        context.action("\(Self.onePath)/\(name)", id: operation) { visit in
            let id = try id(visit)
            return try await OldPage.comparing {
                do {
                    try await body(id, visit)
                } catch {
                    // The delivery can be missing, too.
                    if case Refusal.notFound = error { _ = try await find(id, visit) }
                    guard let faults = FormFaults(error) else { throw error }
                    return try await page(id, faults, visit, status: .conflict)
                }
                throw Redirect(location: "\(Self.path(id))?done=\(done.rawValue)")
            }
        }
    }

    private var enable: ConsoleEndpoint {
        change("enable", id: "consoleEnableWebhook", done: .webhookEnabled) { id, visit in
            let webhook = try await find(id, visit)
            if !webhook.isEnabled { try OldPage(visit.form).requireUnchanged("webhook", since: webhook.updatedAt) }
            _ = try await visit.platform.webhooks.enable(
                id,
                ifStill: webhook,
                organization: visit.organization,
                by: visit.caller
            )
        }
    }

    private var disable: ConsoleEndpoint {
        change("disable", id: "consoleDisableWebhook", done: .webhookDisabled) { id, visit in
            _ = try await visit.platform.webhooks.disable(id, organization: visit.organization, by: visit.caller)
        }
    }

    private var test: ConsoleEndpoint {
        change("test", id: "consoleTestWebhook", done: .testQueued) { id, visit in
            try await visit.platform.webhooks.test(id, organization: visit.organization, by: visit.caller)
        }
    }

    private var retry: ConsoleEndpoint {
        change("deliveries/{delivery}/retry", id: "consoleRetryDelivery", done: .deliveryQueued) { id, visit in
            try await visit.platform.webhooks.retry(
                try self.id(visit, "delivery"),
                of: id,
                organization: visit.organization,
                by: visit.caller
            )
        }
    }

    private var rotateSecret: ConsoleEndpoint {
        context.action("\(Self.onePath)/rotate-secret", id: "consoleRotateWebhookSecret") { visit in
            let id = try id(visit)
            do {
                let rotated = try await visit.platform.webhooks.rotateSecret(
                    id,
                    replacing: OldPage(visit.form).shown("secret"),
                    organization: visit.organization,
                    by: try visit.callerOnce()
                ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}" }
                return try await issued(rotated, isRotation: true, visit)
            } catch {
                if case Refusal.notFound = error { throw Self.missing }
                guard let faults = FormFaults(error, again: "rotate the secret once more") else { throw error }
                return try await page(id, faults, visit, status: .conflict)
            }
        }
    }

    private var delete: ConsoleEndpoint {
        context.action("\(Self.onePath)/delete", id: "consoleDeleteWebhook") { visit in
            let id = try id(visit)
            let webhook = try await find(id, visit)
            guard visit.form["confirmation"].trimmed == webhook.url else {
                var faults = FormFaults()
                faults.add("confirmation", "This is not the URL of the webhook. Nothing was changed.")
                return try await page(id, faults, visit, status: .unprocessableContent)
            }
            try await visit.platform.webhooks.delete(id, organization: visit.organization, by: visit.caller)
            throw Redirect(location: "\(Self.path)?done=\(Outcome.webhookDeleted.rawValue)")
        }
    }

    // MARK: Reloads

    /// Declares the way back to the webhook from the address of a form.
    private func back(_ action: String) -> ConsoleEndpoint {
        context.page("\(Self.onePath)/\(action)", id: "consoleWebhookPage-\(action)") { visit in
            throw Redirect(location: Self.path(try id(visit)))
        }
    }

    private var backFromRetry: ConsoleEndpoint {
        context.page("\(Self.onePath)/deliveries/{delivery}/retry", id: "consoleRetryPage") { visit in
            throw Redirect(location: Self.path(try id(visit)))
        }
    }
}
