import Endpoints
import HTTPTypes
import Keys
import Service
import Tenancy

/// The pages of clusters and nodes, which change nothing.
extension OperatorRoutes {
    var clusters: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/clusters", id: "consolePlatformClusters") { visit in
            let status = try await visit.platform.status.status(for: visit.session.principal)
            let clusters = status.clusters.map { ClusterView(status: $0.status, connections: $0.connections) }
                .sorted { ($0.rank, $0.anchor) < ($1.rank, $1.anchor) }
            let others = clusters.map(\.status).filter { !$0.cluster.isPrimary }
            let attention = clusters.flatMap(\.attention)
            var values: [String: Any] = [
                "clusters": clusters.map(\.row), "attention": attention, "hasAttention": !attention.isEmpty,
                "hasOthers": !others.isEmpty, "newName": Self.newName(besides: others.map(\.cluster.name)),
            ]
            values["moment"] = TimeView.values(visit.moment, at: visit.moment)
            // An operator key is of no organization, so a command must name one. With several, the reader chooses.
            let organizations = try await visit.platform.organizations.list(
                PageRequest(limit: 2),
                query: nil,
                by: visit.caller
            )
            let slugs = organizations.items.map(\.slug)
            values["organizationSlug"] = slugs.count == 1 ? slugs[0] : "ORGANIZATION"
            values["other"] = others.first?.cluster.name
            values["unused"] = others.first { $0.workspaces == 0 }?.cluster.name
            return visit.page("platform-clusters", title: "Clusters", in: "Clusters", values)
        }
    }

    /// Returns a name for a cluster to be added.
    private static func newName(besides names: [String]) -> String {
        let taken = Set(names)
        return ["second", "third", "fourth"].first { !taken.contains($0) } ?? "another"
    }

    var nodes: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/nodes", id: "consolePlatformNodes") { visit in
            let service = visit.platform.status
            let status = try await service.status(for: visit.session.principal)
            var values = NodeView(node: service.node, status: status, moment: visit.moment).values
            values["moment"] = TimeView.values(visit.moment, at: visit.moment)
            return visit.page("platform-nodes", title: "Nodes", in: "Nodes", values)
        }
    }
}
