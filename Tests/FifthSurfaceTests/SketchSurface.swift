import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import KeyStore
import Keys
import NIOCore
import Service
import Surfaces
import Tenancy
import Verification

/// A dialect without clients, which shows the effort for a further dialect.
///
/// The surface translates two use cases and has its own error format. It imports no other dialect.
struct SketchSurface: Surface {
    let table: EndpointTable<Principal>

    init(_ context: SurfaceContext) {
        var settings = context.settings
        settings.translate = { DomainProblems.problem(for: $0) }
        settings.renderer = Self.errors
        table = EndpointTable(
            [Self.list(context), Self.verify(context)],
            security: Self.security(context),
            settings: settings
        )
    }

    var mounts: [Mount] { [table.mount(at: "/sketch/v1")] }

    /// Errors have the form `{"fault": {"word": …, "says": …}}`.
    private static let errors = ErrorRenderer { problem, _ in
        var writer = JSONWriter()
        writer.object {
            $0.member(
                "fault",
                ["word": .string(problem.kind.rawValue), "says": .string(problem.detail)] as JSONValue
            )
        }
        var headers: HTTPFields = [.contentType: "application/json"]
        headers.append(contentsOf: problem.headers)
        return Response(
            status: problem.kind.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        )
    }

    /// The credential is in `X-API-Key`.
    private static func security(_ context: SurfaceContext) -> EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { headers, request, isRepeated in
                guard let token = headers[.xAPIKey] else { throw Problem.unauthorized }
                return try await context.platform.access.authenticate(
                    token,
                    from: context.clients.address(headers, request.remoteAddress),
                    isRepeated: isRepeated
                )
            },
            authorize: { principal, access in try access.authorize(principal) },
            onBehalf: { try await $0.takingTurns($1) }
        )
    }

    private static func list(_ context: SurfaceContext) -> Endpoint<Principal> {
        Endpoint(
            .get,
            "/sketch/v1/keys/{workspace}",
            id: "sketchListKeys",
            tag: "Sketch",
            summary: "List the names of a workspace's keys.",
            access: .anybody(.keysRead),
            parameters: [DomainSchema.workspaceParameter],
            responses: [EndpointResult(.ok, "The names.", .array(of: .string(max: 255), max: 100))]
        ) { request in
            let home = try await context.platform.access.keys(
                ofWorkspace: try request.parameter("workspace"),
                for: try request.caller,
                .keysRead
            )
            let page = try await context.platform.keys.list(KeyFilter(), PageRequest(limit: 100), in: home)
            return .json(JSONValue.array(page.items.map { .string($0.name) }))
        }
    }

    private static func verify(_ context: SurfaceContext) -> Endpoint<Principal> {
        Endpoint(
            .post,
            "/sketch/v1/check",
            id: "sketchVerify",
            tag: "Sketch",
            summary: "Verify a token.",
            access: .admin(.keysVerify),
            body: .required(.object([.required("token", .string(max: 4096))])),
            responses: [EndpointResult(.ok, "The verdict.", .object([.required("verdict", .string(max: 64))]))],
            deadline: nil
        ) { request in
            let verdict = try await context.platform.verifier.verify(
                try request.body.required("token", as: String.self),
                VerificationRequest(),
                audience: try context.platform.access.audience(of: try request.caller)
            )
            return .object { $0.member("verdict", verdict.code.rawValue) }
        }
    }
}
