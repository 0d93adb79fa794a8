import Endpoints
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces

/// The list of the keys of one family.
extension KeyRoutes {
    /// The maximum length of a cursor.
    ///
    /// The one of a list by name contains a name of 255 characters, with two digits for each of its bytes.
    private static let longestCursor = 2200

    private static let sort = QueryParameter(
        "sort",
        .oneOf(KeySort.all.map(\.name)),
        """
        The order of the list; a minus reverses it. Names are compared without regard to case. In the order of `expires_at`, keys end by \
        their expiry or a grace period, and keys without an end come last. In the order of `last_used_at`, keys that were never used come \
        first.
        """,
        default: .string(KeySort.newestFirst.name)
    )

    private static let cursor = QueryParameter(
        "cursor",
        .string(min: 1, max: longestCursor),
        "The `next_cursor` of the previous page of the same list in the same `sort`. Without a cursor, the list starts at its beginning."
    )

    private var filters: [QueryParameter] {
        var filters = [
            NativeSchema.query("A part of the name or the description, or the beginning of a token."),
            QueryParameter("status", .oneOf(KeyStatus.allCases.map(\.rawValue)), "Only keys with this status."),
            QueryParameter(
                "unused_since",
                NativeSchema.time,
                "Only keys that were created before this instant and not used since."
            ),
            QueryParameter(
                "expires_before",
                NativeSchema.time,
                "Only keys that work now and end before this instant, by their expiry or a grace period."
            ),
        ]
        if family == .service {
            filters.append(QueryParameter("type", .oneOf("service", "anon"), "Only keys of this type."))
        }
        if family == .client {
            filters.append(QueryParameter("subject", .string(min: 1, max: 255), "Only keys of this subject."))
        }
        return filters
    }

    var list: NativeEndpoint {
        endpoint(
            .get,
            "",
            id: "list\(family.schemaName)s",
            "List \(family.noun)s, newest first",
            .keysRead,
            description: """
                `sort` names another order. Uses are written every second, so the list can lack those of the last two \
                seconds. A key that is renamed or used while its list is read can appear twice or not at all in that \
                order.
                """,
            query: QuerySchema([.limit, Self.cursor, Self.sort] + filters),
            responses: [
                EndpointResult(
                    .ok,
                    "A page of keys.",
                    NativeSchema.page("KeyPage", of: KeyJSON.schema, cursor: Self.longestCursor)
                )
            ],
            problems: [.conflict]
        ) { request in
            let sort = KeySort.named(try request.query.required("sort")) ?? .newestFirst
            let home = try await home(request, .keysRead)
            let mark = CursorMark(family.schemaName, of: home.workspaceID ?? home.organizationID)
            let browse = try browse(request, sort, mark)
            let limit: Int = try request.query.required("limit")
            let page = try await context.platform.keys.list(browse, limit: limit, in: home)
            let keys = page.keys.map { json($0, home) }
            let next = mark.cursor(page.next.map(sort.text(of:)))
            return try await .longList(of: home, on: context.platform) { writer in
                writer.object {
                    $0.member("data", keys)
                    $0.member("next_cursor", next)
                }
            }
        }
    }

    /// Returns the question of a request.
    private func browse(_ request: NativeRequest, _ sort: KeySort, _ mark: CursorMark) throws -> KeyBrowse {
        let query = request.query
        var browse = KeyBrowse(order: sort.order, isAscending: sort.isAscending)
        if let text: String = try query.optional("cursor") { browse.cursor = try sort.cursor(mark.position(text)) }
        browse.query = try query.optional("query")
        browse.status = try query.optional("status").flatMap(KeyStatus.init(rawValue:))
        browse.unused = try Self.instant("unused_since", query).map { .since($0) }
        browse.endsBefore = try Self.instant("expires_before", query)
        if family == .service { browse.kind = try query.optional("type").flatMap(KeyKind.init(rawValue:)) }
        if family == .client { browse.owner = try query.optional("subject") }
        return browse
    }

    private static func instant(_ name: String, _ query: Fields) throws -> Timestamp? {
        try query.optional(name).flatMap(Timestamp.init(rfc3339:))
    }
}
