import Endpoints
import HTTPTypes
import Service

/// The operations that Boltz's clients can call and that a key service does not offer.
///
/// The refusal says so, unlike a plain 404.
enum BoltzAbsentRoutes {
    static let endpoints: [BoltzEndpoint] = [
        absent(
            .get,
            "/compute/v1/admin/workspaces/{workspace}/spending-limit",
            id: "boltzGetSpendingLimit",
            "Spending limits are not offered here: this service manages API keys, not spending.",
            parameters: [BoltzWorkspaceRoutes.parameter]
        ),
        absent(
            .put,
            "/compute/v1/admin/workspaces/{workspace}/spending-limit",
            id: "boltzSetSpendingLimit",
            "Spending limits are not offered here: this service manages API keys, not spending.",
            parameters: [BoltzWorkspaceRoutes.parameter]
        ),
        absent(
            .get,
            "/compute/v1/admin/usage",
            id: "boltzListUsage",
            "Compute usage is not recorded here: this service manages API keys, not computation."
        ),
    ]

    private static func absent(
        _ method: EndpointMethod,
        _ path: String,
        id: String,
        _ sentence: String,
        parameters: [PathParameter] = []
    ) -> BoltzEndpoint {
        BoltzEndpoint(
            method,
            path,
            id: id,
            tag: BoltzSurface.Tag.absent,
            summary: sentence,
            access: .any(),
            parameters: parameters,
            query: .ignored,
            responses: [EndpointResult(.notFound, sentence)],
            deadline: nil
        ) { _ in throw Problem(.notFound, detail: sentence) }
    }
}
