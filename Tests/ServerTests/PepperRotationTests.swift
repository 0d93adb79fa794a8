import JSON
import Keys
import Logging
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Peppers are changed while servers run, in the order of the operations manual.
@Suite(.hangLimit) struct PepperRotationTests {
    /// Returns the secrets of an installation with the given peppers.
    ///
    /// The first pepper is current.
    private func secrets(_ peppers: [String], _ original: SecretsFile) throws -> SecretsFile {
        let others = original.reveal().split(separator: "\n").filter { !$0.hasPrefix("pepper") }.map(String.init)
        return try SecretsFile(parsing: (peppers + others).joined(separator: "\n"))
    }

    private func pepper(_ id: String) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let secrets = try #require(SecretID(id).flatMap { SecretsFile.random(id: $0, using: &generator) })
        return try #require(secrets.reveal().split(separator: "\n").first { $0.hasPrefix("pepper") }.map(String.init))
    }

    @Test func `a pepper that every server has can become current, and every token remains valid`() async throws {
        try await withInstallation { installation in
            let old = try #require(
                installation.secrets.reveal().split(separator: "\n").first { $0.hasPrefix("pepper") }.map(String.init)
            )
            let new = try pepper("b")
            let added = try secrets([old, new], installation.secrets)
            let turned = try secrets([new, old], installation.secrets)
            let (admin, first) = try await withMortise(of: installation) { mortise in
                (mortise.adminToken, try await mortise.makeKey("before").token)
            }
            // One server has the new current pepper, and the other has it as an additional one. Each server verifies
            // the other's tokens.
            try await withMortise(of: installation, configure: { $0.secrets = added }) { one in
                try await withMortise(of: installation, configure: { $0.secrets = turned }) { two in
                    let made = try await two.makeKey("turned", as: admin).token
                    let elsewhere = try await one.makeKey("added", as: admin).token
                    for token in [first, made, elsewhere] {
                        #expect(try await one.verdict(token, as: admin) == "valid")
                        #expect(try await two.verdict(token, as: admin) == "valid")
                    }
                    let ids = try await two.rows(
                        try await two.workspaceDatabase(),
                        "SELECT pepper_id FROM auth.key_secrets ORDER BY id"
                    )
                    #expect(try ids.map { try $0.decode(0, as: String.self) } == ["a", "b", "a"])
                }
            }
            // The old pepper is removed too early. The server logs a warning, and the tokens of that pepper are
            // unknown.
            let log = LogCollector()
            let only = try secrets([new], installation.secrets)
            try await withMortise(of: installation, log: log, configure: { $0.secrets = only }) {
                mortise async throws in
                #expect(try await mortise.api.get("/v1/workspaces", as: admin).status == 401)
            }
            #expect(log.lines.contains { $0.level == .warning && $0.metadata["pepper"] == "a" })
            #expect(log.text.contains("lacks a pepper"))
        }
    }

    // The accident: one node has the new file, and the other has the old one. Tokens of the first were unknown to the second.
    @Test func `a new pepper makes no token while a node lacks it, and does when all nodes know it`() async throws {
        try await withInstallation { installation in
            let old = try #require(
                installation.secrets.reveal().split(separator: "\n").first { $0.hasPrefix("pepper") }.map(String.init)
            )
            let turned = try secrets([try pepper("b"), old], installation.secrets)
            let admin = try await withMortise(of: installation) { $0.adminToken }
            let log = LogCollector()
            func pepperIDs(_ mortise: ServerHarness) async throws -> [String] {
                try await mortise.rows(
                    try await mortise.workspaceDatabase(),
                    "SELECT pepper_id FROM auth.key_secrets ORDER BY id"
                )
                .map { try $0.decode(0, as: String.self) }
            }
            try await withMortise(of: installation, log: log, configure: { $0.secrets = turned }) { two in
                try await withMortise(of: installation) { one in
                    try await eventually("the node knows that the other one lacks the pepper") {
                        log.text.contains("a node lacks a pepper of this one")
                    }
                    let token = try await two.makeKey("meanwhile", as: admin).token
                    #expect(try await one.verdict(token, as: admin) == "valid")
                    _ = try await two.addMember("ada@example.org", "member", as: admin)
                    let session = try await two.signIn("ada@example.org")
                    let refresh: JSONValue = ["refresh_token": .string(session.refresh)]
                    let next = try await one.api.post("/v1/sessions/refresh", refresh, as: nil)
                    #expect(next.status == 200, "\(next)")
                    #expect(try await pepperIDs(two) == ["a"])
                }
                try await eventually("the other node has left") { log.text.contains("all nodes know the peppers") }
                let token = try await two.makeKey("later", as: admin).token
                #expect(try await two.verdict(token, as: admin) == "valid")
                #expect(try await pepperIDs(two) == ["a", "b"])
            }
        }
    }

    // The accident: a new secrets file with another pepper id is used with an old database, so no id contradicts.
    @Test func `a secrets file without a pepper of the installation is refused, and running servers are not affected`()
        async throws
    {
        try await withInstallation { installation in
            try await withMortise(of: installation) { mortise in
                var configuration = installation.configuration()
                var generator = SystemRandomNumberGenerator()
                let id = try #require(SecretID("2026"))
                configuration.secrets = try #require(SecretsFile.random(id: id, using: &generator))
                let fault = await #expect(throws: ForeignSecrets.self) {
                    _ = try await MortiseServer.make(configuration, logger: LogCollector().logger)
                }
                #expect(fault?.known == ["a"])
                // A workspace without an open connection needs the role's password again.
                let path = "/v1/organizations/default/workspaces"
                #expect(try await mortise.api.post(path, ["name": "Fresh"], as: mortise.adminToken).status == 201)
                let key = try await mortise.makeKey("fresh", in: "fresh")
                #expect(try await mortise.verdict(key.token) == "valid")
            }
        }
    }
}
