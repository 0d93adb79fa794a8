import Keys
import Server
import Service
import Surfaces
import TestSupport
import Testing
import mortise

@Suite(.hangLimit) struct SettingsTests {
    static let operatorKey = make(.operator)
    static let adminKey = make(.admin)

    static func make(_ kind: KeyKind) -> Token {
        var random = SystemRandomNumberGenerator()
        return Token.make(prefix: kind.defaultPrefix, mode: .live, workspace: .root, using: &random)
    }

    private func serve(_ environment: [String: String]) throws(CommandFailure) -> ServeSettings {
        try ServeSettings(SettingReader(flags: [:], environment: { environment[$0] }), isTerminal: false)
    }

    @Test func `every setting has its default`() throws {
        let settings = try serve(["MORTISE_DATABASE_URL": "", "MORTISE_LISTEN": ""])
        #expect(settings.database == .own(binaries: nil))
        #expect(settings.dataFolder == ".mortise")
        #expect(settings.secretsFile == nil)
        #expect(settings.listen == ListenAddress(host: "127.0.0.1", port: 8080))
        #expect(settings.clients == ClientAddresses())
        #expect(settings.operatorKey == nil && settings.adminKey == nil)
        #expect("\(settings.log.level)" == "info" && settings.log.format == .json && settings.log.access == .management)
        #expect(settings.connections.threads == ServingThreads.defaultCount)
        #expect(settings.connections.lookupWorkspaces == 32 && settings.connections.managedWorkspaces == 8)
        #expect(settings.shutdownGrace == .seconds(30) && settings.drainDelay == .zero)
    }

    @Test func `every variable is read`() throws {
        let settings = try serve([
            "MORTISE_DATABASE_URL": "postgresql://u:pw@db/x", "MORTISE_DATA": "/d", "MORTISE_LISTEN": "[::]:1",
            "MORTISE_PEPPER_FILE": "/p", "MORTISE_OPERATOR_KEY": SettingsTests.operatorKey.reveal(),
            "MORTISE_ADMIN_KEY": SettingsTests.adminKey.reveal(), "MORTISE_LOG_LEVEL": "debug",
            "MORTISE_LOG_FORMAT": "text", "MORTISE_ACCESS_LOG": "off", "MORTISE_POSTGRES_BIN": "/b",
            "MORTISE_THREADS": "3", "MORTISE_SHUTDOWN_GRACE": "0",
            "MORTISE_LOOKUP_WORKSPACES": "100", "MORTISE_MANAGED_WORKSPACES": "20", "MORTISE_DRAIN_DELAY": "7",
            "MORTISE_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "MORTISE_ADMIN_EMAIL": "Ada@example.org", "MORTISE_ADMIN_PASSWORD": "correct horse battery",
        ])
        #expect(try settings.clients == ClientAddresses(trusting: [AddressRange("10.0.0.0/8"), AddressRange("::1")]))
        #expect(settings.database == .server(SecretText("postgresql://u:pw@db/x")))
        #expect(settings.dataFolder == "/d")
        #expect(settings.listen == ListenAddress(host: "::", port: 1))
        #expect(settings.secretsFile == "/p")
        #expect(settings.operatorKey == SettingsTests.operatorKey && settings.adminKey == SettingsTests.adminKey)
        #expect("\(settings.log.level)" == "debug" && settings.log.format == .text && settings.log.access == .off)
        #expect(settings.connections.threads == 3)
        #expect(settings.connections.lookupWorkspaces == 100 && settings.connections.managedWorkspaces == 20)
        #expect(settings.shutdownGrace == .zero && settings.drainDelay == .seconds(7))
        #expect(try settings.firstMember == FirstMember(email: "ada@example.org", password: "correct horse battery"))
        #expect(try serve(["MORTISE_POSTGRES_BIN": "/b"]).database == .own(binaries: "/b"))
    }

