import MortiseClient

/// The examples in `Workspace.swift`.
enum NativeWorkspaceExamples {
    static func example1(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.get("shop")
        print(workspace.id, workspace.state == .active)
    }

    static func example2(_ client: Mortise) async throws {
        let suspended = try await client.workspaces.list(state: .suspended).all()
        print(suspended.count)
    }
}
