import Endpoints
import JSON
import Keys
import Surfaces

/// What requests of this dialect must be like, and the shapes that answers share.
///
/// `null` counts as absent wherever it means nothing of its own: the Python client sends it for an argument that is explicitly `None`.
enum BoltzSchema {
    static let name = Schema.string(min: 1, max: 255)

    static let time = Schema.string(.dateTime)

    /// An id; one that names nothing is found out later.
    static let identifier = Schema.string(min: 1, max: 255)

    /// How long a workspace's services keep their data: 1 hour to 14 days.
    static let dataRetention =
        Schema.object([
            .required("unit", .oneOf("hours", "days")),
            .required("value", .integer(1...336)),
        ])
        .checked { value in
            value["unit"] == "days" && (value["value"]?.number?.int64 ?? 0) > 14 ? "must be at most 14 days" : nil
        }

    /// What this service does not keep, and does not take as if it did.
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

    /// The parameters of every list, and filters of its own.
    static func page(_ filters: [QueryParameter]) -> QuerySchema {
        QuerySchema(
            [
                QueryParameter("after_id", identifier, "The elements behind this one."),
                QueryParameter("before_id", identifier, "The elements before this one, those nearest to it."),
                QueryParameter("limit", .integer(1...100), "How many elements at most.", default: 100),
            ] + filters
        )
    }
}
