import HTTPTypes
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

/// The lines of the access log, as an operator reads them.
@Suite(.hangLimit) struct RequestLineTests {
    private func line(_ operation: String, _ mortise: ServerHarness) throws -> [String: String] {
        let line = try #require(
            mortise.log.lines.last { $0.message == "request" && $0.metadata["operation"] == "\(operation)" },
            "\(operation)"
        )
        return line.metadata.mapValues { "\($0)" }
    }

    // A tenant asks who disabled a key. A slug in a path, a header or no name at all stands for the workspace.
    @Test func `a line has the actor, organization, workspace, address and trace, however the workspace is named`()
        async throws
    {
        try await withMortise { mortise in
            let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("id")
            let key = try await mortise.makeKey()
            let line = try line("createServiceKey", mortise)
            #expect(line["workspace_id"] == workspace)
            #expect(line["actor"]?.hasPrefix("admin-key:") == true && line["organization_id"] != nil)
            #expect(line["address"]?.isEmpty == false && line["status"] == "201")
            #expect(line["code"] == nil && line["error"] == nil)
            // Fluxbase's dialect names no workspace in its paths.
            _ = try await mortise.api.get("/api/v1/admin/service-keys", as: mortise.adminToken)
            let dialect = try #require(
                mortise.log.lines.last {
                    $0.message == "request" && "\($0.metadata["path"] ?? "")".hasPrefix("/api/v1/")
                }
            )
            #expect(dialect.metadata["workspace_id"] == "\(workspace)", "\(dialect.text)")
            // A refusal has its code. A workspace of somebody else stays unknown.
            _ = try await mortise.api.send("DELETE", key.path, as: mortise.adminToken)
            _ = try await mortise.api.get(key.path, as: mortise.adminToken)
            let refusal = try self.line("getServiceKey", mortise)
            #expect(refusal["code"] == "not_found" && refusal["workspace_id"] == workspace)
            let stranger = try await mortise.makeOrganization("Stranger")
            _ = try await mortise.api.get("/v1/workspaces/default/service-keys/\(key.id)", as: stranger.token)
            #expect(try self.line("getServiceKey", mortise)["workspace_id"] != workspace)
        }
    }
}
