import Endpoints
import JSON
import Keys
import Surfaces

/// The schemas of the dialect's requests and of its common answers.
///
/// `null` counts as absent wherever it has no meaning of its own: the Python client sends it for an argument that is explicitly `None`.
enum BoltzSchema {
    static let name = Schema.string(min: 1, max: 255)

    static let time = Schema.string(.dateTime)

    /// The schema of an id.
    ///
    /// A use case checks later that the id names something.
    static let identifier = Schema.string(min: 1, max: 255)

    /// The schema of a workspace's data retention: 1 hour to 14 days.
    static let dataRetention =
        Schema.object([
            .required("unit", .oneOf("hours", "days")),
            .required("value", .integer(1...336)),
        ])
        .checked { value in
            value["unit"] == "days" && (value["value"]?.number?.int64 ?? 0) > 14 ? "must be at most 14 days" : nil
        }

    /// The schema of a spending limit.
    ///
    /// Every value is refused, because this service does not enforce one.
    static let spendingLimit = Schema.anyJSON().checked { _ in "is not supported: spending is not limited here" }

    static let keyCreate = Schema.object([
        .required("name", name),
        .optional("allowed_ips", DomainSchema.addresses.orNull),
        .optional("expires_in_days", .integer(1...365).orNull),
        .optional("mode", .oneOf(KeyMode.allCases.map(\.rawValue)).orNull),
        .optional("workspace_id", identifier.orNull),
    ])

    static let workspaceCreate = Schema.object([
        .optional("name", name.orNull),
        .optional("data_retention", dataRetention.orNull),
        .optional("spending_limit", spendingLimit.orNull),
    ])

    static let workspaceUpdate = Schema.object([
        .optional("name", name.orNull),
        .optional("data_retention", dataRetention.orNull),
    ])

    /// Returns the query parameters of a list: those of all lists, and its own filters.
    static func page(_ filters: [QueryParameter]) -> QuerySchema {
        QuerySchema(
            [
                QueryParameter("after_id", identifier, "Only elements after this one."),
                QueryParameter("before_id", identifier, "Only the nearest elements before this one."),
                QueryParameter("limit", .integer(1...100), "The maximum number of elements.", default: 100),
            ] + filters
        )
    }
}
