import Endpoints
import JSON
import Keys
import Tenancy

/// The schemas that several resources use.
enum NativeSchema {
    /// The schema of an id, a UUID.
    static let id = Schema.string(.uuid)

    /// The schema of an instant.
    static let time = Schema.string(.dateTime)

    /// The schema of a display name.
    static let name = Schema.string(min: 1, max: 255)

    /// The schema of a longer text.
    static let text = Schema.string(max: 2000)

    /// The schema of an organization's token prefix.
    static let tokenPrefix = Schema.string(
        TextFormat(
            pattern: "^[a-z][a-z0-9]{0,3}$",
            detail: "must be a lower-case letter and up to three lower-case letters or digits",
            maximumLength: 4
        ) { TokenPrefix($0) != nil }
    )

    /// Returns the query parameter that filters a list by text.
    static func query(_ description: String) -> QueryParameter {
        QueryParameter("query", .string(min: 1, max: 255), description)
    }

    /// Returns the schema of a page of a list whose cursors have a maximum length.
    static func page(_ name: String, of element: Schema, cursor length: Int = 512) -> Schema {
        .object([
            .required("data", .array(of: element, max: 100)),
            .required(
                "next_cursor",
                .string(max: length).orNull.described("The cursor of the next page. Null on the last page.")
            ),
        ])
        .named(name)
    }

    /// The response header that marks a replay.
    static let replayed = (
        name: "Idempotent-Replayed",
        description: "`true` if an earlier request with this Idempotency-Key produced the answer."
    )
}
