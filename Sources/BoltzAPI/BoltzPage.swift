import Endpoints
import JSON
import Keys
import Tenancy

/// An element of a list, which the clients use as a cursor by its id.
protocol BoltzListed: JSONWritable {
    var boltzID: String { get }
    var place: PageCursor { get }
}

/// A page of a list: newest first whatever the direction, and `has_more` tells of the direction that was asked for.
struct BoltzPage<Element: BoltzListed>: JSONWritable {
    let elements: [Element]
    let hasMore: Bool

    static func schema(of element: Schema) -> Schema {
        .object([
            .required("data", .array(of: element, max: 100)),
            .required("first_id", BoltzSchema.identifier.orNull),
            .required("last_id", BoltzSchema.identifier.orNull),
            .required("has_more", .boolean),
        ])
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("data", elements)
            $0.member("first_id", elements.first?.boltzID)
            $0.member("last_id", elements.last?.boltzID)
            $0.member("has_more", hasMore)
        }
    }
}

/// The part of a list that a request asks for.
struct BoltzPageRequest {
    /// The page.
    ///
    /// Where both ends are named it is read from `before_id` backwards, as the clients go on.
    let page: PageRequest

    /// Where both ends are named, the place of `after_id`: no element up to it is shown.
    let bound: PageCursor?

    /// Reads `limit`, `after_id` and `before_id`.
    ///
    /// `place` finds the place of the element with an id, and is `nil` when that is not the caller's to know.
    init(_ query: Fields, place: (String) async throws -> PageCursor?) async throws {
        func cursor(_ name: String) async throws -> PageCursor? {
            guard let id: String = try query.optional(name) else { return nil }
            guard let cursor = try await place(id) else {
                throw Problem.invalidRequest(Fault(.query(name), "must be the id of an element of this list"))
            }
            return cursor
        }
        let limit: Int = try query.required("limit")
        let (after, before) = (try await cursor("after_id"), try await cursor("before_id"))
        page =
            switch (after, before) {
            case (_, let before?): PageRequest(limit: limit, .before(before))
            case (let after?, nil): PageRequest(limit: limit, .after(after))
            case (nil, nil): PageRequest(limit: limit)
            }
        bound = before == nil ? nil : after
    }

    /// The answer with what was found.
    func answer(_ elements: [some BoltzListed], hasMore: Bool) -> EndpointResponse {
        guard let bound else { return .json(BoltzPage(elements: elements, hasMore: hasMore)) }
        let inside = elements.filter { $0.place.isBehind(bound) }
        return .json(BoltzPage(elements: inside, hasMore: hasMore && inside.count == elements.count))
    }
}

extension PageCursor {
    /// Whether this place comes later in a list that is newest first.
    fileprivate func isBehind(_ other: PageCursor) -> Bool {
        if createdAt != other.createdAt { return createdAt < other.createdAt }
        return UUIDv7.text(of: id) < UUIDv7.text(of: other.id)
    }
}

extension Timestamp {
    /// The instant with three digits of its second's fraction, as this dialect's own service writes it.
    var boltz: String { String(rfc3339.prefix(23)) + "Z" }
}
