public import FoundationEssentials
import JSON
public import KeyStore
import Keys
import Postgres

extension ControlWriter {
    private static let insertOrganization = Statement(
        """
        INSERT INTO control.organizations AS o (id, name, slug, token_prefix) VALUES ($1, $2, $3, $4)
        ON CONFLICT (slug) DO NOTHING
        RETURNING \(Organization.columns("o", defaultWorkspace: "NULL::uuid"))
        """
    )

    private static let updateOrganization = Statement(
        """
        UPDATE control.organizations AS o SET name = $2, slug = $3, token_prefix = $4, expiry_notice_days = $6,
            unused_after_days = $7, leak_action = $8, updated_at = now()
        WHERE id = $1
        RETURNING \(Organization.columns("o", defaultWorkspace: "$5::uuid"))
        """
    )

    private static let deleteOrganization = Statement("DELETE FROM control.organizations WHERE id = $1")

    /// Creates an organization without workspaces.
    ///
    /// - Throws: `invalid` naming the field, `slugTaken`.
    public func createOrganization(_ new: NewOrganization, by attribution: Attribution) async throws -> Organization {
        try Self.check(name: new.name)
        try Self.check(tokenPrefix: new.tokenPrefix)
        let id = identifiers.id()
        let created = try await withSlug(new.slug, name: new.name, fallback: "organization") { slug in
            try await transaction.connection
                .query(Self.insertOrganization, [id, new.name, slug.text, new.tokenPrefix])
                .first.map(Organization.init(row:))
        }
        var changes = EventChanges()
        changes.add("name", from: String?.none, to: created.name)
        changes.add("slug", from: String?.none, to: created.slug)
        try await record(.organizationCreated, organization: id, changes, by: attribution)
        return created
    }

    /// Changes an organization.
    ///
    /// - Throws: `unknownOrganization`, `invalid` naming the field, `slugTaken`.
    public func updateOrganization(
        _ id: UUID,
        _ change: OrganizationChange,
        by attribution: Attribution
    ) async throws -> Organization {
        if let name = change.name { try Self.check(name: name) }
        try Self.check(expiryNoticeDays: change.expiryNoticeDays ?? nil)
        try Self.check(unusedAfterDays: change.unusedAfterDays ?? nil)
        let slug = try change.slug.map { try Slug(validating: $0).text }
        guard let old = try await store.lockOrganization(id) else { throw TenancyError.unknownOrganization }
        // An organization keeps a prefix that it has, also one that became reserved later.
        if let prefix = change.tokenPrefix, prefix != old.tokenPrefix { try Self.check(tokenPrefix: prefix) }
        let rows: Rows
        do throws(PostgresError) {
            rows = try await transaction.connection.query(
                Self.updateOrganization,
                [
                    id, change.name ?? old.name, slug ?? old.slug, change.tokenPrefix ?? old.tokenPrefix,
                    old.defaultWorkspaceID, change.expiryNoticeDays ?? old.expiryNoticeDays,
                    change.unusedAfterDays ?? old.unusedAfterDays,
                    (change.leakAction ?? old.leakAction)?.rawValue,
                ]
            )
        } catch {
            guard error.constraint == "organizations_slug_key" else { throw error }
            throw TenancyError(.slugTaken, "the slug is taken", field: "slug")
        }
        let updated = try Organization(row: rows.first.orMissing())
        var changes = EventChanges()
        changes.compare("name", from: old.name, to: updated.name)
        changes.compare("slug", from: old.slug, to: updated.slug)
        changes.compare("token_prefix", from: old.tokenPrefix, to: updated.tokenPrefix)
        changes.compare(
            "expiry_notice_days",
            from: old.expiryNoticeDays.map(Self.json),
            to: updated.expiryNoticeDays.map(Self.json)
        )
        changes.compare(
            "unused_after_days",
            from: old.unusedAfterDays.map { Int($0) },
            to: updated.unusedAfterDays.map { Int($0) }
        )
        changes.compare("leak_action", from: old.leakAction?.rawValue, to: updated.leakAction?.rawValue)
        try await record(.organizationUpdated, organization: id, changes, by: attribution)
        return updated
    }

    /// Deletes an organization, with its members' roles, sessions and session issuers.
    ///
    /// Its events stay in the control database.
    ///
    /// - Throws: `unknownOrganization`; `wrongState` if it still has workspaces or admin keys.
    public func deleteOrganization(_ id: UUID, by attribution: Attribution) async throws {
        guard let old = try await store.lockOrganization(id) else { throw TenancyError.unknownOrganization }
        do throws(PostgresError) {
            try await transaction.connection.query(Self.deleteOrganization, [id])
        } catch {
            guard error.sqlState == .foreignKeyViolation else { throw error }
            throw TenancyError(
                .wrongState,
                "the organization has workspaces or admin keys that were created meanwhile; send the request again"
            )
        }
        var changes = EventChanges()
        changes.add("name", from: old.name, to: String?.none)
        changes.add("slug", from: old.slug, to: String?.none)
        try await record(.organizationDeleted, organization: id, changes, by: attribution)
    }

    private static func json(_ days: [Int64]) -> JSONValue { .array(days.map { .integer($0) }) }

    /// Throws if notices cannot come at these days before the end of a key.
    package static func check(expiryNoticeDays days: [Int64]?) throws(TenancyError) {
        guard let days else { return }
        guard days.count <= 10, Set(days).count == days.count, days.allSatisfy({ (1...365).contains($0) }) else {
            throw TenancyError(
                .invalid,
                "the days before an end are up to 10 different numbers from 1 to 365",
                field: "expiry_notice_days"
            )
        }
    }

    /// Throws if no notice can come after these days without a use.
    package static func check(unusedAfterDays days: Int64?) throws(TenancyError) {
        guard let days, !(0...3650).contains(days) else { return }
        throw TenancyError(.invalid, "the days without a use are 0 to 3650", field: "unused_after_days")
    }

    /// Throws if the tokens of an organization cannot begin with a text.
    package static func check(tokenPrefix: String?) throws(TenancyError) {
        guard let bytes = tokenPrefix?.utf8 else { return }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...4).contains(bytes.count), bytes.first.map(letters.contains) == true,
            bytes.allSatisfy({ letters.contains($0) || digits.contains($0) })
        else {
            throw TenancyError(
                .invalid,
                "a token prefix is a letter and up to three letters or digits, in lower case",
                field: "token_prefix"
            )
        }
        // A reader, and a scanner of leaks, takes a token with such a prefix for one of another kind.
        let reserved: [TokenPrefix] = [.service, .publishable, .client, .admin, .operator, .apiKey, .refresh]
        guard let prefix = TokenPrefix(tokenPrefix ?? ""), !reserved.contains(prefix) else {
            throw TenancyError(
                .invalid,
                "this token prefix belongs to a kind of Mortise's own tokens",
                field: "token_prefix"
            )
        }
    }
}
