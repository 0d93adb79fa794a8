import Foundation
import JSON
import Server
import ServerTestSupport
import Synchronization
import Tenancy
import TestSupport
import Testing

/// Generated requests against every operation of every surface.
@Suite(.timeLimit(.minutes(10))) struct DialectFuzzTests {
    private static let requests = 50_400
    private static let workers = 8

    /// What came back, by status.
    private final class Tally: Sendable {
        let statuses = Mutex<[Int: Int]>([:])
    }

    // The attack: whatever a stranger or a customer sends, in whichever dialect. A 5xx is a way to do damage, and so is a connection that
    // dies without an answer.
    @Test func `no input to any dialect is answered with a failure of the server`() async throws {
        // Load may be refused with 503, and is not what is looked for: there is a place for each database that the workers ask at once.
        let places = DatabasesOptions(maximumManagedDatabases: 4 * Self.workers, connectionsPerManagedDatabase: 1)
        try await withMortise(configure: { $0.databases = places }) { mortise in
            let server = mortise.server
            let targets =
                FuzzTarget.all(server.native.table) + FuzzTarget.all(server.fluxbase.table)
                + FuzzTarget.all(server.clerk.table) + FuzzTarget.all(server.boltz.table, .apiKey)
            let names = try await self.names(mortise)
            let service = try await mortise.makeKey("fuzz")
            let weak = try await mortise.makeAdmin([])
            let credentials = [mortise.adminToken, mortise.operatorToken, service.token, weak.token, "junk", ""]
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<Self.workers {
                    group.addTask {
                        var generator = RequestGenerator(
                            random: SplitMix64(seed: UInt64(worker)),
                            targets: targets,
                            names: names,
                            credentials: credentials
                        )
                        try await FuzzConnection.run(Self.requests / Self.workers, to: mortise.address) {
                            generator.next()
                        } check: { request, status, body in
                            tally.statuses.withLock { $0[status, default: 0] += 1 }
                            // A connection that brings what is no HTTP may be closed over it.
                            let isClosed = status == 0 && !request.isHTTP
                            #expect(
                                (200..<500).contains(status) || isClosed,
                                "\(status) \(Self.excerpt(body)): \(request)"
                            )
                            // Every refusal has a body in some dialect's shape, and all of those are JSON. What is no HTTP is refused
                            // without one, before there is a request.
                            guard status >= 400, request.method != "HEAD", request.isHTTP else { return }
                            let json = try? JSONValue(parsing: body)
                            #expect(json?.object != nil, "\(status) \(Self.excerpt(body)): \(request)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let statuses = tally.statuses.withLock { $0 }
            #expect(statuses.values.reduce(0, +) >= 50_000)
            // It would be no test if nothing got through.
            #expect(statuses[200, default: 0] > 1000 && statuses[400, default: 0] > 1000, "\(statuses)")
            #expect(!mortise.log.text.contains("request failed"))
            if ProcessInfo.processInfo.environment["MORTISE_FUZZ_REPORT"] != nil { print("fuzz: \(statuses)") }
        }
    }

    private static func excerpt(_ body: [UInt8]) -> String { String(decoding: body.prefix(300), as: UTF8.self) }

    /// Ids and names that exist, here or elsewhere, as the dialects spell them; not those of the keys that the requests are made with.
    private func names(_ mortise: ServerHarness) async throws -> [String] {
        let acme = try await mortise.makeOrganization("Acme")
        let key = try await mortise.makeKey("target")
        let spare = try await mortise.makeAdmin(["keys:read"])
        let bare = key.id.filter { $0 != "-" }
        let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken)
        let id = try workspace.string("id")
        let ref = try workspace.string("ref")
        let organization = try workspace.string("organization_id")
        return [
            "default", "acme", id, organization, key.id, spare.id, acme.id, acme.workspaceID, acme.adminKeyID, bare,
            "ak_\(bare)", "api_key_\(ref)\(bare)", "api_key_00000000" + spare.id.filter { $0 != "-" },
            ServerHarness.boltzWorkspace(id), ServerHarness.boltzWorkspace(acme.workspaceID), "user_1", "org_1",
            "target",
            key.token, "read:*", "192.0.2.1",
        ]
    }
}
