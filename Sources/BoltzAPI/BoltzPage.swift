import Endpoints
import JSON
import Keys
import Tenancy

/// An element of a list.
///
/// Its id is a cursor for the clients.
protocol BoltzListed: JSONWritable {
    var boltzID: String { get }
    var place: PageCursor { get }
}

/// A page of a list, always newest first.
///
/// `has_more` refers to the requested direction.
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

/// The part of a list that a request asks for, read from `limit`, `after_id` and `before_id`.
struct BoltzPageRequest {
    /// The requested page.
    ///
    /// If both ends are named, the page is read backwards from `before_id`, as the clients continue.
    let page: PageRequest

    /// The position of `after_id` if both ends are named.
    ///
    /// The page contains no element up to it.
    let bound: PageCursor?

    /// Reads `limit`, `after_id` and `before_id`.
    ///
    /// `place` returns the position of the element with an id. `nil` if the caller cannot see the element.
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

    /// Returns the answer with the elements that were found.
    func answer(_ elements: [some BoltzListed], hasMore: Bool) -> EndpointResponse {
        guard let bound else { return .json(BoltzPage(elements: elements, hasMore: hasMore)) }
        let inside = elements.filter { $0.place.isBehind(bound) }
        return .json(BoltzPage(elements: inside, hasMore: hasMore && inside.count == elements.count))
    }
}

extension PageCursor {
    /// True if this position comes later in a list that is newest first.
    fileprivate func isBehind(_ other: PageCursor) -> Bool {
        if createdAt != other.createdAt { return createdAt < other.createdAt }
        return UUIDv7.text(of: id) < UUIDv7.text(of: other.id)
    }
}

extension Timestamp {
    /// The instant with milliseconds, as Boltz's own service writes it.
    var boltz: String { String(rfc3339.prefix(23)) + "Z" }
}
