import Logging
import Postgres
import TestSupport
import Testing

/// The contents of errors and log lines.
@Suite(.hangLimit) struct ErrorTests {
    // Parameters are digests and names of tenants, SQL can contain literals, and the server's DETAIL repeats whole rows.
    @Test func `no error description and no log line repeats a parameter, SQL or a row`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script(
                "CREATE TABLE t (a text CONSTRAINT single UNIQUE, b int CHECK (b > 0), c int NOT NULL)"
            )
            let insert = Statement("INSERT INTO t VALUES ($1, $2, $3) /* hunter2 */")
            try await connection.query(insert, ["hunter2", 1, 1])
            try await fixture.withPipeline { pipeline in
                let errors = [
                    await failure { try await connection.query(insert, ["hunter2", 1, 1]) },
                    await failure { try await connection.query(insert, ["hunter2", -424_242, 1]) },
                    await failure { try await connection.query(insert, ["hunter2", 424_242, nil as Int?]) },
                    await failure { try await connection.query(Statement("SELECT $1::int"), ["hunter2"]) },
                    await failure { try await connection.query(Statement("SELECT hunter2")) },
                    await failure { try await connection.script("SELECT 'hunter2'::int") },
                    await failure { try await connection.script("hunter2") },
                    await failure {
                        try await connection.query(Statement("SELECT 'hunter2', pg_sleep(9)"), deadline: .zero)
                    },
                    await failure { try await pipeline.query(Statement("SELECT 'hunter2'::text::int")) },
                ]
                for error in errors {
                    let error = try #require(error)
                    #expect(!"\(error)".contains("hunter2") && !"\(error)".contains("424242"))
                    #expect(!error.message.contains("hunter2"))
                }
                #expect(
                    errors.prefix(3).map { $0?.sqlState } == [
                        .uniqueViolation, .checkViolation, SQLState(rawValue: "23502"),
                    ]
                )
                #expect(errors[0]?.constraint == "single")
                #expect(errors[1]?.constraint == "t_b_check")
                #expect(errors[2]?.column == "c")
                #expect(errors[2]?.table == "t")
                #expect(!fixture.log.text.contains("hunter2"))
            }
        }
    }

    // The log shows the description alone, and an operator must not have to look up the code.
    @Test(arguments: [
        ("53100", "the disk of the server is full"), ("53200", "the server has no memory left"),
        ("58030", "the server cannot read or write its files"), ("42501", "the role lacks a privilege"),
        ("25006", "the server or the session is read-only"),
        ("57P03", "the server is starting or stopping, or the database accepts no connections"),
        ("22000", "the server refused the statement"),
    ])
    func `an error about the state of the server says it`(_ code: String, _ sentence: String) async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let error = await failure {
                try await connection.script("DO $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '\(code)'; END $$")
            }
            #expect(error.map { "\($0)" } == "PostgresError(server, SQLSTATE \(code)): \(sentence)")
        }
    }

    @Test func `a notice of the server is logged`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("DO $$ BEGIN RAISE NOTICE 'something happened'; RAISE WARNING 'beware'; END $$")
            let lines = fixture.log.lines.filter { $0.message == "notice of the server" }
            #expect(lines.map { $0.metadata["notice"] } == ["something happened", "beware"])
            #expect(lines.map { $0.metadata["severity"] } == ["NOTICE", "WARNING"])
        }
    }

    // A connection string often contains a password.
    @Test(arguments: [
        "postgresql://u:hunter2@[::1", "host=x password='hunter2", "hunter2", "password=hunter2 nonsense=1",
    ])
    func `a connection string that cannot be read is not repeated`(text: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error.map { !"\($0) \($0.message) \($0.serverMessage ?? "")".contains("hunter2") } == true)
    }

    @Test func `a configuration prints without its password`() throws {
        let configuration = try PostgresConfiguration("postgresql://u:hunter2@example:6000/db?application_name=a")
        #expect("\(configuration)" == "example:6000/db")
        #expect(configuration.password == "hunter2")
        #expect(configuration.user == "u")
        #expect(configuration.applicationName == "a")
    }

    @Test func `settings reach the server with every character`() async throws {
        try await withFixture { fixture in
            let configuration = fixture.configuration
                .setting("search_path", "\"a b\", \"c\\\\d\"")
                .setting("application_name", "x\\y z'\"")
                .setting("statement_timeout", "12345ms")
            let connection = try await fixture.connect(configuration)
            let path = try await connection.text("SELECT current_setting('search_path')")
            #expect(path == "\"a b\", \"c\\\\d\"")
            let name = try await connection.text("SELECT current_setting('application_name')")
            #expect(name == "x\\y z'\"")
            let timeout = try await connection.text("SELECT current_setting('statement_timeout')")
            #expect(timeout == "12345ms")
        }
    }

    @Test func `a password verifier does not contain the password`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let verifier = try connection.passwordVerifier(user: "somebody", password: "hunter2")
            #expect(verifier.hasPrefix("SCRAM-SHA-256$"))
            #expect(!verifier.contains("hunter2"))
        }
    }
}
