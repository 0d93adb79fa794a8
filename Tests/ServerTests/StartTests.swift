import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// A first start creates the first keys, and later starts leave them unchanged.
@Suite(.hangLimit) struct StartTests {
    @Test func `the first start creates an operator key and an organization with an admin key, once`() async throws {
        try await withInstallation { installation in
            let (admin, operatorToken) = try await withMortise(of: installation) { mortise async throws in
                #expect(try await mortise.api.get("/v1/organizations", as: mortise.operatorToken).status == 200)
                let workspaces = try await mortise.api.get("/v1/workspaces", as: mortise.adminToken)
                #expect(workspaces["data"]?.array?.compactMap { $0["slug"]?.string } == ["default"])
                #expect(workspaces["data"]?.array?.first?["state"] == "active")
                #expect(workspaces["data"]?.array?.first?["is_default"] == true)
                return (mortise.adminToken, mortise.operatorToken)
            }
            try await withMortise(of: installation) { mortise async throws in
                #expect(mortise.server.firstStart.operatorToken == nil)
                #expect(mortise.server.firstStart.adminToken == nil)
                #expect(try await mortise.api.get("/v1/organizations", as: operatorToken)["data"]?.array?.count == 1)
                #expect(try await mortise.api.get(ServerHarness.keys(), as: admin).status == 200)
            }
        }
    }

    @Test func `two concurrent first starts both succeed, and one of them creates the keys`() async throws {
        try await withInstallation { installation in
            let log = LogCollector()
            async let one = MortiseServer.make(installation.configuration(), logger: log.logger)
            async let two = MortiseServer.make(installation.configuration(), logger: log.logger)
            let servers = try await [one, two]
            #expect(servers.compactMap(\.firstStart.operatorToken).count == 1)
            #expect(servers.compactMap(\.firstStart.adminToken).count == 1)
            let token = try #require(servers.compactMap(\.firstStart.operatorToken).first)
            for server in servers {
                let principal = try await server.platform.access.authenticate(token.reveal(), from: nil)
                #expect(principal.reach == .platform)
                await server.close()
            }
        }
    }

    @Test func `preset tokens become the first keys, and a revoked one stays revoked after a restart`() async throws {
        try await withInstallation { installation in
            var generator = SystemRandomNumberGenerator()
            let admin = Token.make(prefix: .admin, mode: .live, workspace: .root, using: &generator)
            let theOperator = Token.make(prefix: .operator, mode: .live, workspace: .root, using: &generator)
            func preset(_ configuration: inout ServerConfiguration) {
                configuration.adminToken = admin
                configuration.operatorToken = theOperator
            }
            try await withMortise(of: installation, configure: preset) { mortise async throws in
                #expect(mortise.server.firstStart.operatorToken == nil)
                #expect(mortise.server.firstStart.adminToken == nil)
                let path = "/v1/organizations/default/admin-keys"
                let keys = try await mortise.api.get(path, as: admin.reveal())
                let id = try #require(keys["data"]?.array?.first?["id"]?.string)
                #expect(try await mortise.api.post("\(path)/\(id)/revoke", as: admin.reveal()).status == 200)
                #expect(try await mortise.api.get(path, as: admin.reveal()).status == 401)
            }
            try await withMortise(of: installation, configure: preset) { mortise async throws in
                #expect(try await mortise.api.get("/v1/workspaces", as: admin.reveal()).status == 401)
                #expect(try await mortise.api.get("/v1/organizations", as: theOperator.reveal()).status == 200)
            }
        }
    }

    @Test func `a preset token of another kind or workspace is refused and nothing is created`() async throws {
        try await withInstallation { installation in
            var generator = SystemRandomNumberGenerator()
            let ref = WorkspaceRef.random(using: &generator)
            let wrong = [
                Token.make(prefix: .admin, mode: .live, workspace: .root, using: &generator),
                Token.make(prefix: .operator, mode: .live, workspace: ref, using: &generator),
            ]
            for token in wrong {
                var configuration = installation.configuration()
                configuration.operatorToken = token
                await #expect(throws: PresetFault.self) {
                    _ = try await MortiseServer.make(configuration, logger: LogCollector().logger)
                }
            }
            let missing = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(
                    installation.control,
                    reactor: try TestReactor.shared,
                    logger: LogCollector().logger
                )
            }
            #expect(missing?.sqlState == .undefinedDatabase)
            try await withMortise(of: installation) { #expect($0.server.firstStart.operatorToken != nil) }
            let fault = #expect(throws: PresetFault.self) {
                try PresetFault.read("mko_live_nonsense", setting: "MORTISE_OPERATOR_KEY", prefix: .operator)
            }
            #expect(fault?.description.contains("nonsense") == false)
        }
    }

    // The accident: a server starts with the secrets file of another installation.
    @Test func `a wrong secrets file is refused, and running servers are not affected`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { mortise async throws in
                var generator = SystemRandomNumberGenerator()
                var configuration = installation.configuration()
                configuration.secrets = try #require(
                    SecretsFile.random(id: installation.secrets.peppers.current.id, using: &generator)
                )
                await #expect(throws: PepperMismatch.self) {
                    _ = try await MortiseServer.make(configuration, logger: LogCollector().logger)
                }
                // A workspace without an open connection needs the role's password again.
                let path = "/v1/organizations/default/workspaces"
                #expect(try await mortise.api.post(path, ["name": "Fresh"], as: mortise.adminToken).status == 201)
                let key = try await mortise.makeKey("fresh", in: "fresh")
                #expect(try await mortise.verdict(key.token) == "valid")
            }
        }
    }
}
