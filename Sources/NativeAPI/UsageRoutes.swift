import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces

/// The operation that reports the usage of a workspace, and the parts that all usage reports share.
struct UsageRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [ofWorkspace] }

    /// The parameters of every usage report.
    static let query = QuerySchema.page([
        QueryParameter(
            "since",
            NativeSchema.time,
            "The report begins with the step that contains this instant. Defaults to 24 hours before `until`."
        ),
        QueryParameter(
            "until",
            NativeSchema.time,
            "Only steps that begin before this instant. Defaults to the present."
        ),
        QueryParameter(
            "step",
            .oneOf(UsageRequest.Step.allCases.map(\.rawValue)),
            "The length of a step, in UTC: `minute` for the last 48 hours, `hour` and `day` for the last 400 days.",
            default: "hour"
        ),
        QueryParameter(
            "group_by",
            .oneOf(UsageRequest.Grouping.allCases.map(\.rawValue).filter { !$0.isEmpty }),
            "The members that tell the rows of a step apart. Without it, a step has one row."
        ),
    ])

    /// The description of every usage report.
    static let description = """
        Verifications by verdict, in the order of time. Refused verifications of a genuine key count, too. A step without a use has no \
        row. Counts are written every second, so a report can lack the last two seconds.
        """

    private static let row =
        Schema.object([
            .required("start", NativeSchema.time.described("The beginning of the step, in UTC.")),
            .optional("code", .string(max: 64).described("The verdict, if `group_by` has `code`.")),
            .optional("key_id", NativeSchema.id.described("The key, if `group_by` has `key`.")),
            .required("count", .integer(0...Int64.max).described("The number of verifications.")),
        ])
        .named("UsageRow")

    /// The responses of every usage report.
    static let responses = [EndpointResult(.ok, "A page of usage.", NativeSchema.page("UsagePage", of: row))]

    private var ofWorkspace: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/workspaces/{workspace}/usage",
            id: "getWorkspaceUsage",
            tag: NativeSurface.Tag.usage,
            summary: "Report the usage of all keys of a workspace",
            description: Self.description,
            access: .admin(.keysRead),
            parameters: [.workspace],
            query: Self.query,
            responses: Self.responses,
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited]
        ) { request in
            let name = try request.parameter("workspace")
            let home = try await context.platform.access.keys(ofWorkspace: name, for: try request.caller, .keysRead)
            return try await Self.answer(request, key: nil, in: home, context)
        }
    }

    /// Returns one page of usage: of one key, or of all keys of a workspace.
    static func answer(
        _ request: NativeRequest,
        key: UUID?,
        in home: KeyCollection,
        _ context: NativeContext
    ) async throws -> EndpointResponse {
        let page: UsagePage
        do {
            page = try await context.platform.keys.usage(try Self.request(request, key), in: home)
        } catch let fault as UsageRangeFault {
            throw Problem.invalidRequest(Fault(.query("since"), fault.detail))
        }
        return .page(page.rows.map(UsageJSON.init(row:)), nextCursor: page.next?.text)
    }

    private static func request(_ request: NativeRequest, _ key: UUID?) throws -> UsageRequest {
        var usage = UsageRequest(keyID: key)
        usage.since = try request.query.optional("since").flatMap(Timestamp.init(rfc3339:))
        usage.until = try request.query.optional("until").flatMap(Timestamp.init(rfc3339:))
        usage.step = UsageRequest.Step(rawValue: try request.query.required("step")) ?? .hour
        usage.grouping = try request.query.optional("group_by").flatMap(UsageRequest.Grouping.init(rawValue:)) ?? .none
        usage.limit = try request.query.required("limit")
        if let text: String = try request.query.optional("cursor") {
            guard let cursor = UsageCursor(text), cursor.belongs(to: usage) else { throw Problem.unknownCursor }
            usage.cursor = cursor
        }
        return usage
    }
}

extension UsageRangeFault {
    /// The fault of `since`, as a clause.
    fileprivate var detail: String {
        switch self {
        case .isEmpty: "must be before `until`, or before the present without an `until`"
        case .isTooLong(let step): "must be within the last \(step.rangeText) for the step `\(step.rawValue)`"
        }
    }
}

/// The JSON of a row of a usage report.
private struct UsageJSON: JSONWritable {
    let row: UsageRow

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("start", row.start.rfc3339)
            if let code = row.code { $0.member("code", code) }
            if let key = row.keyID { $0.member("key_id", UUIDv7.text(of: key)) }
            $0.member("count", row.count)
        }
    }
}
