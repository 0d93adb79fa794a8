import FoundationEssentials
import JSON
import Keys
import Postgres

extension KeyRecord {
    /// The number of columns of `KeyTable.columns`.
    static let columnCount = 33

    /// Reads the columns of `KeyTable.columns`, from a column on.
    init(row: Row, from first: Int = 0) throws(PostgresError) {
        id = try row.decode(first)
        kind = try row.word(first + 1)
        organizationID = try row.decode(first + 2)
        name = try row.decode(first + 3)
        description = try row.decode(first + 4)
        mode = try row.word(first + 5)
        scopes = try row.decode(first + 6)
        permissions = try row.decode(first + 7)
        allowedNamespaces = try row.decode(first + 8)
        allowedAddresses = try row.decode(first + 9)
        rateLimitPerMinute = try row.decode(first + 10)
        rateLimitPerHour = try row.decode(first + 11)
        expiresAt = try row.optionalTimestamp(first + 12)
        metadata = try row.decode(first + 13, as: PostgresJSON.self).text
        disabledAt = try row.optionalTimestamp(first + 14)
        deprecatedAt = try row.optionalTimestamp(first + 15)
        deprecationReason = try row.decode(first + 16)
        gracePeriodEndsAt = try row.optionalTimestamp(first + 17)
        endedAt = try row.optionalTimestamp(first + 18)
        revokedAt = try row.optionalTimestamp(first + 19)
        revokedBy = try row.decode(first + 20)
        revocationReason = try row.decode(first + 21)
        replacedBy = try row.decode(first + 22)
        createdBy = try row.decode(first + 23)
        createdAt = try row.timestamp(first + 24)
        updatedAt = try row.timestamp(first + 25)
        uniqueName = try row.decode(first + 26)
        subject = try row.decode(first + 27)
        type = try row.decode(first + 28)
        claims = try row.decode(first + 29, as: PostgresJSON?.self)?.text
        limitID = try row.decode(first + 30)
        holds = try Self.holds(try row.decode(first + 31, as: PostgresJSON.self).text)
        readAt = try row.timestamp(first + 32)
    }

    /// Parses a JSON object of texts.
    ///
    /// An object that cannot be read is an error, and never a key without held restrictions.
    private static func holds(_ text: String) throws(PostgresError) -> [String: String] {
        guard let object = (try? JSONValue(parsing: text.utf8))?.object else {
            throw PostgresError(.decoding, "a key has held restrictions that cannot be read")
        }
        var holds: [String: String] = [:]
        for member in object.members {
            guard let rank = member.value.string else {
                throw PostgresError(.decoding, "a key has held restrictions that cannot be read")
            }
            holds[member.name] = rank
        }
        return holds
    }

    /// The held restrictions as JSON.
    var storedHolds: PostgresJSON {
        PostgresJSON(
            JSONValue.object(JSONObject(holds.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })).text
        )
    }

    /// The values of `KeyStatements.insert` that both tables have.
    var insertedValues: [any PostgresEncodable] {
        [
            id, name, uniqueName, description, mode.rawValue, scopes, allowedNamespaces, allowedAddresses,
            rateLimitPerMinute, rateLimitPerHour, expiresAt?.stored, PostgresJSON(metadata), disabledAt?.stored,
            createdBy, createdAt.stored, limitID,
        ]
    }

    /// The values of `KeyStatements.update` that both tables have.
    var updatedValues: [any PostgresEncodable] {
        [
            id, name, uniqueName, description, scopes, allowedNamespaces, allowedAddresses, rateLimitPerMinute,
            rateLimitPerHour, expiresAt?.stored, PostgresJSON(metadata), disabledAt?.stored, deprecatedAt?.stored,
            deprecationReason, gracePeriodEndsAt?.stored, endedAt?.stored, revokedAt?.stored, revokedBy,
            revocationReason, replacedBy, updatedAt.stored,
        ]
    }
}

extension SecretRecord {
    /// Reads the columns of `KeyTable.secretColumns`, from a column on.
    init(row: Row, from first: Int) throws(PostgresError) {
        id = try row.decode(first)
        prefix = try row.decode(first + 1)
        createdAt = try row.timestamp(first + 2)
        endsAt = try row.optionalTimestamp(first + 3)
        let address = try row.decode(first + 5, as: String?.self)
        lastUse = try row.optionalTimestamp(first + 4).map { KeyUse(at: $0, address: address.flatMap(IPAddress.init)) }
        isLive = try row.decode(first + 6)
    }
}
