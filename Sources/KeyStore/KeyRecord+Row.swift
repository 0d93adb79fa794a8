import FoundationEssentials
import Keys
import Postgres

extension KeyRecord {
    /// Reads a row of `KeyTable.columns`.
    init(row: Row) throws(PostgresError) {
        id = try row.decode(0)
        kind = try row.decode(1, as: StoredText<KeyKind>.self).value
        organizationID = try row.decode(2)
        name = try row.decode(3)
        description = try row.decode(4)
        mode = try row.decode(5, as: StoredText<KeyMode>.self).value
        scopes = try row.decode(6)
        permissions = try row.decode(7)
        allowedNamespaces = try row.decode(8)
        allowedAddresses = try row.decode(9)
        rateLimitPerMinute = try row.decode(10)
        rateLimitPerHour = try row.decode(11)
        expiresAt = try row.decode(12, as: StoredTime?.self)?.value
        metadata = try row.decode(13, as: PostgresJSON.self).text
        disabledAt = try row.decode(14, as: StoredTime?.self)?.value
        deprecatedAt = try row.decode(15, as: StoredTime?.self)?.value
        deprecationReason = try row.decode(16)
        gracePeriodEndsAt = try row.decode(17, as: StoredTime?.self)?.value
        endedAt = try row.decode(18, as: StoredTime?.self)?.value
        revokedAt = try row.decode(19, as: StoredTime?.self)?.value
        revokedBy = try row.decode(20)
        revocationReason = try row.decode(21)
        replacedBy = try row.decode(22)
        createdBy = try row.decode(23)
        createdAt = try row.decode(24, as: StoredTime.self).value
        updatedAt = try row.decode(25, as: StoredTime.self).value
        uniqueName = try row.decode(26)
        subject = try row.decode(27)
        type = try row.decode(28)
        claims = try row.decode(29, as: PostgresJSON?.self)?.text
    }
}

extension SecretRecord {
    /// Reads a row of `KeyStatements.secrets`.
    init(row: Row) throws(PostgresError) {
        id = try row.decode(1)
        prefix = try row.decode(2)
        createdAt = try row.decode(3, as: StoredTime.self).value
        endsAt = try row.decode(4, as: StoredTime?.self)?.value
        lastUsedAt = try row.decode(5, as: StoredTime?.self)?.value
        isLive = try row.decode(6)
    }
}
