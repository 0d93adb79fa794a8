import Endpoints
import JSON
import Keys
import Notices

/// The JSON of a webhook in the native API.
struct WebhookJSON: JSONWritable {
    let webhook: Webhook

    static let url = Schema.string(min: 1, max: WebhookURL.maximumLength)
    static let eventTypes = Schema.array(of: .string(min: 1, max: 64), count: 1...50)

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("organization_id", NativeSchema.id),
            .required(
                "workspace_id",
                NativeSchema.id.orNull.described("The only workspace whose events are sent. Null for all events.")
            ),
            .required("url", url),
            .required("description", NativeSchema.text.orNull),
            .required("event_types", eventTypes),
            .required("enabled", .boolean),
            .required("disabled_reason", .string(max: 255).orNull),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
            .required(
                "last_delivery_at",
                NativeSchema.time.orNull.described("The time of the last attempt that the receiver accepted.")
            ),
        ])
        .named("Webhook")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: webhook.id))
            $0.member("organization_id", UUIDv7.text(of: webhook.organizationID))
            $0.member("workspace_id", webhook.workspaceID.map(UUIDv7.text(of:)))
            $0.member("url", webhook.url)
            $0.member("description", webhook.description)
            $0.member("event_types", webhook.eventTypes)
            $0.member("enabled", webhook.isEnabled)
            $0.member("disabled_reason", webhook.disabling?.sentence)
            $0.member("created_at", webhook.createdAt.rfc3339)
            $0.member("updated_at", webhook.updatedAt.rfc3339)
            $0.member("last_delivery_at", webhook.lastDeliveryAt?.rfc3339)
        }
    }
}

/// The JSON of a delivery in the native API.
struct DeliveryJSON: JSONWritable {
    let delivery: Delivery

    private static let attempt =
        Schema.object([
            .required("at", NativeSchema.time),
            .required("duration_ms", .integer(0...1_000_000)),
            .required("status_code", .integer(0...999).orNull.described("Null if no answer came.")),
            .required("response", .string(max: 1024).orNull.described("The first KiB of the answer.")),
            .required("error", .string(max: 1000).orNull),
        ])
        .named("WebhookAttempt")

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required(
                "event_id",
                NativeSchema.id.described("The event's id, which is the header `webhook-id` of each attempt.")
            ),
            .required("type", .string(max: 64)),
            .required("attempts", .array(of: attempt, max: DeliveryStore.mostAttempts)),
            .required("next_attempt_at", NativeSchema.time.orNull.described("Null after the last attempt.")),
            .required("created_at", NativeSchema.time),
        ])
        .named("WebhookDelivery")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: delivery.id))
            $0.member("event_id", UUIDv7.text(of: delivery.eventID))
            $0.member("type", delivery.type)
            $0.member("attempts", delivery.attempts.map(AttemptJSON.init(attempt:)))
            $0.member("next_attempt_at", delivery.nextAttemptAt?.rfc3339)
            $0.member("created_at", delivery.createdAt.rfc3339)
        }
    }
}

/// The JSON of an attempt.
private struct AttemptJSON: JSONWritable {
    let attempt: Delivery.Attempt

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("at", attempt.at.rfc3339)
            $0.member("duration_ms", attempt.milliseconds)
            $0.member("status_code", attempt.statusCode)
            $0.member("response", attempt.response)
            $0.member("error", attempt.error)
        }
    }
}
