public import Tenancy

extension WorkspaceService {
    /// Restores an archived workspace, for 30 days after its archival.
    ///
    /// - Throws: `TenancyError` with the code `wrongState` after that time; `Refusal`; the database's errors.
    public func restore(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        return try await context.provision { try await $0.restore(workspace.id, by: caller.attribution) }
    }
}
