import JSON
import Locks
import TestSupport
import Testing

/// Kills the server while it creates workspaces.
@Suite(.hangLimit(.seconds(600))) struct ProvisioningCrashTests {
    private static let moments: [Moment] = [
        .blocked(by: "LOCK TABLE control.workspace_refs IN SHARE MODE"),
        .sight("SELECT 1 FROM control.workspaces WHERE state = 'creating'"),
        .answers(1),
        .sight("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE%'"),
        .sight(
            "SELECT 1 FROM control.workspaces w JOIN pg_database d ON d.datname = w.database WHERE w.state = 'creating'"
        ),
        .answers(4),
        .sight(
            """
            SELECT 1 FROM control.workspaces w JOIN pg_database d ON d.datname = w.database
            WHERE w.state = 'creating' AND has_database_privilege('mortise_runtime', d.oid, 'CONNECT')
            """
        ),
        .answers(2),
    ]

    /// The tokens that were answered, and the requests without an answer.
    private final class Journal: Sendable {
        let tokens = Locked<[String]>([])
        let unanswered = Locked<[String]>([])
    }

    @Test func `after a crash, no workspace is incomplete, and every answer is still true`() async throws {
        try await ProcessInstallation.with { installation in
            let journal = Journal()
            for (round, moment) in Self.moments.enumerated() {
                try await installation.crash(at: moment, in: "mortise", workers: 4) { worker, port, tally in
                    for number in 0..<200 {
                        let slug = "w-\(round)-\(worker)-\(number)"
                        do {
                            let token = try await Self.create(slug, installation, port)
                            journal.tokens.withLock { $0.append(token) }
                            tally.add()
                        } catch let failure as Refused {
                            throw failure
                        } catch {
                            // Without an answer, the client does not know whether the workspace exists.
                            journal.unanswered.withLock { $0.append(slug) }
                            return
                        }
                    }
                }
            }
            try await installation.serve { program in
                let port = try await program.port()
                // The start repairs everything. No request is needed.
                try await installation.expectWhole()
                for token in journal.tokens.withLock({ $0 }) {
                    #expect(try await installation.verdict(token, port: port) == "valid")
                }
                let unanswered = journal.unanswered.withLock { $0 }
                #expect(unanswered.count == 4 * Self.moments.count)
                for slug in unanswered {
                    let token = try await Self.create(slug, installation, port)
                    #expect(try await installation.verdict(token, port: port) == "valid", "\(slug)")
                    #expect(try await Self.create(slug, installation, port) == token, "\(slug)")
                }
                try await installation.expectWhole()
                let made = journal.tokens.withLock { $0.count } + unanswered.count + 1
                #expect(try await installation.workspaceDatabases().count == made)
                try await installation.expectHealthy()
                program.terminate()
                try await program.waitForEnd()
            }
        }
    }

    /// The answer of the server is not the expected one.
    private struct Refused: Error {
        let answer: ProcessInstallation.Answer
    }

    /// Creates a workspace and a key in it, or gets the same again, and returns the token.
    private static func create(_ slug: String, _ installation: ProcessInstallation, _ port: Int) async throws -> String
    {
        let workspace = try await installation.call(
            "POST",
            "/v1/organizations/default/workspaces",
            ["name": .string(slug), "slug": .string(slug)],
            port: port,
            key: slug
        )
        guard workspace.status == 201, workspace.body["state"] == "active" else { throw Refused(answer: workspace) }
        let key = try await installation.call(
            "POST",
            "/v1/workspaces/\(slug)/service-keys",
            ["name": "first"],
            port: port,
            key: slug
        )
        guard key.status == 201, let token = key.body["token"]?.string else { throw Refused(answer: key) }
        return token
    }
}
