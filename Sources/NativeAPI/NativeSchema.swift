import Endpoints
import JSON
import Keys
import Tenancy

/// Schemas that several resources use.
enum NativeSchema {
    /// An id: a UUID.
    static let id = Schema.string(.uuid)

    /// An instant.
    static let time = Schema.string(.dateTime)

    /// A name for people.
    static let name = Schema.string(min: 1, max: 255)

    /// A text of some sentences.
    static let text = Schema.string(max: 2000)

    /// What tokens begin with.
    static let tokenPrefix = Schema.string(
        TextFormat(
            pattern: "^[a-z][a-z0-9]{0,3}$",
            detail: "must be a lower-case letter and up to three lower-case letters or digits",
            maximumLength: 4
        ) { TokenPrefix($0) != nil }
    )

    /// The filter of lists by text.
    static func query(_ description: String) -> QueryParameter {
        QueryParameter("query", .string(min: 1, max: 255), description)
    }

    /// A page of a list.
    static func page(_ name: String, of element: Schema) -> Schema {
        .object([
            .required("data", .array(of: element, max: 100)),
            .required(
                "next_cursor",
                .string(max: 512).orNull.described("Where the next page begins; null on the last one.")
            ),
        ])
        .named(name)
    }

    /// The answer's header that tells a replay.
    static let replayed = (
        name: "Idempotent-Replayed",
        description: "`true` where an earlier request with this Idempotency-Key made the answer."
    )
}
