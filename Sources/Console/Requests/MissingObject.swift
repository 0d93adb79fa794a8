import Endpoints
import HTTPTypes
import Service

/// An object of a page that is not there, such as a key that was deleted in another tab.
struct MissingObject: Error {
    /// The kind of object, such as "key".
    let noun: String
    /// The word for its end, such as "deleted".
    let end: String
    /// The path of the list of such objects.
    let list: String

    /// The title of the page that says so.
    static let title = Problem.notFound.kind.title

    /// The status of the page that says so.
    static let status = Problem.notFound.kind.status

    /// The values of the template `error`.
    ///
    /// They do not tell whether the object was ever there, because it can be one of somebody else.
    var values: [String: Any] {
        [
            "detail": "There is no \(noun) with this id here. If there was one, it was \(end).",
            "back": "Show the \(noun)s", "backPath": list,
        ]
    }

    /// Returns what a body returns.
    ///
    /// - Throws: This error if the body finds nothing; its other errors.
    func found<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch Refusal.notFound { throw self }
    }
}
