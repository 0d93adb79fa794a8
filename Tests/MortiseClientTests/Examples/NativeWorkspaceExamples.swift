import FoundationEssentials
import MortiseClient

/// The examples in `Workspace.swift`.
enum NativeWorkspaceExamples {
    static func example1(_ client: Mortise) async throws {
        for try await workspace in client.workspaces.list(state: .archived) where !workspace.isDefault {
            let end = workspace.archivedAt ?? workspace.updatedAt
            let isOver = end.timeIntervalSinceNow < -90 * 86_400
            if isOver { try await client.workspaces.delete(workspace.id) }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.get("shop")
        print(workspace.name ?? workspace.slug, "of", workspace.organizationID, "since", workspace.createdAt)
        print("Its tokens carry", workspace.ref, "and its database is on", workspace.clusterID)
        if workspace.state == .suspended { print("They do not work now.") }
    }

    static func example3(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.get("shop")
        switch workspace.state {
        case .creating: print("Its database is not there yet.")
        case .active: print("Its keys work.")
        case .suspended: print(try await client.workspaces.resume(workspace.id).state.rawValue)
        case .archived: print("Its keys never work again.")
        default: print("It is in a newer state:", workspace.state.rawValue)
        }
    }
}
