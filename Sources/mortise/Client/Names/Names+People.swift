import MortiseClient

/// A member, session issuer or webhook that a command names.
struct NamedObject: Sendable {
    /// The path component of the organization.
    let organization: String
    /// The id of the object.
    let id: String
}

extension Names {
    /// Returns the membership that a command names by its id, or by the e-mail address of the user.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the user has several memberships, and `refused` if there is none.
    func member(_ target: MemberTarget) async throws -> NamedObject {
        let organization = try await organization(target.place.organization)
        let list = "member list\(target.place.spelling)"
        if let id = target.member.id {
            note(.id(id, noun: "member", list: list))
            return NamedObject(organization: organization, id: id)
        }
        let email = target.member.lowercased()
        guard !email.isEmpty else { throw CommandFailure.usage("The e-mail address of the member is empty.") }
        let found = try await items(
            of: { $0.members(of: organization).list(query: String(email.prefix(255)), limit: 100) },
            where: { $0.user.email.lowercased() == email }
        )
        guard let member = found.first else {
            let known = try? await read { client throws(MortiseError) in
                try await client.members(of: organization).list(limit: 100).firstPage().items
            }
            throw CommandFailure.missing(
                "member",
                target.member,
                near: (known ?? []).map { ($0.user.email, $0.user.name ?? "") },
                list: list
            )
        }
        guard found.count == 1 else {
            await learnWorkspaces(found.compactMap(\.workspaceID))
            let candidates = found.map {
                "\($0.id)  \($0.role.rawValue) of \($0.workspaceID.map(workspaceSlug) ?? "the whole organization")"
            }
            throw CommandFailure.ambiguous("member", target.member, candidates)
        }
        return NamedObject(organization: organization, id: member.id)
    }

    /// Returns the session issuer that a command names by its id or by its claim `iss`.
    ///
    /// - Throws: `CommandFailure` of kind `refused` if there is no such issuer.
    func sessionIssuer(_ name: String, _ place: OrganizationOptions) async throws -> NamedObject {
        let organization = try await organization(place.organization)
        let list = "session-issuer list\(place.spelling)"
        if let id = name.id {
            note(.id(id, noun: "session issuer", list: list))
            return NamedObject(organization: organization, id: id)
        }
        let known = try await items(of: { $0.sessionIssuers(of: organization).list(limit: 100) })
        guard let issuer = known.first(where: { $0.issuer == name }) else {
            throw CommandFailure.missing("session issuer", name, near: known.map { ($0.issuer, "") }, list: list)
        }
        return NamedObject(organization: organization, id: issuer.id)
    }

    /// Returns the webhook that a command names by its id or by its URL.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if several webhooks have the URL, and `refused` if there is no such webhook.
    func webhook(_ target: WebhookTarget) async throws -> NamedObject {
        let organization = try await organization(target.place.organization)
        let list = "webhook list\(target.place.spelling)"
        if let id = target.webhook.id {
            note(.id(id, noun: "webhook", list: list))
            return NamedObject(organization: organization, id: id)
        }
        let known = try await items(of: { $0.webhooks(of: organization).list(limit: 100) })
        let found = known.filter { $0.url == target.webhook }
        guard let webhook = found.first else {
            throw CommandFailure.missing("webhook", target.webhook, near: known.map { ($0.url, "") }, list: list)
        }
        guard found.count == 1 else {
            let candidates = found.map { "\($0.id)  \(DisplayText.list($0.eventTypes))" }
            throw CommandFailure.ambiguous("webhook", target.webhook, candidates)
        }
        return NamedObject(organization: organization, id: webhook.id)
    }
}
