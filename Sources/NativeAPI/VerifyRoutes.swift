import CoreMetrics
import Endpoints
import HTTPTypes
import JSON
import Keys
import NIOCore
import Service
import Surfaces
import Verification

/// The operations that turn tokens into verdicts.
///
/// API servers call them for each of their own requests. The authentication of the caller and the verification share one
/// deadline, the verifier's, and no extra task watches it.
struct VerifyRoutes: Sendable {
    private let context: NativeContext
    private let counters: VerdictCounters

    init(context: NativeContext, metrics: (any MetricsFactory)?) {
        self.context = context
        counters = VerdictCounters(metrics)
    }

    var endpoints: [NativeEndpoint] { [verify, batch] }

    /// The maximum number of tokens in a batch.
    static let maximumBatch = 100

    private static let request =
        Schema.object([
            .required(
                "token",
                .string(max: 4096)
                    .described("The presented token. A text that is not a token gets the verdict `malformed`.")
            ),
            .optional("scopes", KeySchema.scopes.described("The scopes that the key must have, all of them.")),
            .optional(
                "address",
                .string(min: 1, max: 64)
                    .checked { $0.string.flatMap { IPAddress($0) } == nil ? "must be an IPv4 or IPv6 address" : nil }
                    .orNull.described("The address of the token's user. Required for a key that is bound to addresses.")
            ),
            .optional(
                "mode",
                .oneOf(KeyMode.allCases.map(\.rawValue)).orNull
                    .described("The mode that the key must have. Defaults to either.")
            ),
            .optional(
                "namespace",
                KeySchema.namespace.orNull.described("The namespace that the key must allow. Defaults to `default`.")
            ),
        ])
        .named("Verification")

    private var verify: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/verify",
            id: "verify",
            tag: NativeSurface.Tag.verification,
            summary: "Verify a token",
            description: """
                A refused token is a verdict, not an error. The caller's organization is the audience: a genuine token of any other is \
                `not_found`. Admin and operator keys never verify.
                """,
            access: .admin(.keysVerify),
            body: .required(Self.request),
            responses: [EndpointResult(.ok, "The verdict.", VerdictJSON.schema)],
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited],
            deadline: nil,
            waits: .only(context.platform.verifier.deadline),
            logsAccess: false,
            firstStep: { request in
                let audience = try context.platform.access.audience(of: try request.caller)
                guard let asked = Question(request.json) else { throw FieldMismatch(name: "token") }
                switch context.platform.verifier.verifyInMemory(asked.token, asked.request, audience: audience) {
                case .verdict(let verdict): return .answer(answer(verdict))
                case .pending(let pending): return .wait { try await answer(finish(pending)) }
                }
            }
        )
    }

    private func finish(_ pending: PendingVerification) async throws -> Verdict {
        do {
            return try await context.platform.verifier.finish(pending)
        } catch let error as WorkspaceUnreachable {
            counters.count(.workspaceUnavailable)
            throw error
        }
    }

    private func answer(_ verdict: Verdict) -> EndpointResponse {
        counters.count(verdict.code)
        var writer = JSONWriter(capacity: 512)
        VerdictJSON(verdict).write(to: &writer)
        return EndpointResponse(.ok, body: ByteBuffer(bytes: writer.bytes))
    }

    private var batch: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/verify/batch",
            id: "verifyBatch",
            tag: NativeSurface.Tag.verification,
            summary: "Verify up to 100 tokens",
            description: """
                The verdicts are in the order of the requests. If a workspace is unavailable, its verdicts are \
                `workspace_unavailable`, and the others are not affected.
                """,
            access: .admin(.keysVerify),
            body: .required(
                .object([.required("requests", .array(of: Self.request, count: 1...Self.maximumBatch))])
                    .named("VerificationBatch")
            ),
            responses: [
                EndpointResult(
                    .ok,
                    "The verdicts.",
                    .object([.required("verdicts", .array(of: VerdictJSON.schema, max: Self.maximumBatch))])
                        .named("VerdictBatch")
                )
            ],
            problems: [.serviceUnavailable, .rateLimited],
            deadline: nil,
            waits: .only(context.platform.verifier.deadline),
            logsAccess: false
        ) { request in
            let audience = try context.platform.access.audience(of: try request.caller)
            let questions = request.json["requests"]?.array?.compactMap(Question.init) ?? []
            let verdicts = try await verdicts(questions, audience)
            return EndpointResponse(.ok, body: ByteBuffer(bytes: await VerdictJSON.batch(verdicts)))
        }
    }

    private func verdicts(_ questions: [Question], _ audience: Audience) async throws -> [VerdictJSON] {
        let results = try await context.platform.verifier.verify(
            questions.map { (text: $0.token, request: $0.request) },
            audience: audience
        )
        return results.map { result -> VerdictJSON in
            switch result {
            case .success(let verdict):
                counters.count(verdict.code)
                return VerdictJSON(verdict)
            case .failure:
                counters.count(.workspaceUnavailable)
                return .unreachable
            }
        }
    }
}

/// A token with the demands on its key, read from validated JSON.
private struct Question: Sendable {
    let token: String
    let request: VerificationRequest

    init?(_ json: JSONValue) {
        guard case .object(let object) = json, let token = object["token"]?.string else { return nil }
        self.token = token
        guard object.count > 1 else {
            request = VerificationRequest()
            return
        }
        request = VerificationRequest(
            scopes: object["scopes"]?.array?.compactMap { $0.string.map(Scope.init(freeForm:)) } ?? [],
            address: object["address"]?.string.flatMap { IPAddress($0) },
            mode: object["mode"]?.string.flatMap(KeyMode.init(rawValue:)),
            namespace: object["namespace"]?.string
        )
    }
}
