import Endpoints
import HTTPTypes
import Service

/// What the clients can ask for and a key service does not have: a refusal that says so, where an unknown path would leave one guessing.
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
