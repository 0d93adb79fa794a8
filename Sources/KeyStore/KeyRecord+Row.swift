import FoundationEssentials
import Keys
import Postgres

extension KeyRecord {
    /// Reads a row of `KeyTable.columns`.
    init(row: Row) throws(PostgresError) {
        self.id = try row.decode(0)
        self.kind = try row.decode(1, as: StoredText<KeyKind>.self).value
        self.organizationID = try row.decode(2)
        self.name = try row.decode(3)
        self.description = try row.decode(4)
        self.mode = try row.decode(5, as: StoredText<KeyMode>.self).value
        self.scopes = try row.decode(6)
        self.permissions = try row.decode(7)
        self.allowedNamespaces = try row.decode(8)
        self.allowedAddresses = try row.decode(9)
        self.rateLimitPerMinute = try row.decode(10)
        self.rateLimitPerHour = try row.decode(11)
        self.expiresAt = try row.decode(12, as: StoredTime?.self)?.value
        self.metadata = try row.decode(13, as: PostgresJSON.self).text
        self.disabledAt = try row.decode(14, as: StoredTime?.self)?.value
        self.deprecatedAt = try row.decode(15, as: StoredTime?.self)?.value
        self.deprecationReason = try row.decode(16)
        self.gracePeriodEndsAt = try row.decode(17, as: StoredTime?.self)?.value
        self.endedAt = try row.decode(18, as: StoredTime?.self)?.value
        self.revokedAt = try row.decode(19, as: StoredTime?.self)?.value
        self.revokedBy = try row.decode(20)
        self.revocationReason = try row.decode(21)
        self.replacedBy = try row.decode(22)
        self.createdBy = try row.decode(23)
        self.createdAt = try row.decode(24, as: StoredTime.self).value
        self.updatedAt = try row.decode(25, as: StoredTime.self).value
        self.uniqueName = try row.decode(26)
        self.subject = try row.decode(27)
        self.type = try row.decode(28)
        self.claims = try row.decode(29, as: PostgresJSON?.self)?.text
    }
}

extension SecretRecord {
    /// Reads a row of `KeyStatements.secrets`.
    init(row: Row) throws(PostgresError) {
        self.id = try row.decode(1)
        self.prefix = try row.decode(2)
        self.createdAt = try row.decode(3, as: StoredTime.self).value
        self.endsAt = try row.decode(4, as: StoredTime?.self)?.value
        self.lastUsedAt = try row.decode(5, as: StoredTime?.self)?.value
        self.isLive = try row.decode(6)
    }
}
