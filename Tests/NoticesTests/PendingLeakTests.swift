import FoundationEssentials
import JSON
import Keys
import Notices
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Reports of leaked tokens that could not be carried out before the answer.
@Suite(.hangLimit) struct PendingLeakTests {
    /// The tables of reports that wait.
    private static let tables = ["control.leak_databases", "control.pending_leaks"]

    /// Waits until no report waits any more.
    private static func waitForNone(_ mortise: ServerHarness) async throws {
        try await eventually("no report waits") {
            for table in tables {
                let rows = try await mortise.rows(mortise.installation.control, "SELECT 1 FROM \(table) LIMIT 1")
                if !rows.isEmpty { return false }
            }
            return true
        }
    }

    /// Returns what is kept of a token.
    private static func leak(of token: Token, _ installation: TestInstallation) -> Leak {
        Leak(
            ref: token.parsed.workspaceRef,
            digests: installation.secrets.peppers.digests(of: token).map(\.digest),
            url: nil,
            source: .report,
            address: nil,
            requestID: nil
        )
    }

    /// The lines at `error` about leaked tokens.
    private static func errors(_ mortise: ServerHarness) -> [String] {
        mortise.log.lines.map(\.text).filter { $0.hasPrefix("error ") && $0.contains("leaked tokens") }
    }

    private static func stranger(_ ref: WorkspaceRef) -> Token {
        var generator = SystemRandomNumberGenerator()
        return Token.make(prefix: .service, mode: .live, workspace: ref, using: &generator)
    }

