extension Mortise.Key: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        workspaceID = try answer.textIfAny("workspace_id")
        name = try answer.text("name")
        description = try answer.textIfAny("description")
        type = try answer.textIfAny("type")
        subject = try answer.textIfAny("subject")
        mode = Mode(rawValue: try answer.text("mode"))
        prefix = try answer.text("prefix")
        status = Status(rawValue: try answer.text("status"))
        scopes = try answer.texts("scopes")
        permissions = try answer.textsIfAny("permissions") ?? []
        allowedNamespaces = try answer.textsIfAny("allowed_namespaces")
        allowedAddresses = try answer.texts("allowed_ips")
        rateLimitPerMinute = try answer.integerIfAny("rate_limit_per_minute")
        rateLimitPerHour = try answer.integerIfAny("rate_limit_per_hour")
        expiresAt = try answer.timeIfAny("expires_at")
        metadata = try answer.contents("metadata")
        createdBy = try answer.text("created_by")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
        lastUsedAt = try answer.timeIfAny("last_used_at")
        deprecatedAt = try answer.timeIfAny("deprecated_at")
        gracePeriodEndsAt = try answer.timeIfAny("grace_period_ends_at")
        revokedAt = try answer.timeIfAny("revoked_at")
        revokedBy = try answer.textIfAny("revoked_by")
        revocationReason = try answer.textIfAny("revocation_reason")
        replacedBy = try answer.textIfAny("replaced_by")
        secrets = try answer.objects("secrets")
    }
}

extension Mortise.Key.Secret: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        prefix = try answer.text("prefix")
        createdAt = try answer.time("created_at")
        endsAt = try answer.timeIfAny("ends_at")
        lastUsedAt = try answer.timeIfAny("last_used_at")
    }
}

extension Mortise.IssuedKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        key = try answer.object("key")
        token = try answer.token("token")
    }
}