    @Test(arguments: [
        ("MORTISE_LISTEN", "8080"), ("MORTISE_LISTEN", "a:99999"), ("MORTISE_LISTEN", "::1:80"),
        ("MORTISE_LISTEN", ":80"),
        ("MORTISE_LOG_LEVEL", "loud"), ("MORTISE_LOG_FORMAT", "xml"), ("MORTISE_ACCESS_LOG", "some"),
        ("MORTISE_DRAIN_DELAY", "3601"), ("MORTISE_LOOKUP_WORKSPACES", "0"), ("MORTISE_MANAGED_WORKSPACES", "1001"),
        ("MORTISE_THREADS", "0"), ("MORTISE_THREADS", "65"), ("MORTISE_SHUTDOWN_GRACE", "-1"),
        ("MORTISE_SHUTDOWN_GRACE", "1e3"), ("MORTISE_DATABASE_URL", "mysql://x"),
        ("MORTISE_TRUSTED_PROXIES", "proxy.example.com"), ("MORTISE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("MORTISE_TRUSTED_PROXIES", "10.0.0.0/33"), ("MORTISE_TRUSTED_PROXIES", "10.0.0.0/8 *"),
        ("MORTISE_TRUSTED_PROXIES", " , "),
    ])
    func `a wrong setting is refused by its name`(_ name: String, _ value: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try serve([name: value]) }
        #expect(failure.kind == .usage)
        #expect(failure.message.contains(name))
    }

    // A server that opens more connections than its PostgreSQL has fails under load, and nowhere else.
    @Test func `more connections than Mortise's own PostgreSQL has are refused before it is started`() throws {
        let many = ["MORTISE_THREADS": "16"]
        let failure = try #require(throws: CommandFailure.self) { try serve(many) }
        #expect(failure.kind == .usage)
        #expect(failure.text.contains("MORTISE_THREADS"))
        // The bound of another server is not known here; the doctor asks it.
        let other = try serve(many.merging(["MORTISE_DATABASE_URL": "postgresql://u@db/x"]) { $1 })
        #expect(other.connections.most > 500)
        #expect(try serve([:]).connections.most == 33 + 16 + 4 + 4 + 8)
    }

    // Attack: a mistyped key or URL in an error message, which the log of every restart repeats.
    @Test(arguments: [
        ("MORTISE_OPERATOR_KEY", "mko_live_hunter2"), ("MORTISE_ADMIN_KEY", SettingsTests.operatorKey.reveal()),
        ("MORTISE_OPERATOR_KEY", SettingsTests.adminKey.reveal()), ("MORTISE_DATABASE_URL", "mysql://u:hunter2@x"),
        ("MORTISE_ADMIN_PASSWORD", "hunter2"),
    ])
    func `a wrong secret is refused without a word of it`(_ name: String, _ value: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try serve([name: value]) }
        #expect(failure.text.contains(name))
        #expect(!failure.text.contains(value) && !failure.text.contains("hunter2"))
    }

    @Test func `settings can be printed without their secrets`() throws {
        let settings = try serve([
            "MORTISE_DATABASE_URL": "postgresql://u:hunter2@db/x", "MORTISE_ADMIN_KEY": SettingsTests.adminKey.reveal(),
        ])
        var dumped = ""
        dump(settings, to: &dumped)
        let texts = ["\(settings)", String(reflecting: settings), dumped]
        for text in texts {
            #expect(!text.contains("hunter2") && !text.contains(SettingsTests.adminKey.reveal()))
        }
    }

    @Test func `a proxy that cannot be trusted is named before anything is started`() async throws {
        let outcome = try await Program.run(["serve", "--trusted-proxies", "10.0.0.0/8, 192.168.1.1/16"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("--trusted-proxies: \"192.168.1.1/16\" cannot be trusted."))
        #expect(outcome.errors.contains("did you mean 192.168.0.0/16?"))
    }

    @Test func `a flag wins over its variable`() async throws {
        let outcome = try await Program.run(
            ["serve", "--listen", "nonsense"],
            environment: ["MORTISE_LISTEN": "127.0.0.1:1"]
        )
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("--listen is \"nonsense\""))
    }

    @Test func `a secret's flag names a file, and a wrong file is named`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("mko_live_hunter2\n", to: "\(folder)/f")
            let wrong = try await Program.run(["serve", "--operator-key-file", "\(folder)/f"])
            #expect(wrong.code == 64)
            #expect(wrong.errors.contains("--operator-key-file") && !wrong.errors.contains("hunter2"))
            let missing = try await Program.run(["serve", "--database-url-file", "\(folder)/none"])
            #expect(missing.code == 64)
            #expect(missing.errors.contains("\(folder)/none"))
            TemporaryFolder.write("postgresql://u:hunter2@db/x", to: "\(folder)/url")
            let both = try await Program.run([
                "migrate", "--database-url-file", "\(folder)/url", "--postgres-bin", "/b",
            ])
            #expect(both.code == 64)
            #expect(!both.errors.contains("hunter2"))
        }
    }
}
