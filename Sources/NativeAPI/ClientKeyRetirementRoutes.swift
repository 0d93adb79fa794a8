import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces

/// The operation that ends the client keys of a removed subject.
///
/// Mortise knows of members that are removed. It does not know of users that a session issuer no longer knows, so the application says so.
struct ClientKeyRetirementRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [retire] }

    /// The schema of an outcome for client keys.
    static let fate = Schema.oneOf(ClientKeyTreatment.allCases.map(\.rawValue))

    /// The schema of the answer.
    static let outcome =
        Schema.object([
            .required("client_keys", fate),
            .required("client_key_count", .integer(0...Int64.max).described("The number of keys that worked before.")),
        ])
        .named("ClientKeyRetirement")

    /// Returns the answer.
    static func answer(_ count: Int, _ fate: ClientKeyTreatment) -> EndpointResponse {
        .object {
            $0.member("client_keys", fate.rawValue)
            $0.member("client_key_count", count)
        }
    }

    private var retire: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/workspaces/{workspace}/retire-subject",
            id: "retireClientKeys",
            tag: NativeSurface.Tag.clientKeys,
            summary: "Disable or revoke the client keys of a removed subject",
            description: """
                Disables or revokes all client keys of a subject, for example of a user that the application's session \
                issuer no longer knows. With `keep` the operation only counts them.
                """,
            access: .owner(.keysWrite),
            parameters: [
                // The body names a subject, which can be out of the caller's reach, too.
                PathParameter.workspace.absent(
                    "There is no workspace with this id or slug, or the credential does not reach the subject."
                )
            ],
            body: .required(
                .object([
                    .required("subject", KeySchema.subject),
                    .optional("client_keys", Self.fate.described("Defaults to `disable`.")),
                ])
                .named("ClientKeyRetire")
            ),
            responses: [EndpointResult(.ok, "The outcome.", Self.outcome)],
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited],
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let keys = try await context.platform.access.clientKeys(
                ofWorkspace: try request.parameter("workspace"),
                subject: try request.body.required("subject"),
                for: try request.caller,
                .keysWrite
            )
            let fate = try request.body.optional("client_keys").flatMap(ClientKeyTreatment.init(rawValue:)) ?? .disable
            let count = try await context.platform.keys.retire(keys, fate, by: try context.caller(request))
            return Self.answer(count, fate)
        }
    }
}
