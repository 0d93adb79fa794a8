import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import Logging
import NIOCore
import Server

/// A caller of the sample service.
struct SampleCaller: Sendable {
    let permissions: Set<String>
}

/// An error that the HTTP layer does not know.
///
/// The text contains a secret.
struct SampleSecretError: Error, CustomStringConvertible {
    let description = "connection to postgres://owner:hunter2@db failed"
}

/// An error that the sample service translates.
struct SampleConflict: Error {}

/// A small service with an operation for each feature of the HTTP layer.
enum SampleTable {
    static let security = EndpointSecurity<SampleCaller>(
        authenticate: { headers, _, _ in
            switch headers[.authorization] {
            case nil: throw Problem.unauthorized
            case "Bearer writer": SampleCaller(permissions: ["keys:read", "keys:write"])
            case "Bearer reader": SampleCaller(permissions: ["keys:read"])
            default: throw Problem.invalidCredential
            }
        },
        authorize: { caller, access in
            guard let permission = access.permission, !caller.permissions.contains(permission) else { return }
            throw Problem.forbidden(permission: permission)
        },
        onBehalf: nil
    )

    static let keySchema =
        Schema.object([
            .required("name", .string(min: 1, max: 255)),
            .required("workspace", .string(max: 255)),
        ])
        .named("Key")

    static func make(
        _ settings: EndpointSettings = EndpointSettings(),
        security: EndpointSecurity<SampleCaller> = security
    ) -> EndpointTable<SampleCaller> {
        EndpointTable(
            [
                createKey, listKeys, changeKey, deleteKey, rotateKey, fails, conflicts, waits, waitsOutDeadline,
                authorize,
            ],
            security: security,
            settings: settings
        )
    }

    private static let workspace = PathParameter("workspace", "The workspace's id or slug.", .string(min: 1, max: 64))

    private static let createKey = Endpoint<SampleCaller>(
        .post,
        "/v1/workspaces/{workspace}/keys",
        id: "createKey",
        tag: "Keys",
        summary: "Create a key.",
        access: .admin("keys:write"),
        parameters: [workspace],
        body: .required(
            .object([
                .required("name", .string(min: 1, max: 255)),
                .optional("scopes", .array(of: .string(min: 1, max: 64), max: 10)),
                .optional("metadata", .anyObject()),
            ])
        ),
        responses: [EndpointResult(.created, "The key.", keySchema)],
        problems: [.conflict],
        takesIdempotencyKey: true
    ) { request in
        _ = try request.caller
        let name: String = try request.body.required("name")
        return try .object(status: .created, headers: [.location: "/v1/keys/1"]) {
            $0.member("name", name)
            $0.member("workspace", try request.parameter("workspace"))
            $0.member("idempotency_key", request.idempotencyKey)
            $0.member("bytes", request.rawBody.readableBytes)
        }
    }

    private static let listKeys = Endpoint<SampleCaller>(
        .get,
        "/v1/workspaces/{workspace}/keys",
        id: "listKeys",
        tag: "Keys",
        summary: "List keys.",
        access: .any("keys:read"),
        parameters: [workspace],
        query: .page([QueryParameter("query", .string(max: 100), "Text in the name.")]),
        responses: [EndpointResult(.ok, "A page.", .object([.required("data", .array(of: keySchema, max: 100))]))]
    ) { request in
        let limit: Int = try request.query.required("limit")
        return .page(Array(repeating: "key", count: min(limit, 3)), nextCursor: try request.query.optional("cursor"))
    }

    private static let changeKey = Endpoint<SampleCaller>(
        .patch,
        "/v1/workspaces/{workspace}/keys/{id}",
        id: "changeKey",
        tag: "Keys",
        summary: "Change a key.",
        access: .admin("keys:write"),
        parameters: [workspace, PathParameter("id", "The key's id.", .string(.uuid))],
        body: .required(.object([.optional("description", .string(max: 12).orNull)])),
        responses: [EndpointResult(.ok, "The key.", keySchema)]
    ) { request in
        switch try request.body.change("description", as: String.self) {
        case .keep: .text("keep")
        case .clear: .text("clear")
        case .set(let text): .text("set \(text)")
        }
    }
    .stopping { (try? $0.body.optional("description", as: String.self)) == "stop" }

    private static let deleteKey = Endpoint<SampleCaller>(
        .delete,
        "/v1/workspaces/{workspace}/keys/{id}",
        id: "deleteKey",
        tag: "Keys",
        summary: "Delete a key.",
        access: .admin("keys:write"),
        parameters: [workspace, PathParameter("id", "The key's id.", .string(.uuid))],
        responses: [EndpointResult(.noContent, "The key is deleted.")]
    ) { _ in .noContent }
    .stopping()

    private static let rotateKey = Endpoint<SampleCaller>(
        .post,
        "/v1/workspaces/{workspace}/keys/{id}/rotate",
        id: "rotateKey",
        tag: "Keys",
        summary: "Rotate a key.",
        access: .admin("keys:write"),
        parameters: [workspace, PathParameter("id", "The key's id.", .string(.uuid))],
        body: .optional(.object([.optional("grace_period_seconds", .integer(0...2_592_000))])),
        responses: [EndpointResult(.ok, "The key.", keySchema)],
        deadline: nil,
        logsAccess: false
    ) { request in
        .json(try request.body.optional("grace_period_seconds") ?? 86_400)
    }

    private static let fails = plain("fails") { _ in throw SampleSecretError() }

    private static let conflicts = plain("conflicts") { _ in throw SampleConflict() }

    private static let waits = plain("waits") { _ in
        try await Task.sleep(for: .seconds(3600))
        return .text("never")
    }

    private static let waitsOutDeadline = plain("waitsOutDeadline") { _ in
        try? await Task.sleep(for: .seconds(3600))
        return .text("done")
    }

    private static func plain(_ name: String, _ handler: @escaping Endpoint<SampleCaller>.Handler) -> Endpoint<
        SampleCaller
    > {
        Endpoint(
            .post,
            "/v1/\(name)",
            id: name,
            tag: "Errors",
            summary: name,
            access: .open,
            responses: [EndpointResult(.ok, "Text.", mediaType: "text/plain")],
            handler: handler
        )
    }

    private static let authorize = Endpoint<SampleCaller>(
        .any,
        "/v1/authorize/{id}/{rest+}",
        id: "authorize",
        tag: "Gateway",
        summary: "Decide",
        access: .open,
        parameters: [PathParameter("id", "The workspace."), PathParameter("rest", "The path.", .string(max: 1024))],
        query: .ignored,
        responses: [EndpointResult(.ok, "Yes.", mediaType: "text/plain")],
        deadline: nil
    ) { request in
        .text("\(request.head.method.rawValue) \(try request.parameter("id")) \(try request.parameter("rest"))")
    }
}
