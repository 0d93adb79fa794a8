import FoundationEssentials
import JSON
import KeyStore
import Keys

/// The body of the request that tells a webhook of an event.
///
/// It has no token, no digest, no e-mail address, and no address of a client.
struct EventBody {
    let type: String
    let occurredAt: Timestamp
    let organizationID: UUID
    let workspaceID: UUID?
    let keyID: UUID?
    let key: KeyRecord?
    let keyName: String?
    let actor: String
    let changes: JSONObject
    let sequence: Int64

    /// Creates the body of an event.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - organization: The organization that owns the database of the event.
    ///   - key: The key as it is now; `nil` if it was deleted.
    ///   - sequence: The event's place in the order of its database.
    init(_ event: EventRecord, organization: UUID, key: KeyRecord?, sequence: Int64) {
        type = WebhookEventTypes.name(of: event.type)
        occurredAt = event.occurredAt
        organizationID = organization
        workspaceID = event.workspaceID
        keyID = event.keyID
        self.key = key
        keyName = event.keyName
        actor = event.actor
        changes = (try? JSONValue(parsing: Array(event.changes.utf8)))?.object ?? JSONObject()
        self.sequence = sequence
    }

    /// Creates the body of a test.
    init(testOf webhook: Webhook, by actor: String, at now: Timestamp) {
        type = WebhookEventTypes.test
        occurredAt = now
        organizationID = webhook.organizationID
        workspaceID = webhook.workspaceID
        keyID = nil
        key = nil
        keyName = nil
        self.actor = actor
        changes = ["webhook": .string(UUIDv7.text(of: webhook.id))]
        sequence = 0
    }

    /// The body as JSON text.
    var text: String {
        var writer = JSONWriter(capacity: 1024)
        writer.object {
            $0.member("type", type)
            $0.member("timestamp", occurredAt.rfc3339)
            $0.key("data")
            $0.object {
                $0.member("organization_id", UUIDv7.text(of: organizationID))
                $0.member("workspace_id", workspaceID.map(UUIDv7.text(of:)))
                $0.key("key")
                writeKey(&$0)
                $0.member("actor", Self.masked(actor))
                $0.key("changes")
                $0.value(Self.masked(.object(changes)))
                $0.member("sequence", Int(sequence))
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func writeKey(_ writer: inout JSONWriter) {
        guard let keyID else { return writer.null() }
        writer.object {
            $0.member("id", UUIDv7.text(of: keyID))
            $0.member("kind", key?.kind.rawValue ?? changes["kind"]?.string)
            $0.member("name", (key?.name ?? keyName).map(Self.masked))
            $0.member("prefix", key?.prefix)
            $0.member("status", key?.status.rawValue ?? "deleted")
            $0.member("mode", key?.mode.rawValue)
            $0.member("subject", (key?.subject ?? changes["subject"]?.string).map(Self.masked))
            $0.member("created_at", key?.createdAt.rfc3339)
            $0.member("expires_at", key?.expiresAt?.rfc3339)
        }
    }

    // MARK: What does not leave the installation

    /// Returns a value without e-mail addresses and tokens.
    private static func masked(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(masked(text))
        case .array(let elements): .array(elements.map(masked))
        case .object(let object):
            .object(
                JSONObject(object.members.filter { $0.name != "email" }.map { ($0.name, masked($0.value)) })
            )
        case .null, .bool, .number: value
        }
    }

    /// Returns a text in which everything that looks like an e-mail address or a token is masked.
    ///
    /// The name, the subject or the creator of a key is any text of a tenant, also an e-mail address.
    private static func masked(_ text: String) -> String {
        let text = Redaction.redact(text)
        guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
        var masked = String.UnicodeScalarView()
        // One pass: the events of all organizations wait for each other here, and a tenant chooses the text.
        var word: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace || ends.contains(scalar) {
                masked.append(contentsOf: isAddress(word) ? mask : word)
                masked.append(scalar)
                word.removeAll(keepingCapacity: true)
            } else {
                word.append(scalar)
            }
        }
        masked.append(contentsOf: isAddress(word) ? mask : word)
        return String(masked)
    }

    private static let mask = Array("****".unicodeScalars)
    /// The scalars that end a word, besides white space.
    private static let ends = Set("<>\"',;:()".unicodeScalars)

    /// Returns true for a word with an at sign between other characters.
    private static func isAddress(_ word: [Unicode.Scalar]) -> Bool {
        word.indices.dropFirst().dropLast()
            .contains { word[$0] == "@" && word[$0 - 1] != "@" && word[$0 + 1] != "@" }
    }
}
