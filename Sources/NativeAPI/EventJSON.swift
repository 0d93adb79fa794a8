import Endpoints
import JSON
import KeyStore
import Keys

/// The JSON of an event in the native API.
struct EventJSON: JSONWritable {
    let event: EventRecord

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("type", .string(max: 64)),
            .required("workspace_id", NativeSchema.id.orNull),
            .required("organization_id", NativeSchema.id.orNull.described("Null for events of the platform.")),
            .required("key_id", NativeSchema.id.orNull),
            .required("key_name", .string(max: 255).orNull.described("The key's name when the event was written.")),
            .required(
                "actor",
                .string(max: 255)
                    .described(
                        """
                        The actor: `admin-key:<id>`, `operator-key:<id>`, `service-key:<id>`, `client-key:<id>`, `member:<user id>`, \
                        `session:<user>`, `system`, or `sign-in` for a refused sign-in.
                        """
                    )
            ),
            .required("address", .string(max: 64).orNull.described("The address of the request's client.")),
            .required("request_id", .string(max: 64).orNull),
            .required("occurred_at", NativeSchema.time),
            .required(
                "changes",
                .anyObject(maximumBytes: 262_144)
                    .described("The changed members, with `from` and `to` where both are known.")
            ),
        ])
        .named("Event")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: event.id))
            $0.member("type", event.type)
            $0.member("workspace_id", event.workspaceID.map(UUIDv7.text(of:)))
            $0.member("organization_id", event.organizationID.map(UUIDv7.text(of:)))
            $0.member("key_id", event.keyID.map(UUIDv7.text(of:)))
            $0.member("key_name", event.keyName)
            $0.member("actor", event.actor)
            $0.member("address", event.address)
            $0.member("request_id", event.requestID)
            $0.member("occurred_at", event.occurredAt.rfc3339)
            $0.key("changes")
            $0.value(rawJSON: event.changes.utf8)
        }
    }
}
