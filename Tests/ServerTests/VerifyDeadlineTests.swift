import JSON
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing
import Verification

/// One deadline counts for a whole verification, with the authentication of its caller.
@Suite(.hangLimit) struct VerifyDeadlineTests {
    private static let deadline = Duration.seconds(3).onThisMachine

    /// Makes every look-up of keys in a database take a part of the deadline.
    private func slow(_ mortise: ServerHarness, _ database: PostgresConfiguration, by part: Double) async throws {
        let seconds = Self.deadline * part / .seconds(1)
        try await mortise.script(
            database,
            """
            ALTER TABLE auth.workspace RENAME TO quick_workspace;
            CREATE VIEW auth.workspace AS SELECT w.* FROM auth.quick_workspace w, pg_sleep(\(seconds));
            GRANT SELECT ON auth.workspace TO PUBLIC
            """
        )
        // A session that has planned a look-up already would go on with the table.
        try await administer(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = \(PostgresConnection.quote(literal: database.database ?? "")) AND pid <> pg_backend_pid()
            """
        )
    }

    // Each of the two look-ups stays within its own limit, and together they took nearly twice as long.
    @Test(arguments: ["/v1/verify", "/v1/verify/batch", "/v1/authorize/organizations/default/"])
    func `a slow authentication leaves a verification only the rest of its time`(path: String) async throws {
        try await withMortise {
            $0.databases.lookupDeadline = Self.deadline
            $0.databases.lookupSilence = .ample
            $0.usage.interval = .seconds(3600)
        } _: { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            try await slow(mortise, mortise.installation.control, by: 0.6)
            try await eventually("a slow authentication alone is in time") {
                try await mortise.verify(key.token).code == "valid"
            }
            try await slow(mortise, try await mortise.workspaceDatabase(), by: 0.6)
            if path.hasPrefix("/v1/authorize") {
                let credential = ("X-Mortise-Key", mortise.adminToken)
                let answer = try await mortise.api.send("GET", path, as: key.token, headers: [credential])
                #expect(answer.status == 503, "\(answer)")
                return
            }
            let question: JSONValue = ["token": .string(key.token)]
            let isBatch = path.hasSuffix("batch")
            let answer = try await mortise.api.post(
                path,
                isBatch ? ["requests": [question]] : question,
                as: mortise.adminToken
            )
            if isBatch, answer.status == 200 {
                let codes = answer["verdicts"]?.array?.map { $0["code"]?.string }
                #expect(codes == ["workspace_unavailable"])
            } else {
                #expect(answer.status == 503, "\(answer)")
                #expect(answer.headers["retry-after"] != nil)
            }
        }
    }
}
