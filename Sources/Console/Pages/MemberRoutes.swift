import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import People
import Service
import Tenancy

/// The members of the organization: their roles, passwords and sessions.
struct MemberRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] {
        [list, add, show, change, remove, endSessions, unbind] + ["remove", "sign-out", "unbind"].map(back)
    }

    private static let path = "/console/members"

    private static let roles: [(value: String, label: String, text: String)] = [
        ("owner", "Owner", "does everything, and decides who else is an owner"),
        ("admin", "Admin", "does everything except changing owners"),
        ("auditor", "Auditor", "reads keys and events"),
        ("member", "Member", "manages their own client keys"),
    ]

    /// Returns the roles that somebody with one of some roles can give.
    private static func grantable(by own: [MemberRole]) -> [(value: String, label: String)] {
        roles.filter { role in own.contains { own in MemberRole(rawValue: role.value).map(own.canGrant) ?? false } }
            .map { ($0.value, "\($0.label): \($0.text)") }
    }

    private func id(_ visit: Visit) throws -> UUID {
        guard let id = UUIDv7.parse(try visit.request.parameter("id")) else { throw Refusal.notFound }
        return id
    }

    private static let missing = MissingObject(noun: "member", end: "removed", list: path)

    /// Returns a member.
    ///
    /// - Throws: `MissingObject`; the errors of the use case.
    private func find(_ id: UUID, _ visit: Visit) async throws -> Member {
        try await Self.missing.found {
            try await visit.platform.members.get(id, organization: visit.organization, by: visit.caller)
        }
    }

    private func values(_ member: Member, _ workspaces: [Workspace], _ visit: Visit) -> [String: Any] {
        let role = Self.roles.first { $0.value == member.role.rawValue }
        let place = member.workspaceID.map { id in
            workspaces.first { $0.id == id }.map { $0.name ?? $0.slug } ?? "a workspace"
        }
        var values: [String: Any] = [
            "id": UUIDv7.text(of: member.id), "path": "\(Self.path)/\(UUIDv7.text(of: member.id))",
            "email": member.user.email, "name": member.user.name ?? "", "role": role?.label ?? member.role.rawValue,
            "place": place ?? "Whole organization", "hasPassword": member.user.hasPassword,
            "isSelf": member.user.id == visit.principal.member?.userID,
            "isUnready": !member.user.hasPassword && visit.platform.providerSignIn == nil,
        ]
        if let identity = member.user.identity {
            var account: [String: Any] = ["subject": identity.subject, "issuer": identity.issuer]
            account["shown"] = Self.account(member)
            account["bound"] = TimeView.values(identity.boundAt, at: visit.moment)
            values["identity"] = account
        }
        values["created"] = TimeView.values(member.createdAt, at: visit.moment)
        return values
    }

    /// Returns the account of a member at the identity provider, as a form sends it back.
    private static func account(_ member: Member) -> String? {
        member.user.identity.map { "\($0.issuer) \($0.subject)" }
    }

    private var list: ConsoleEndpoint {
        context.page(Self.path, id: "consoleMembers") { visit in
            try await listPage(FormFields(), FormFaults(), visit)
        }
    }

    private func listPage(
        _ form: FormFields,
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let page = try await visit.platform.members.list(
            PageRequest(limit: 50, PageCursor(visit.query["after"]).map { .after($0) } ?? .first),
            filter: MemberFilter(query: visit.query.text("q")),
            organization: visit.organization,
            by: visit.caller
        )
        let workspaces = try await visit.workspaces()
        // A member with a role in single workspaces adds members there.
        let isWide = (try? visit.principal.requireWide(.membersWrite)) != nil
        let grants = visit.principal.member?.grants ?? []
        let places =
            (isWide ? [("", "Whole organization")] : [])
            + workspaces.filter { visit.allows(.membersWrite, in: $0.id) }
            .map { (UUIDv7.text(of: $0.id), $0.name ?? $0.slug) }
        var values: [String: Any] = [
            "members": page.items.map { self.values($0, workspaces, visit) }, "hasMembers": !page.items.isEmpty,
            "q": visit.query["q"], "hasNext": page.next != nil,
            "next": page.next.map { "\(Self.path)\(visit.query.query(["after": $0.text, "done": ""]))" } ?? "",
            "roles": SelectView.options(
                Self.grantable(by: grants.map(\.role)),
                selected: form.text("role") ?? "member"
            ),
            "places": SelectView.options(places, selected: form["workspace"]),
            "hasPasswords": visit.platform.passwordUse == .on, "provider": visit.platform.providerSignIn?.name ?? "",
            "newEmail": form["email"], "newName": form["name"], "ticket": visit.ticket, "isAdding": !faults.isEmpty,
        ]
        values.merge(faults.values) { _, new in new }
        return try await visit.page("members", title: "Members", in: .members, values, status: status)
    }

    private var add: ConsoleEndpoint {
        context.action(Self.path, id: "consoleAddMember") { visit in
            let form = visit.form
            guard let role = MemberRole(rawValue: form["role"]) else { throw Problem.notFound }
            let new = NewMember(
                email: form["email"].trimmed,
                role: role,
                workspaceID: try form.workspaceID(),
                name: form.text("name"),
                password: form["password"].isEmpty ? nil : form["password"]
            )
            do {
                _ = try await visit.platform.members.add(
                    new,
                    organization: visit.organization,
                    by: try visit.callerOnce()
                ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}" }
            } catch {
                let faults: FormFaults? =
                    if case Refusal.memberExists(let text) = error { Self.fault("email", text) } else {
                        FormFaults(error, again: "add another", name: Self.field)
                    }
                guard let faults else { throw error }
                return try await listPage(form, faults, visit, status: .unprocessableContent)
            }
            throw Redirect(location: "\(Self.path)?done=member-added")
        }
    }

    private static func fault(_ field: String, _ text: String) -> FormFaults {
        var faults = FormFaults()
        faults.add(field, text)
        return faults
    }

    private static func field(_ member: String) -> String { member == "workspace_id" ? "workspace" : member }

    private var show: ConsoleEndpoint {
        context.page("\(Self.path)/{id}", id: "consoleMember") { visit in
            try await memberPage(try id(visit), FormFaults(), visit)
        }
    }

    private func memberPage(
        _ id: UUID,
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let member = try await find(id, visit)
        let seen = try await visibleSessions(of: id, visit)
        let sessions = seen ?? []
        let old = OldPage(visit.form)
        let role = visit.principal.role(in: member.workspaceID)
        var values: [String: Any] = [
            "canChange": role?.canGrant(member.role) ?? false,
            "member": self.values(member, try await visit.workspaces(), visit),
            "roles": SelectView.options(
                Self.grantable(by: role.map { [$0] } ?? []),
                selected: old.value("role", now: member.role.rawValue)
            ),
            "shown": OldPage.hidden([("name", member.user.name ?? ""), ("role", member.role.rawValue)]),
            "fates": SelectView.options(
                [("disable", "Disable them"), ("revoke", "Revoke them"), ("keep", "Keep them")],
                selected: visit.form.text("client_keys") ?? "disable"
            ),
            "confirmation": visit.form["confirmation"],
            "hasPasswords": visit.platform.passwordUse == .on,
            "name": old.value("name", now: member.user.name ?? ""),
            "sessions": sessions.map { SessionView.values($0, current: visit.session.sessionID, at: visit.moment) },
            "canUnbind": member.user.identity != nil && visit.principal.role(in: nil) == .owner,
            "seesSessions": seen != nil, "hasSessions": !sessions.isEmpty,
            "sessionCount": NumberText.counted(sessions.count, "session"),
        ]
        values.merge(faults.values) { _, new in new }
        return try await visit.page("member", title: member.user.email, in: .members, values, status: status)
    }

    /// Returns the sessions of a member, or `nil` if the visitor does not see all roles of the user.
    private func visibleSessions(of id: UUID, _ visit: Visit) async throws -> [SessionSummary]? {
        do {
            return try await visit.platform.members.sessions(
                of: id,
                organization: visit.organization,
                by: visit.caller
            )
        } catch Refusal.forbiddenKind {
            return nil
        }
    }

    private var change: ConsoleEndpoint {
        context.action("\(Self.path)/{id}", id: "consoleChangeMember") { visit in
            try await OldPage.comparing { try await save(try id(visit), visit) }
        }
    }

    /// Saves the form of a member, if the member is still as it was read.
    private func save(_ id: UUID, _ visit: Visit) async throws -> EndpointResponse {
        let member = try await find(id, visit)
        var faults = FormFaults()
        let change = Self.change(of: member, visit.form, &faults)
        guard faults.isEmpty else { return try await memberPage(id, faults, visit, status: .unprocessableContent) }
        do {
            _ = try await visit.platform.members.change(
                id,
                change,
                ifStill: member,
                organization: visit.organization,
                by: visit.caller
            )
        } catch {
            guard let faults = FormFaults(error) else { throw error }
            return try await memberPage(id, faults, visit, status: .unprocessableContent)
        }
        throw Redirect(location: "\(Self.path)/\(UUIDv7.text(of: id))?done=saved")
    }

    /// Returns the change that the form asks for: what the person changed in it.
    private static func change(of member: Member, _ form: FormFields, _ faults: inout FormFaults) -> MemberChange {
        let old = OldPage(form)
        var change = MemberChange(role: nil, password: form["password"].isEmpty ? nil : form["password"])
        let label = roles.first { $0.value == member.role.rawValue }?.label
        if let role = MemberRole(rawValue: form["role"]),
            old.changes("role", to: role.rawValue, from: member.role.rawValue, label: label, &faults)
        {
            change.role = role
        }
        if old.changes("name", to: form["name"], from: member.user.name ?? "", &faults) {
            change.name = .some(form.text("name"))
        }
        return change
    }

    /// Declares the way back to the member from the address of a form, such as after a sign-in.
    private func back(_ change: String) -> ConsoleEndpoint {
        context.page("\(Self.path)/{id}/\(change)", id: "consoleMemberPage-\(change)") { visit in
            throw Redirect(location: "\(Self.path)/\(UUIDv7.text(of: try id(visit)))")
        }
    }

    private var remove: ConsoleEndpoint {
        context.action("\(Self.path)/{id}/remove", id: "consoleRemoveMember", waits: .long) { visit in
            let id = try id(visit)
            let member: Member
            do {
                member = try await find(id, visit)
            } catch let missing as MissingObject {
                // The form was answered with 503 after the membership was gone, and its last keys are to be changed.
                let count = try? await visit.platform.members.remove(
                    id,
                    organization: visit.organization,
                    by: visit.caller
                )
                guard count != nil else { throw missing }
                throw Redirect(location: "\(Self.path)?done=member-removed")
            }
            guard visit.form["confirmation"].trimmed.lowercased() == member.user.email else {
                let faults = Self.fault(
                    "confirmation",
                    "This is not the e-mail address of the member. Nothing was changed."
                )
                return try await memberPage(id, faults, visit, status: .unprocessableContent)
            }
            do {
                _ = try await visit.platform.members.remove(
                    id,
                    clientKeys: ClientKeyTreatment(rawValue: visit.form["client_keys"]) ?? .disable,
                    organization: visit.organization,
                    by: visit.caller
                )
            } catch {
                guard let faults = FormFaults(error) else { throw error }
                return try await memberPage(id, faults, visit, status: .unprocessableContent)
            }
            throw Redirect(location: "\(Self.path)?done=member-removed")
        }
    }

    private var unbind: ConsoleEndpoint {
        context.action("\(Self.path)/{id}/unbind", id: "consoleUnbindMember") { visit in
            let id = try id(visit)
            return try await OldPage.comparing {
                let member = try await find(id, visit)
                if let shown = OldPage(visit.form).shown("account"), let now = Self.account(member), shown != now {
                    var faults = FormFaults()
                    faults.add("The member signs in with another account now. Nothing was changed.")
                    return try await memberPage(id, faults, visit, status: .conflict)
                }
                try await visit.platform.members.unbindIdentity(
                    of: id,
                    ifStill: member,
                    organization: visit.organization,
                    by: visit.caller
                )
                throw Redirect(location: "\(Self.path)/\(UUIDv7.text(of: id))?done=unbound")
            }
        }
    }

    private var endSessions: ConsoleEndpoint {
        context.action("\(Self.path)/{id}/sign-out", id: "consoleEndMemberSessions") { visit in
            let id = try id(visit)
            _ = try await Self.missing.found {
                try await visit.platform.members.endSessions(of: id, organization: visit.organization, by: visit.caller)
            }
            throw Redirect(location: "\(Self.path)/\(UUIDv7.text(of: id))?done=member-sessions-ended")
        }
    }
}

/// The values of sessions in templates.
enum SessionView {
    /// Returns the values.
    static func values(_ session: SessionSummary, current: UUID, at now: Timestamp) -> [String: Any] {
        var values: [String: Any] = [
            "id": UUIDv7.text(of: session.id), "address": session.address ?? "unknown address",
            "isCurrent": session.id == current,
        ]
        values["created"] = TimeView.values(session.createdAt, at: now)
        values["expires"] = TimeView.values(session.expiresAt, at: now)
        return values
    }
}
