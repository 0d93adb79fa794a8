import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import People
import Service
import Tenancy

/// The settings: the organization with its notices, the member's own password and sessions, and the session issuers.
struct SettingsRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] {
        [show, saveNotices, changePassword, endSession, endOthers, issuers]
            + ["notices", "password", "sessions", "sessions/{id}/end"].map(back)
    }

    private static let path = "/console/settings"

    private var show: ConsoleEndpoint {
        context.page(Self.path, id: "consoleSettings") { visit in try await page(FormFaults(), visit) }
    }

    private func page(
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let organization = try await visit.platform.organizations.get(visit.organization, by: visit.caller)
        let sessions = try await visit.platform.ownSessions.list(visit.caller)
        let grants = visit.principal.member?.grants ?? []
        var values: [String: Any] = [
            "organizationName": organization.name, "organizationSlug": organization.slug,
            "organizationID": UUIDv7.text(of: organization.id), "tokenPrefix": organization.tokenPrefix ?? "",
            "hasTokenPrefix": organization.tokenPrefix != nil, "leakText": NoticesText.leak(organization.leakAction),
            "expiryText": NoticesText.expiry(organization.expiryNoticeDays),
            "unusedText": NoticesText.unused(organization.unusedAfterDays), "noticesPath": "\(Self.path)/notices",
            "canChangeNotices": (try? OrganizationService.requireNotices(visit.principal)) != nil,
            "sessions": sessions.map { SessionView.values($0, current: visit.session.sessionID, at: visit.moment) },
            "hasOthers": sessions.count > 1, "hasPasswords": visit.platform.passwordUse == .on,
            "roles": Set(grants.map(\.role.rawValue)).sorted().joined(separator: ", "),
        ]
        values.merge(NoticesForm.values(organization, visit.form)) { _, new in new }
        values.merge(faults.values) { _, new in new }
        return try await visit.page("settings", title: "Settings", in: .settings, values, status: status)
    }

    private var saveNotices: ConsoleEndpoint {
        context.action("\(Self.path)/notices", id: "consoleSaveNotices") { visit in
            try OrganizationService.requireNotices(visit.principal)
            return try await OldPage.comparing {
                let organization = try await visit.platform.organizations.get(visit.organization, by: visit.caller)
                if let faults = try await NoticesForm.save(
                    visit.form,
                    of: organization,
                    visit.platform,
                    by: visit.caller
                ) {
                    return try await page(faults, visit, status: .unprocessableContent)
                }
                throw Redirect(location: "\(Self.path)?done=saved")
            }
        }
    }

    /// Returns the name of the field of the password form for a member of the API.
    private static func passwordField(_ member: String) -> String {
        switch member {
        case "new_password": "new"
        case "repeated_password": "again"
        default: "current"
        }
    }

    private var changePassword: ConsoleEndpoint {
        context.action("\(Self.path)/password", id: "consoleChangePassword") { visit in
            do {
                try await visit.platform.members.changePassword(
                    current: visit.form["current"],
                    new: visit.form["new"],
                    repeated: visit.form["again"],
                    by: visit.caller
                )
            } catch {
                guard let faults = FormFaults(error, name: Self.passwordField) else { throw error }
                return try await page(faults, visit, status: .unprocessableContent)
            }
            throw Redirect(location: "\(Self.path)?done=password-changed")
        }
    }

    /// Declares the way back to the settings from the address of a form, such as after a sign-in.
    private func back(_ form: String) -> ConsoleEndpoint {
        context.page("\(Self.path)/\(form)", id: "consoleSettingsPage-\(form.replacing("/{id}/", with: "-"))") { _ in
            throw Redirect(location: Self.path)
        }
    }

    private var endSession: ConsoleEndpoint {
        context.action("\(Self.path)/sessions/{id}/end", id: "consoleEndSession") { visit in
            guard let id = UUIDv7.parse(try visit.request.parameter("id")) else { throw Refusal.notFound }
            try await visit.platform.ownSessions.end(id, by: visit.caller)
            throw Redirect(location: "\(Self.path)?done=session-ended")
        }
    }

    private var endOthers: ConsoleEndpoint {
        context.action("\(Self.path)/sessions", id: "consoleEndOtherSessions") { visit in
            _ = try await visit.platform.ownSessions.endOthers(visit.caller)
            throw Redirect(location: "\(Self.path)?done=sessions-ended")
        }
    }

    /// The page says who manages session issuers: operators, as in the native API.
    private var issuers: ConsoleEndpoint {
        context.page("/console/session-issuers", id: "consoleSessionIssuers") { visit in
            try visit.principal.requireWide(.membersWrite)
            let organization = try await visit.platform.organizations.get(visit.organization, by: visit.caller)
            let values: [String: Any] = ["organizationSlug": organization.slug]
            return try await visit.page("session-issuers", title: "Session issuers", in: .sessionIssuers, values)
        }
    }
}