    // The attack: a token is found while the database of its workspace is away, and is used when the database is back.
    @Test func `a leaked key whose database was away is revoked without a second report`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            #expect(try await mortise.report([key.token, key.token]).status == 202)
            let kept = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM control.pending_leaks"
            )
            #expect(try kept.first?.decode(0, as: Int64.self) == 1)
            try await mortise.restore(database)
            try await eventually("the key is revoked") { try await mortise.status(key.path) == "revoked" }
            try await Self.waitForNone(mortise)
            #expect(Set(try await mortise.events(key.path)) == ["created", "leaked", "revoked"])
            let details = try #require(try await mortise.leaks(key.path).first)
            #expect(details["source"] == "report" && details["action"] == "revoke")
            #expect(details["prefix"]?.string == String(key.token.prefix(16)))
            let errors = Self.errors(mortise)
            #expect(errors.count == 1, "\(errors)")
        }
    }

    // The attack: somebody reads the control database, or a backup of it, and uses the tokens that it has.
    @Test func `a report that waits has no token`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            #expect(try await mortise.report([key.token]).status == 202)
            let rows = try await mortise.rows(
                mortise.installation.control,
                "SELECT p::text, encode(digests, 'escape') FROM control.pending_leaks p"
            )
            let secret = String(key.token.dropFirst(16))
            let hex = secret.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            let row = try #require(rows.first)
            for column in 0..<2 {
                let text: String = try row.decode(column)
                #expect(!text.isEmpty && !text.contains(secret) && !text.contains(hex))
            }
            #expect(!mortise.log.text.contains(secret))
            try await mortise.restore(database)
        }
    }

    // The accident: the node that has answered the report is killed.
    @Test func `a report that a node has kept is carried out by another node`() async throws {
        try await withInstallation { installation in
            let (one, key) = try await withMortise(of: installation) { one in
                let key = try await one.makeKey("a")
                try await one.cutOff(try await one.workspaceDatabase())
                #expect(try await one.report([key.token]).status == 202)
                return (one, key)
            }
            try await one.restore(try await one.workspaceDatabase())
            // The node can have died in the middle of an attempt. Its lease is over.
            try await one.script(
                installation.control,
                """
                UPDATE control.leak_databases
                SET leased_by = gen_random_uuid(), leased_until = now() - interval '1 second', due_at = now()
                """
            )
            try await withMortise(of: installation) { two in
                try await Self.waitForNone(two)
                #expect(try await two.status(key.path, as: one.adminToken) == "revoked")
                let events = try await two.events(key.path, as: one.adminToken)
                #expect(Set(events) == ["created", "leaked", "revoked"])
            }
        }
    }

    // The accident: two nodes answer reports of the same token, and both repeat them.
    @Test func `a report that waits is carried out once, however many nodes there are`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { one in
                try await withMortise(of: installation) { two in
                    let key = try await one.makeKey("a")
                    let database = try await one.workspaceDatabase()
                    try await one.cutOff(database)
                    for node in [one, two] { #expect(try await node.report([key.token]).status == 202) }
                    try await one.restore(database)
                    try await Self.waitForNone(one)
                    #expect(try await one.status(key.path) == "revoked")
                    let leaks = try await one.leaks(key.path)
                    #expect(leaks.count == 1)
                }
            }
        }
    }

    // The attack: a stranger asks which texts are tokens, while the control database takes no changes.
    @Test func `a report that cannot be kept is refused, whatever its texts are`() async throws {
        try await withMortise { mortise in
            let control = mortise.installation.control
            let role = PostgresConnection.quote(identifier: mortise.installation.installation.runtimeRole)
            let (key, other) = (try await mortise.makeKey("a"), try await mortise.makeKey("b"))
            let texts = [[key.token], LeakTests.strangers(of: key.token), ["hello"]]
            func answers(_ texts: [[String]]) async throws -> Set<String> {
                var answers: Set<String> = []
                for tokens in texts {
                    let answer = try await mortise.report(tokens)
                    #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer)")
                    answers.insert("\(answer["title"] ?? "") \(answer["detail"] ?? "")")
                }
                return answers
            }
            try await mortise.script(control, "REVOKE INSERT ON control.pending_leaks FROM \(role)")
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            let whileAway = try await answers(texts)
            try await mortise.restore(database)
            try await eventually("the database is reached again") {
                try await mortise.verify(other.token)["code"] == "valid"
            }
            let whileBack = try await answers(texts)
            #expect(whileAway.count == 1 && whileBack == whileAway, "\(whileAway) \(whileBack)")
            // A report that was answered with 503 can have taken effect nevertheless.
            #expect(try await mortise.status(key.path) == "revoked")
            try await mortise.script(control, "GRANT INSERT ON control.pending_leaks TO \(role)")

            try await mortise.cutOff(control)
            let withoutControl = try await answers([[other.token], ["hello"]])
            #expect(withoutControl.count == 1)
            try await mortise.restore(control)
            try await eventually("the control database is reached again") {
                try await mortise.report([other.token]).status == 202
            }
            try await eventually("the key is revoked") { try await mortise.status(other.path) == "revoked" }
        }
    }

    // The accident: a key or a workspace is deleted while a report of its token waits, and nodes repeat the report for ever.
    @Test func `a report of a key that is gone is forgotten`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            #expect(try await mortise.api.send("DELETE", key.path, as: mortise.adminToken).status == 204)
            let token = try Token(key.token)
            var generator = SystemRandomNumberGenerator()
            let deleted = WorkspaceRef.random(using: &generator)
            let leaks = [
                Self.leak(of: token, mortise.installation),
                Self.leak(of: Self.stranger(token.parsed.workspaceRef), mortise.installation),
                Self.leak(of: Self.stranger(deleted), mortise.installation),
                Self.leak(of: Self.stranger(.root), mortise.installation),
            ]
            let isKept = try await mortise.server.platform.databases.control.pool.withConnection {
                try await PendingLeaks($0).keep(leaks) { IdentifierSource.system.id() }
            }
            #expect(isKept)
            try await Self.waitForNone(mortise)
            #expect(Self.errors(mortise).isEmpty)
        }
    }

    // The accident: an admin key leaks, which is a key of the control database.
    @Test func `a report of an admin key that waits is carried out`() async throws {
        try await withMortise { mortise in
            let admin = try await mortise.makeAdmin(["keys:read"])
            let leak = Self.leak(of: try Token(admin.token), mortise.installation)
            let isKept = try await mortise.server.platform.databases.control.pool.withConnection {
                try await PendingLeaks($0).keep([leak]) { IdentifierSource.system.id() }
            }
            #expect(isKept)
            try await Self.waitForNone(mortise)
            #expect(try await mortise.status(admin.path) == "revoked")
        }
    }

    // The fault: a node deletes the row of a report that came while it made an attempt, or two nodes take the same reports.
    @Test func `a database is leased by one node, and keeps a report that comes meanwhile`() async throws {
        try await withInstallation { installation in
            let mortise = try await withMortise(of: installation) { $0 }
            var generator = SystemRandomNumberGenerator()
            let refs = [WorkspaceRef.random(using: &generator), WorkspaceRef.random(using: &generator)]
            let tokens = refs.map(Self.stranger)
            try await mortise.withConnection(installation.control) { connection in
                let pending = PendingLeaks(connection)
                func keep(_ tokens: [Token]) async throws -> Bool {
                    try await pending.keep(tokens.map { Self.leak(of: $0, installation) }) {
                        IdentifierSource.system.id()
                    }
                }
                let isKept = try await keep(tokens + tokens)
                #expect(isKept)
                try await connection.script("UPDATE control.leak_databases SET due_at = now()")
                let (one, two) = (IdentifierSource.system.id(), IdentifierSource.system.id())
                let first = try await pending.claim(by: one, except: [], limit: 1)
                let second = try await pending.claim(by: two, except: [], limit: 10)
                let third = try await pending.claim(by: one, except: [], limit: 10)
                #expect(first.count == 1 && second.count == 1 && third.isEmpty)
                #expect(Set((first + second).map(\.ref)) == Set(refs))
                let database = try #require(first.first)
                let entries = try await pending.entries(of: database.ref)
                #expect(entries.count == 1)
                let isNewKept = try await keep([Self.stranger(database.ref)])
                #expect(isNewKept)
                func finish(_ database: PendingLeaks.Database, _ done: [UUID]) async throws {
                    try await pending.finish(database, by: one, done: done, failed: [], failures: 0, pause: .zero)
                }
                try await finish(database, entries.map(\.id))
                let again = try #require(try await pending.claim(by: one, except: [], limit: 10).first)
                #expect(again.ref == database.ref)
                let rest = try await pending.entries(of: again.ref)
                #expect(rest.count == 1)
                try await finish(again, rest.map(\.id))
                let left = try await connection.query(
                    Statement("SELECT workspace_ref FROM control.leak_databases", prepared: false)
                )
                #expect(try left.map { try $0.decode(0, as: String.self) } == second.map(\.ref.text))
            }
        }
    }

    // The attack: while a database is away, a stranger fills the table with texts that are formed like its tokens.
    @Test func `a database has a bounded number of reports that wait, and other databases have their own`() async throws
    {
        try await withInstallation { installation in
            let mortise = try await withMortise(of: installation) { $0 }
            var generator = SystemRandomNumberGenerator()
            let (full, other) = (WorkspaceRef.random(using: &generator), WorkspaceRef.random(using: &generator))
            try await mortise.withConnection(installation.control) { connection in
                try await connection.script(
                    """
                    INSERT INTO control.leak_databases (workspace_ref, due_at) VALUES ('\(full)', now());
                    INSERT INTO control.pending_leaks (id, workspace_ref, digests, source)
                    SELECT gen_random_uuid(), '\(full)', decode(md5(n::text) || md5(n::text), 'hex'), 'report'
                    FROM generate_series(1, \(PendingLeaks.limitOfDatabase)) n
                    """
                )
                func keep(_ refs: [WorkspaceRef]) async throws -> Bool {
                    let leaks = refs.map { Self.leak(of: Self.stranger($0), installation) }
                    return try await PendingLeaks(connection).keep(leaks) { IdentifierSource.system.id() }
                }
                let (ofFull, ofBoth) = (try await keep([full]), try await keep([other, full]))
                let (ofOther, ofNone) = (try await keep([other]), try await keep([]))
                #expect(!ofFull && !ofBoth && ofOther && ofNone)
                let count = try await PendingLeaks(connection).count()
                #expect(count == PendingLeaks.limitOfDatabase + 1)
            }
        }
    }
}
