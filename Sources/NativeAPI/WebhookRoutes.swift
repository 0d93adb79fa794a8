import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import NIOCore
import Notices
import Service
import Surfaces
import Tenancy

/// The operations on webhooks.
struct WebhookRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] {
        [list, create, get, update, delete, enable, disable, rotateSecret, test, deliveries, retry]
    }

    private static let path = "/v1/organizations/{organization}/webhooks"
    private static let mark = CursorMark("webhooks")

    private static let types = WebhookJSON.eventTypes.described(
        "Types such as `key.revoked`; `key.*`, `workspace.*`, `member.*` and `webhook.*` for a family; `*` for all."
    )
    private static let url = WebhookJSON.url.described("An https URL, or an http URL of the server's own machine.")

    private static let revealed =
        Schema.object([
            .required("webhook", WebhookJSON.schema),
            .required("secret", .string(max: 255).described("The signing secret. No other answer contains it.")),
        ])
        .named("WebhookWithSecret")

    /// Declares an operation.
    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        description: String = "",
        _ permission: Permission = .webhooksWrite,
        query: QuerySchema = .none,
        body: RequestBodySchema? = nil,
        response: EndpointResult,
        problems: [Problem.Kind] = [],
        makes: Bool = false,
        handler: @escaping @Sendable (_ organization: String, _ request: NativeRequest) async throws -> EndpointResponse
    ) -> NativeEndpoint {
        var parameters = [PathParameter.organization]
        if suffix.contains("{id}") { parameters.append(.id(of: "webhook")) }
        if suffix.contains("{delivery}") { parameters.append(.id(of: "delivery", named: "delivery")) }
        return NativeEndpoint(
            method,
            Self.path + suffix,
            id: id,
            tag: NativeSurface.Tag.webhooks,
            summary: summary,
            description: description,
            access: .admin(permission),
            parameters: parameters,
            query: query,
            body: body,
            responses: [response],
            problems: problems + [.serviceUnavailable],
            takesIdempotencyKey: makes
        ) { request in
            try await handler(try request.parameter("organization"), request)
        }
    }

    private func id(_ request: NativeRequest, _ name: String = "id") throws -> UUID {
        guard let id = UUIDv7.parse(try request.parameter(name)) else { throw Refusal.notFound }
        return id
    }

    private static func answer(_ webhook: Webhook) -> EndpointResponse { .json(WebhookJSON(webhook: webhook)) }

    /// Returns an answer with the signing secret, which is not stored.
    private static func revealed(
        _ webhook: String,
        _ secret: SigningSecret,
        isReplay: Bool = false,
        status: HTTPResponse.Status
    ) -> EndpointResponse {
        var writer = JSONWriter(capacity: 1024)
        writer.object {
            $0.key("webhook")
            $0.value(rawJSON: webhook.utf8)
            $0.member("secret", secret.reveal())
        }
        return EndpointResponse(status, body: ByteBuffer(bytes: writer.bytes), headers: isReplay ? .replayed : [:])
    }

    private var list: NativeEndpoint {
        endpoint(
            .get,
            "",
            id: "listWebhooks",
            "List webhooks, newest first",
            .webhooksRead,
            query: .page([]),
            response: EndpointResult(
                .ok,
                "A page of webhooks.",
                NativeSchema.page("WebhookPage", of: WebhookJSON.schema)
            )
        ) { organization, request in
            let found = try await context.platform.webhooks.list(
                try context.page(request, Self.mark),
                organization: organization,
                by: try context.caller(request)
            )
            return .page(found.items.map(WebhookJSON.init(webhook:)), nextCursor: Self.mark.cursor(found.next?.text))
        }
    }

    private var create: NativeEndpoint {
        endpoint(
            .post,
            "",
            id: "createWebhook",
            "Create a webhook",
            description: """
                The URL is then told of the organization's events, or of one workspace's, by requests that are signed as \
                standardwebhooks.com describes. The answer contains the signing secret. The operation needs `events:read`, too.
                """,
            body: .required(
                .object([
                    .required("url", Self.url),
                    .required("event_types", Self.types),
                    .optional(
                        "workspace_id",
                        NativeSchema.id.orNull.described("The only workspace whose events are sent.")
                    ),
                    .optional("description", NativeSchema.text.orNull),
                ])
                .named("WebhookCreate")
            ),
            response: EndpointResult(
                .created,
                "The webhook and its signing secret.",
                Self.revealed,
                headers: [NativeSchema.replayed]
            ),
            makes: true
        ) { organization, request in
            let workspace: String? = try request.body.optional("workspace_id")
            let new = NewWebhook(
                workspaceID: try workspace.map { text in
                    guard let id = UUIDv7.parse(text.lowercased()) else { throw FieldMismatch(name: "workspace_id") }
                    return id
                },
                url: try request.body.required("url"),
                description: try request.body.optional("description"),
                eventTypes: try request.body.required("event_types")
            )
            let found = try await context.platform.access.organization(organization, for: try request.caller)
            let id = UUIDv7.text(of: found.id)
            let created = try await context.platform.webhooks.create(
                new,
                organization: id,
                by: try context.caller(request, path: "/v1/organizations/\(id)/webhooks"),
                answer: { WebhookJSON(webhook: $0).stored }
            )
            return Self.revealed(created.answer, created.secret, isReplay: created.isReplay, status: .created)
        }
    }

    private var get: NativeEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "getWebhook",
            "Get a webhook",
            .webhooksRead,
            response: EndpointResult(.ok, "The webhook.", WebhookJSON.schema)
        ) { organization, request in
            Self.answer(
                try await context.platform.webhooks.get(
                    try id(request),
                    organization: organization,
                    by: try context.caller(request)
                )
            )
        }
    }

    private var update: NativeEndpoint {
        endpoint(
            .patch,
            "/{id}",
            id: "updateWebhook",
            "Change a webhook",
            description: """
                An absent member stays as it is. Events that wait for an attempt go to the new URL. The operation needs `events:read`, too.
                """,
            body: .required(
                .object([
                    .optional("url", Self.url),
                    .optional("event_types", Self.types),
                    .optional("description", NativeSchema.text.orNull),
                ])
                .named("WebhookPatch")
            ),
            response: EndpointResult(.ok, "The changed webhook.", WebhookJSON.schema)
        ) { organization, request in
            var change = WebhookChange()
            change.url = try request.body.optional("url")
            change.eventTypes = try request.body.optional("event_types")
            switch try request.body.change("description", as: String.self) {
            case .keep: break
            case .clear: change.description = .some(nil)
            case .set(let text): change.description = text
            }
            return Self.answer(
                try await context.platform.webhooks.update(
                    try id(request),
                    change,
                    organization: organization,
                    by: try context.caller(request)
                )
            )
        }
    }

    private var delete: NativeEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "deleteWebhook",
            "Delete a webhook",
            description: "Its deliveries are deleted, too, also those that wait for an attempt.",
            response: EndpointResult(.noContent, "Deleted.")
        ) { organization, request in
            try await context.platform.webhooks.delete(
                try id(request),
                organization: organization,
                by: try context.caller(request)
            )
            return .noContent
        }
    }

    private var enable: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/enable",
            id: "enableWebhook",
            "Enable a webhook",
            description: """
                Deliveries that wait for an attempt go on. Events of the time in between can be missing. The operation needs \
                `events:read`, too.
                """,
            response: EndpointResult(.ok, "The webhook.", WebhookJSON.schema)
        ) { organization, request in
            Self.answer(
                try await context.platform.webhooks.enable(
                    try id(request),
                    organization: organization,
                    by: try context.caller(request)
                )
            )
        }
    }

    private var disable: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/disable",
            id: "disableWebhook",
            "Disable a webhook",
            description: "Nothing is sent until the webhook is enabled again.",
            response: EndpointResult(.ok, "The webhook.", WebhookJSON.schema)
        ) { organization, request in
            Self.answer(
                try await context.platform.webhooks.disable(
                    try id(request),
                    organization: organization,
                    by: try context.caller(request)
                )
            )
        }
    }

    private var rotateSecret: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/rotate-secret",
            id: "rotateWebhookSecret",
            "Rotate the signing secret of a webhook",
            description: "For 24 hours, requests are signed with the old secret, too.",
            response: EndpointResult(
                .ok,
                "The webhook and its new signing secret.",
                Self.revealed,
                headers: [NativeSchema.replayed]
            ),
            makes: true
        ) { organization, request in
            let id = try id(request)
            let found = try await context.platform.access.organization(organization, for: try request.caller)
            let place = "/v1/organizations/\(UUIDv7.text(of: found.id))/webhooks/\(UUIDv7.text(of: id))/rotate-secret"
            let rotated = try await context.platform.webhooks.rotateSecret(
                id,
                organization: UUIDv7.text(of: found.id),
                by: try context.caller(request, path: place),
                answer: { WebhookJSON(webhook: $0).stored }
            )
            return Self.revealed(rotated.answer, rotated.secret, isReplay: rotated.isReplay, status: .ok)
        }
    }

    private var test: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/test",
            id: "testWebhook",
            "Send a test event",
            description: """
                The event has the type `webhook.test`. The list of deliveries shows its outcome. A webhook has at most \
                \(DeliveryStore.mostTests) of them in an hour.
                """,
            response: EndpointResult(.accepted, "The event will be sent.")
        ) { organization, request in
            try await context.platform.webhooks.test(
                try id(request),
                organization: organization,
                by: try context.caller(request)
            )
            return EndpointResponse(.accepted)
        }
    }

    private var deliveries: NativeEndpoint {
        endpoint(
            .get,
            "/{id}/deliveries",
            id: "listWebhookDeliveries",
            "List the deliveries of a webhook, newest first",
            description: "Deliveries are kept for 30 days.",
            .webhooksRead,
            query: .page([]),
            response: EndpointResult(
                .ok,
                "A page of deliveries.",
                NativeSchema.page("WebhookDeliveryPage", of: DeliveryJSON.schema)
            )
        ) { organization, request in
            let webhook = try id(request)
            let mark = CursorMark("deliveries", of: webhook)
            let found = try await context.platform.webhooks.deliveries(
                try context.page(request, mark),
                of: webhook,
                organization: organization,
                by: try context.caller(request)
            )
            return .page(found.items.map(DeliveryJSON.init(delivery:)), nextCursor: mark.cursor(found.next?.text))
        }
    }

    private var retry: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/deliveries/{delivery}/retry",
            id: "retryWebhookDelivery",
            "Send a delivery again",
            description: """
                An attempt is made soon, even if a receiver accepted the delivery or the last attempt was made. A delivery has \
                at most 100 attempts.
                """,
            response: EndpointResult(.accepted, "The delivery will be sent.")
        ) { organization, request in
            try await context.platform.webhooks.retry(
                try id(request, "delivery"),
                of: try id(request),
                organization: organization,
                by: try context.caller(request)
            )
            return EndpointResponse(.accepted)
        }
    }
}
