import FoundationEssentials
import JSON
import ServerTestSupport
import Subprocess
import TestSupport
import Testing

/// The Python interpreter with the clients, which `scripts/swift-test.sh` sets.
private let python = ProcessInfo.processInfo.environment["MORTISE_CLIENTS_PYTHON"]

/// The published clients of other services, unmodified, use a server.
@Suite(.hangLimit, .enabled(if: python != nil)) struct PublishedClientTests {
    /// Runs a program of `Tests/Clients`, which exits with an error at the first unexpected answer.
    static func drive(_ program: String, _ mortise: ServerHarness, _ settings: [Environment.Key: String?]) async throws
    {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var environment = settings
        environment["MORTISE_URL"] = mortise.api.url
        environment["MORTISE_ADMIN_KEY"] = mortise.adminToken
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        let result = try await run(
            .name("sh"),
            arguments: [
                "-c", "exec \"$0\" \"$@\"", try #require(python), tests.appending(path: "Clients/\(program)").path(),
            ],
            environment: .inherit.updating(environment),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        #expect(result.terminationStatus.isSuccess, "\(result.standardOutput) \(result.standardError)")
    }

    @Test func `every method of boltz-api works`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            let limited = try await mortise.makeAdmin([])
            try await Self.drive(
                "boltz_sdk.py",
                mortise,
                ["MORTISE_FOREIGN_KEY": acme.token, "MORTISE_LIMITED_KEY": limited.token]
            )
        }
    }

    @Test func `every method of clerk-backend-api works`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            let limited = try await mortise.makeAdmin([])
            let path = "/v1/organizations/default/workspaces"
            let second = try await mortise.api.post(path, ["name": "Second"], as: mortise.adminToken)
            try await Self.drive(
                "clerk_sdk.py",
                mortise,
                [
                    "MORTISE_FOREIGN_KEY": acme.token, "MORTISE_LIMITED_KEY": limited.token,
                    "MORTISE_WORKSPACE": try second.string("id"),
                ]
            )
        }
    }
}
