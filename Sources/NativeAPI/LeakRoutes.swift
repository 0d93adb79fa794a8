import Endpoints
import HTTPTypes
import JSON
import NIOCore
import Service
import Surfaces

/// The operations for leaked tokens.
struct LeakRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [report, reportOfGitHub] }

    private static let maximumBytes = 1_048_576
    private static let maximumTokens = 1000

    /// The maximum number of entries of GitHub's report, which is as many as its body has room for.
    private static let maximumEntries = maximumBytes / 2

    /// A text of GitHub.
    ///
    /// The body alone limits its length.
    private static let text = Schema.string(max: maximumBytes)

    /// The payload of GitHub.
    ///
    /// One odd entry must not keep the others from being handled, so each entry is read on its own.
    private static let payload =
        Schema.array(
            of:
                .object(
                    [
                        .required("token", text.described("The text that may be a token.")),
                        .optional("type", text.orNull.described("The name of the pattern that found the text.")),
                        .optional("url", text.orNull.described("The place of the text.")),
                    ],
                    unknown: .ignored
                )
                .named("GitHubLeak").documentedOnly,
            count: 1...maximumEntries
        )

    private static let labels =
        Schema.array(
            of:
                .object([
                    // Texts of the report, as they are.
                    .required("token_raw", text.documentedOnly),
                    .required("token_type", text.documentedOnly),
                    .required("label", .oneOf("true_positive", "false_positive")),
                ])
                .named("LeakLabel"),
            max: maximumEntries
        )

    private func origin(_ request: NativeRequest) -> RequestOrigin { origin(request.headers, request.context) }

    private func origin(_ fields: HTTPFields, _ request: MortiseRequestContext) -> RequestOrigin {
        RequestOrigin(address: context.clients.address(fields, request.remoteAddress), requestID: request.requestID)
    }

    // MARK: Anybody

    private var report: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/leaks",
            id: "reportLeaks",
            tag: NativeSurface.Tag.leaks,
            summary: "Report tokens that you found in a public place",
            description: """
                For anybody, without a credential, 60 calls an hour from an address. The answer and its time are the \
                same for all texts. A genuine token leaves the event `leaked`, and `leak_action` of its organization \
                decides what happens to the key: nothing, a quarantine or a revocation. Without a choice, live keys \
                are revoked, except publishable ones. Admin keys are always revoked. If a database is unreachable, the \
                reaction follows as soon as it is back.
                """,
            access: .open,
            body: .required(
                .object([
                    .required("tokens", .array(of: .string(min: 1, max: 1000), count: 1...Self.maximumTokens))
                ])
                .named("LeakReport"),
                maximumBytes: Self.maximumBytes
            ),
            responses: [EndpointResult(.accepted, "The report takes effect.")],
            problems: [.rateLimited, .serviceUnavailable],
            deadline: .seconds(120),
            waits: .long
        ) { request in
            try await context.platform.leaks.report(try request.body.required("tokens"), from: origin(request))
            return EndpointResponse(.accepted)
        }
    }

    // MARK: GitHub

    private var reportOfGitHub: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/leaks/github",
            id: "reportLeaksOfGitHub",
            tag: NativeSurface.Tag.leaks,
            summary: "Receive a report of GitHub's secret scanning",
            description: """
                The body is the payload of GitHub's secret scanning partner program, signed in `Github-Public-Key-Signature` by the key that \
                `Github-Public-Key-Identifier` names. The signature is checked first, and an address has 100 reports without a valid \
                one in 15 minutes. The answer labels each text, and leaves out entries without one. A `type` or `url` that is no text \
                counts as missing. GitHub sends a report again that was answered with 503, because a text could not be looked up.
                """,
            access: .open,
            body: .required(Self.payload, maximumBytes: Self.maximumBytes)
                .checked { try await checkSignature(of: $2, $0, $1) },
            responses: [EndpointResult(.ok, "A label for each text, in their order.", Self.labels)],
            problems: [.unauthorized, .rateLimited, .serviceUnavailable],
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let entries = (request.json.array ?? []).filter { $0["token"]?.string != nil }
            let texts = entries.map { LeakedText(text: $0["token"]?.string ?? "", url: $0["url"]?.string) }
            let genuine = try await context.platform.leaks.reportOfGitHub(texts, from: origin(request))
            return Self.answer(entries, genuine)
        }
    }

    private func checkSignature(
        of body: ByteBuffer,
        _ fields: HTTPFields,
        _ request: MortiseRequestContext
    ) async throws {
        do {
            try await context.platform.leaks.checkGitHub(
                Array(body.readableBytesView),
                signature: Self.field("Github-Public-Key-Signature", of: fields),
                by: Self.field("Github-Public-Key-Identifier", of: fields),
                from: origin(fields, request)
            )
        } catch Refusal.unauthenticated {
            throw Self.unsigned
        }
    }

    /// The problem of a report that GitHub has not signed.
    private static let unsigned: Problem = {
        var problem = Problem.unauthorized
        problem.detail = "The report needs a valid signature of GitHub."
        return problem
    }()

    private static func answer(_ entries: [JSONValue], _ genuine: [Bool]) -> EndpointResponse {
        var writer = JSONWriter(capacity: 1024)
        writer.beginArray()
        for (entry, isGenuine) in zip(entries, genuine) {
            writer.object {
                $0.member("token_raw", entry["token"]?.string ?? "")
                $0.member("token_type", entry["type"]?.string ?? "")
                $0.member("label", isGenuine ? "true_positive" : "false_positive")
            }
        }
        writer.endArray()
        return EndpointResponse(.ok, body: ByteBuffer(bytes: writer.bytes))
    }

    private static func field(_ name: String, of fields: HTTPFields) -> String? {
        HTTPField.Name(name).flatMap { fields[$0] }
    }
}
